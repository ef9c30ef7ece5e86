"""LimitRanges: defaults and bounds for the containers of a namespace.

Source: Kubernetes' plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver import problems

if TYPE_CHECKING:
    from labkit.sandbox.store import Store

JSON = dict[str, Any]


def apply(store: Store, pod: JSON) -> None:
    """Fill in what the namespace's LimitRanges say, and refuse what they forbid."""
    namespace = pod["metadata"].get("namespace", "")
    ranges = [entry.decode() for _, entry in store.list("limitranges", namespace)]
    if not ranges:
        return
    spec = pod["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    items = [
        item for one in ranges for item in one["spec"].get("limits") or () if item.get("type") == "Container"
    ]
    found: list[str] = []
    for item in items:
        for container in containers:
            _default(container, item)
            found += _broken(container, item)
    if found:
        text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
        raise problems.pod_denied(pod["metadata"].get("name", ""), text)


def _default(container: JSON, item: JSON) -> None:
    resources = container.setdefault("resources", {})
    for key, values in (("limits", item.get("default")), ("requests", item.get("defaultRequest"))):
        for name, value in (values or {}).items():
            resources.setdefault(key, {}).setdefault(name, value)


def _broken(container: JSON, item: JSON) -> list[str]:
    resources, found = container.get("resources") or {}, []
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, least in (item.get("min") or {}).items():
        asked = requests.get(name)
        if asked is None:
            found.append(f"minimum {name} usage per Container is {least}.  No request is specified")
        elif parse(asked) < parse(least):
            found.append(f"minimum {name} usage per Container is {least}, but request is {asked}")
    for name, most in (item.get("max") or {}).items():
        asked = limits.get(name)
        if asked is None:
            found.append(f"maximum {name} usage per Container is {most}.  No limit is specified")
        elif parse(asked) > parse(most):
            found.append(f"maximum {name} usage per Container is {most}, but limit is {asked}")
    return found
