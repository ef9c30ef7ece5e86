"""LimitRanges: defaults and bounds for the containers, pods and claims of a namespace.

Source: Kubernetes' plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.errors import Forbidden
from labkit.k8s.quantities import parse
from labkit.k8s.quota import pod_total, text
from labkit.sandbox.apiserver import problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labkit.sandbox.store import Store

JSON = dict[str, Any]

_ANNOTATION: Final = "kubernetes.io/limit-ranger"


def apply(store: Store, pod: JSON) -> None:
    """Fill in what the namespace's LimitRanges say, and refuse what they forbid.  Raises `Forbidden`."""
    items = list(_items(store, pod["metadata"].get("namespace", "")))
    containers = list(_containers(pod["spec"]))
    said: list[str] = []
    for item in items:
        if item.get("type") == "Container":
            for what, container in containers:
                said += _default(container, item, what)
    if said:
        notes = pod["metadata"].setdefault("annotations", {})
        notes[_ANNOTATION] = "LimitRanger plugin set: " + "; ".join(sorted(said))
    found: list[str] = []
    for item in items:
        if item.get("type") == "Container":
            for _, container in containers:
                resources = container.get("resources") or {}
                found += _broken(
                    item, "Container", resources.get("requests") or {}, resources.get("limits") or {}
                )
        elif item.get("type") == "Pod":
            found += _broken(item, "Pod", *(_total(pod["spec"], item, k) for k in ("requests", "limits")))
    if found:
        raise problems.pod_denied(pod["metadata"].get("name", ""), _joined(found))


def check_claim(store: Store, claim: JSON) -> None:
    """Refuse a claim that asks for more or less storage than its namespace allows.  Raises `Forbidden`."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    found: list[str] = []
    for item in _items(store, claim["metadata"].get("namespace", "")):
        if item.get("type") == "PersistentVolumeClaim":
            found += _broken(item, "PersistentVolumeClaim", requests, requests, measured="request")
    if found:
        name = claim["metadata"].get("name", "")
        details = {"name": name, "kind": "persistentvolumeclaims"}
        text = f'persistentvolumeclaims "{name}" is forbidden: {_joined(found)}'
        raise Forbidden(text, details=details)


def _items(store: Store, namespace: str) -> Iterator[JSON]:
    for _, entry in store.list("limitranges", namespace):
        yield from entry.decode()["spec"].get("limits") or ()


def _containers(spec: JSON) -> Iterator[tuple[str, JSON]]:
    for container in spec.get("containers") or ():
        yield "container", container
    for container in spec.get("initContainers") or ():
        yield "init container", container


def _default(container: JSON, item: JSON, what: str) -> Iterable[str]:
    """Fill in a container's requests and limits; what was filled in, in the plugin's words."""
    resources = container.setdefault("resources", {})
    for key, values in (("limits", item.get("default")), ("requests", item.get("defaultRequest"))):
        missing = sorted(set(values or {}) - set(resources.get(key) or {}))
        for name in missing:
            resources.setdefault(key, {})[name] = (values or {})[name]
        if missing:
            yield f"{', '.join(missing)} {key.removesuffix('s')} for {what} {container['name']}"


def _total(spec: JSON, item: JSON, kind: str) -> JSON:
    """A pod's sum of what the item bounds, as quantities."""
    bounds = {
        **(item.get("min") or {}),
        **(item.get("max") or {}),
        **(item.get("maxLimitRequestRatio") or {}),
    }
    return {name: text(amount, str(bounds.get(name, ""))) for name, amount in pod_total(spec, kind).items()}


def _broken(item: JSON, kind: str, requests: JSON, limits: JSON, *, measured: str = "limit") -> list[str]:
    """What is wrong, in the plugin's words; ``measured`` is what the maximum is about."""
    found = []
    for name, least in (item.get("min") or {}).items():
        intro = f"minimum {name} usage per {kind} is {least}"
        asked, limit = requests.get(name), limits.get(name)
        if asked is None:
            found.append(f"{intro}.  No request is specified")
        elif parse(asked) < parse(least):
            found.append(f"{intro}, but request is {asked}")
        elif limit is not None and parse(limit) < parse(least):
            found.append(f"{intro}, but limit is {limit}")
    for name, most in (item.get("max") or {}).items():
        intro = f"maximum {name} usage per {kind} is {most}"
        asked, limit = requests.get(name), limits.get(name)
        if limit is None:
            found.append(f"{intro}.  No {measured} is specified")
        elif parse(limit) > parse(most):
            found.append(f"{intro}, but {measured} is {limit}")
        elif asked is not None and parse(asked) > parse(most):
            found.append(f"{intro}, but request is {asked}")
    for name, most in (item.get("maxLimitRequestRatio") or {}).items():
        found += _ratio(name, str(most), kind, requests.get(name), limits.get(name))
    return found


def _ratio(name: str, most: str, kind: str, asked: str | None, limit: str | None) -> Iterator[str]:
    intro = f"{name} max limit to request ratio per {kind} is {most}, but "
    if not asked or parse(asked) == 0:
        yield f"{intro}no request is specified or request is 0"
    elif not limit or parse(limit) == 0:
        yield f"{intro}no limit is specified or limit is 0"
    elif parse(limit) / parse(asked) > parse(most):
        yield f"{intro}provided ratio is {float(parse(limit) / parse(asked)):f}"


def _joined(found: list[str]) -> str:
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"
