"""Who reaches whom: Ingress → Service → Pods, read from rules and selectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.views.flow import Arrow, Box, flow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labkit.views.view import View

JSON = dict[str, Any]
SHOWN = 12
"""Pods of one Service that are drawn one by one; of more, how many there are is said."""


def network(objects: Iterable[JSON]) -> View:
    """The picture of these Ingresses, Services and Pods (``kind`` says which is which)."""
    found: dict[str, list[JSON]] = {"Ingress": [], "Service": [], "Pod": []}
    for obj in objects:
        found.get(obj["kind"], []).append(obj)
    services, arrows, pods = found["Service"], list[Arrow](), dict[str, Box]()
    for service in services:
        chosen = [pod for pod in found["Pod"] if _selects(service, pod)]
        for box in _boxes(service, chosen):
            pods[box.key] = box
            arrows.append(Arrow(_key(service), box.key, _ports(service)))
    alone = [pod for pod in found["Pod"] if not any(_selects(service, pod) for service in services)]
    for box in (_pod(pod) for pod in alone[:SHOWN]):
        pods[box.key] = box
    for ingress in found["Ingress"]:
        arrows += _routes(ingress, services)
    columns = [
        [_ingress(obj) for obj in found["Ingress"]],
        [_service(obj, found["Pod"]) for obj in services],
        list(pods.values()),
    ]
    return flow("Who reaches whom: Ingress, Service, Pods", columns, arrows)


def _boxes(service: JSON, pods: list[JSON]) -> Iterator[Box]:
    if len(pods) <= SHOWN:
        yield from (_pod(pod) for pod in pods)
        return
    ready = sum(_ready(pod) for pod in pods)
    tone = "good" if ready == len(pods) else "warn"
    yield Box(f"pods of {_key(service)}", f"{len(pods)} Pods", (f"{ready} of {len(pods)} ready",), tone)


def _routes(ingress: JSON, services: list[JSON]) -> Iterator[Arrow]:
    known = {_key(service) for service in services}
    space = _meta(ingress).get("namespace") or ""
    seen = set()
    for path, backend in _backends(ingress):
        target = f"Service {space}/{(backend.get('service') or {}).get('name')}"
        if target in known and (path, target) not in seen:
            seen.add((path, target))
            yield Arrow(_key(ingress), target, path)


def _backends(ingress: JSON) -> Iterator[tuple[str, JSON]]:
    spec = ingress.get("spec") or {}
    if spec.get("defaultBackend"):
        yield "default", spec["defaultBackend"]
    for rule in spec.get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            yield str(path.get("path") or "/"), path.get("backend") or {}


def _ingress(obj: JSON) -> Box:
    hosts = [rule.get("host") or "*" for rule in (obj.get("spec") or {}).get("rules") or []]
    return Box(_key(obj), f"Ingress {_meta(obj).get('name')}", tuple(dict.fromkeys(hosts)))


def _service(obj: JSON, pods: list[JSON]) -> Box:
    spec = obj.get("spec") or {}
    selector = ", ".join(f"{k}={v}" for k, v in (spec.get("selector") or {}).items())
    chosen = [pod for pod in pods if _selects(obj, pod)]
    ready = sum(_ready(pod) for pod in chosen)
    state = f"{ready} of {len(chosen)} Pods ready" if chosen else "selects no Pod"
    lines = (f"{spec.get('type') or 'ClusterIP'} {_ports(obj)}", selector or "no selector", state)
    return Box(
        _key(obj), f"Service {_meta(obj).get('name')}", lines, "good" if ready else "bad" if selector else ""
    )


def _pod(obj: JSON) -> Box:
    status = obj.get("status") or {}
    ready = _ready(obj)
    lines = (
        f"{status.get('podIP') or 'no address'}",
        "ready" if ready else f"not ready: {status.get('phase') or '?'}",
    )
    return Box(_key(obj), f"Pod {_meta(obj).get('name')}", lines, "good" if ready else "warn")


def _ports(service: JSON) -> str:
    ports = (service.get("spec") or {}).get("ports") or []
    return ", ".join(f"{port.get('port')}→{port.get('targetPort', port.get('port'))}" for port in ports)


def _ready(pod: JSON) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _selects(service: JSON, pod: JSON) -> bool:
    selector = (service.get("spec") or {}).get("selector") or {}
    labels = _meta(pod).get("labels") or {}
    same = _meta(service).get("namespace") == _meta(pod).get("namespace")
    return bool(selector) and same and all(labels.get(name) == value for name, value in selector.items())


def _key(obj: JSON) -> str:
    return f"{obj['kind']} {_meta(obj).get('namespace') or ''}/{_meta(obj).get('name')}"


def _meta(obj: JSON) -> JSON:
    found: JSON = obj.get("metadata") or {}
    return found
