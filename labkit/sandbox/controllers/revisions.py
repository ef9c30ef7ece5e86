"""A Deployment's history: which ReplicaSet is the template of now, and which number each of the past had.

The ReplicaSets *are* the history; ``kubectl rollout history`` reads their annotations, and ``rollout undo`` copies a
template back from one of them. Source: pkg/controller/deployment/sync.go and util/deployment_util.go in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, annotations_of, get_path, labels_of, name_of, namespace_of
from labkit.sandbox.controllers import pods, rolling, templates
from labkit.sandbox.controllers.ownership import controller_reference

if TYPE_CHECKING:
    from collections.abc import Sequence

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
_HISTORY_LENGTH = 2000

_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
    REVISION,
    HISTORY,
    rolling.DESIRED,
    rolling.MAXIMUM,
}


def split(d: Object, sets: Sequence[Object]) -> tuple[Object | None, list[Object]]:
    """The ReplicaSet of the Deployment's template, oldest if there are several, and all others."""
    template = d["spec"]["template"]
    by_age = sorted(sets, key=lambda rs: (pods.created(rs), name_of(rs)))
    new = next((rs for rs in by_age if templates.same(rs["spec"]["template"], template)), None)
    return new, [rs for rs in sets if rs is not new]


def next_revision(old: Sequence[Object]) -> int:
    """The number for the template of now: one more than the highest of the past."""
    return max((revision(rs) for rs in old), default=0) + 1


def revision(obj: Object) -> int:
    """The number in its annotation; 0 for none."""
    return rolling.number(annotations_of(obj).get(REVISION))


def new_replica_set(d: Object, number: int, size: int) -> Object:
    """The ReplicaSet for the Deployment's template, named after it and the template's hash."""
    spec = d["spec"]
    short = templates.short_hash(spec["template"], get_path(d, "status", "collisionCount", default=0))
    template = templates.with_label(spec["template"], templates.HASH_LABEL, short)
    made: Object = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(d)}-{short}",
            "namespace": namespace_of(d),
            "labels": labels_of(template),
            "ownerReferences": [controller_reference(d)],
        },
        "spec": {
            "replicas": size,
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": templates.with_selected_label(spec["selector"], templates.HASH_LABEL, short),
            "template": template,
        },
    }
    made["metadata"]["annotations"] = sizes(d) | noted(d, made, number)
    return made


def noted(d: Object, rs: Object, number: int) -> dict[str, str]:
    """What the new ReplicaSet's annotations should be: its own, the Deployment's, and its number in the history."""
    found = dict(annotations_of(rs))
    found |= {key: value for key, value in annotations_of(d).items() if key not in _NOT_COPIED}
    before = rolling.number(found.get(REVISION))
    if before >= number:
        return found
    if before:
        found[HISTORY] = _remember(found.get(HISTORY, ""), before)
    found[REVISION] = str(number)
    return found


def sizes(d: Object) -> dict[str, str]:
    """What a ReplicaSet notes about the Deployment's size, so that a change of it is seen in a rollout's middle."""
    size = rolling.wanted(d)
    return {rolling.DESIRED: str(size), rolling.MAXIMUM: str(size + rolling.max_surge(d))}


def to_clean_up(d: Object, old: Sequence[Object]) -> list[Object]:
    """The oldest empty ReplicaSets beyond ``revisionHistoryLimit``."""
    limit = d["spec"].get("revisionHistoryLimit")
    if limit is None:
        return []
    candidates = sorted((rs for rs in old if not pods.is_deleting(rs)), key=revision)
    return [rs for rs in candidates[: max(0, len(candidates) - limit)] if _is_empty(rs)]


def _is_empty(rs: Object) -> bool:
    status = rs.get("status") or {}
    seen = status.get("observedGeneration", 0) >= rs["metadata"].get("generation", 0)
    return seen and not status.get("replicas") and rolling.wanted(rs) == 0


def _remember(history: str, number: int) -> str:
    numbers = [*filter(None, history.split(",")), str(number)]
    while len(",".join(numbers)) > _HISTORY_LENGTH:
        numbers.pop(0)
    return ",".join(numbers)
