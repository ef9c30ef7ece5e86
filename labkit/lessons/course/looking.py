"""What the checks of several lessons ask of the cluster's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import get_path, name_of

if TYPE_CHECKING:
    from labkit.k8s.objects import Object


def named(objects: list[Object], name: str) -> Object | None:
    """The object of that name, if it is among them."""
    return next((obj for obj in objects if name_of(obj) == name), None)


def shown(labels: dict[str, str]) -> str:
    """Labels as people read them."""
    kept = {key: value for key, value in labels.items() if key != "pod-template-hash"}
    return ", ".join(f"{key}: {value}" for key, value in sorted(kept.items())) or "none"


def message_of(pod: Object) -> str:
    """What a Pod of the lab's application is told to say."""
    env = get_path(pod, "spec", "containers", 0, "env", default=[])
    return str(next((each.get("value", "") for each in env if each["name"] == "MESSAGE"), ""))


def is_ready(pod: Object) -> bool:
    """Whether the Pod's condition Ready is True."""
    conditions = get_path(pod, "status", "conditions", default=[])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def told(answer: dict[str, Any]) -> str:
    """An answer, or why there is none, in a few words."""
    return str(answer.get("error") or answer.get("message") or "nothing").strip()


def automatic(application: dict[str, Any]) -> bool:
    """Whether an Application syncs by itself; an empty ``automated`` says so, too."""
    policy = get_path(application, "spec", "syncPolicy", "automated")
    return isinstance(policy, dict) and policy.get("enabled", True) is not False
