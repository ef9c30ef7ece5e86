"""Questions that several controllers ask of a pod, and how a pod is made from a template."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import Object, get_path, metadata, name_of, namespace_of
from labkit.sandbox.controllers.ownership import controller_reference

if TYPE_CHECKING:
    from collections.abc import Iterable

FINISHED = ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    """``status.phase``."""
    return str(get_path(pod, "status", "phase", default=""))


def is_deleting(obj: Object) -> bool:
    """Whether somebody deleted it, and it is not gone yet."""
    return bool(metadata(obj).get("deletionTimestamp"))


def is_finished(pod: Object) -> bool:
    """Whether all its containers ended for good."""
    return phase(pod) in FINISHED


def is_active(pod: Object) -> bool:
    """Whether it counts as one of its controller's replicas."""
    return not is_finished(pod) and not is_deleting(pod)


def condition(obj: Object, name: str) -> dict[str, Any] | None:
    """The condition of that type."""
    conditions = get_path(obj, "status", "conditions", default=[])
    return next((c for c in conditions if c.get("type") == name), None)


def is_true(obj: Object, name: str) -> bool:
    """Whether it has the condition, and it is ``True``."""
    found = condition(obj, name)
    return found is not None and found.get("status") == "True"


def is_ready(pod: Object) -> bool:
    """Whether its Ready condition is true."""
    return is_true(pod, "Ready")


def ready_since(pod: Object) -> datetime | None:
    """Since when its Ready condition is as it is."""
    found = condition(pod, "Ready")
    return parse_time(found.get("lastTransitionTime")) if found else None


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Whether it has been ready for that long."""
    return available_in(pod, min_ready_seconds, now) == 0


def available_in(pod: Object, min_ready_seconds: int, now: datetime) -> float | None:
    """Seconds until a ready pod is available (0: it is); ``None`` for one that is not ready."""
    if not is_ready(pod):
        return None
    since = ready_since(pod)
    if not min_ready_seconds:
        return 0
    if since is None:
        return None
    return max(0.0, min_ready_seconds - (now - since).total_seconds())


def count_ready(pods: Iterable[Object]) -> int:
    """How many are ready."""
    return sum(is_ready(pod) for pod in pods)


def restarts(pod: Object) -> int:
    """The most often that one of its containers was restarted."""
    return max(
        (s.get("restartCount", 0) for s in get_path(pod, "status", "containerStatuses", default=[])),
        default=0,
    )


def created(obj: Object) -> datetime:
    """When it was made."""
    return parse_time(metadata(obj).get("creationTimestamp")) or datetime.min.replace(tzinfo=UTC)


def parse_time(text: str | None) -> datetime | None:
    """A time as the API writes it."""
    return datetime.fromisoformat(text) if text else None


def from_template(template: Object, owner: Object, *, name: str = "") -> Object:
    """A pod as the template says, controlled by ``owner``, its name given or beginning with the owner's."""
    wanted = metadata(template)
    meta: Object = {"namespace": namespace_of(owner), "ownerReferences": [controller_reference(owner)]}
    meta |= {"name": name} if name else {"generateName": f"{name_of(owner)}-"}
    for field in ("labels", "annotations"):
        meta[field] = dict(wanted.get(field) or {})
    meta["finalizers"] = list(wanted.get("finalizers") or [])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
