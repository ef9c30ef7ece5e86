"""What only a pod's node can answer: its log, and requests to its ports, directly or through a Service."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from labkit.errors import ApiError, BadRequest
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver.handlers import Call, Streaming, flag
from labkit.sandbox.apiserver.node import NodeApi, NotSimulated
from labkit.sandbox.apiserver.wire import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]

_NOT_PASSED_ON: Final = (
    "authorization",
    "connection",
    "host",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
)
_TARGET: Final = re.compile(r"(?:(https?):)?([^:]*)(?::([^:]*))?:?")


class ServiceUnavailable(ApiError):
    """503: nobody is there to answer."""

    code, reason = 503, "ServiceUnavailable"


def _time(text: str) -> datetime:
    """RFC 3339, with its zone.  Raises `BadRequest`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadRequest(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse it')
    return found


class Nodes:
    """Asks the kubelet."""

    def __init__(self, api: Api) -> None:
        self._api = api

    # ── logs ──────────────────────────────────────────────────────────────────

    async def log(self, call: Call) -> Response | Streaming:
        """``pods/NAME/log``."""
        route = call.route
        since_time = _time(call.one("sinceTime")) if call.one("sinceTime") else None
        pod = self._api.verbs.get(route.resource, route.namespace, route.name)
        container = self._container(pod, call.one("container"))
        if not pod["spec"].get("nodeName"):
            return Response(b"", content_type="text/plain")
        found = self._node().logs(
            {"kind": "Pod", "apiVersion": "v1", **pod},
            container,
            follow=flag(call.query, "follow"),
            tail_lines=_number(call, "tailLines"),
            since_seconds=_number(call, "sinceSeconds"),
            since_time=since_time,
            timestamps=flag(call.query, "timestamps"),
            previous=flag(call.query, "previous"),
            limit_bytes=_number(call, "limitBytes"),
        )
        if isinstance(found, str):
            return Response(found.encode(), content_type="text/plain")
        return _streaming(found)

    def _container(self, pod: JSON, asked: str) -> str:
        spec, name = pod["spec"], pod["metadata"]["name"]
        names = [one["name"] for one in spec["containers"]]
        others = [
            one["name"] for key in ("initContainers", "ephemeralContainers") for one in spec.get(key) or ()
        ]
        if not asked:
            if len(names) == 1:
                return str(names[0])
            text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
            if spec.get("initContainers"):
                inits = " ".join(one["name"] for one in spec["initContainers"])
                text += f" or one of the init containers: [{inits}]"
            raise BadRequest(text)
        if asked not in names + others:
            raise BadRequest(f"container {asked} is not valid for pod {name}")
        return asked

    # ── proxies ───────────────────────────────────────────────────────────────

    async def proxy(self, call: Call) -> Response:
        """``pods/NAME[:PORT]/proxy/…`` and ``services/NAME[:PORT]/proxy/…``."""
        route = call.route
        if route.resource.plural == "nodes":
            raise NotSimulated("a node's own port is not simulated")
        match = _TARGET.fullmatch(route.name)
        if match is None:
            raise BadRequest(f'invalid {route.resource.singular} request "{route.name}"')
        name, port = match[2], match[3] or ""
        if route.resource.plural == "services":
            pod, number = self._behind_service(route.namespace, name, port)
        else:
            pod = self._api.verbs.get(route.resource, route.namespace, name)
            number = _pod_port(pod, port)
        return await self._ask(call, pod, number)

    async def _ask(self, call: Call, pod: JSON, port: int) -> Response:
        path = "/" + call.route.rest
        if call.path.endswith("/") and not path.endswith("/"):
            path += "/"
        if call.query:
            path += "?" + urlencode(call.query, doseq=True)
        headers = [(k, v) for k, values in call.headers.items() for v in values if k not in _NOT_PASSED_ON]
        try:
            status, pairs, body = await self._node().http(
                {"kind": "Pod", "apiVersion": "v1", **pod}, port, call.method, path, headers, call.body
            )
        except ConnectionRefusedError as error:
            address = (pod.get("status") or {}).get("podIP", "")
            text = f"error trying to reach service: dial tcp {address}:{port}: connect: connection refused"
            raise ServiceUnavailable(text) from error
        content_type = next((value for key, value in pairs if key.lower() == "content-type"), "text/plain")
        rest = [(k, v) for k, v in pairs if k.lower() not in ("content-type", "content-length", "connection")]
        return Response(body, status, content_type, headers=rest)

    def _behind_service(self, namespace: str, name: str, port: str) -> tuple[JSON, int]:
        """A ready pod that the Service selects, and its port."""
        resource = self._api.resource("v1", "Service")
        spec = self._api.verbs.get(resource, namespace, name)["spec"]
        ports = spec.get("ports") or []
        found = next((p for p in ports if port in ("", p.get("name"), str(p["port"]))), None)
        if found is None or (port == "" and len(ports) != 1 and not any(not p.get("name") for p in ports)):
            raise ServiceUnavailable(f'no service port "{port}" found for service "{name}"')
        selector = LabelSelector.from_labels(spec.get("selector"))
        pods = [
            entry.decode()
            for _, entry in self._api.store.list("pods", namespace)
            if selector.matches(entry.labels)
        ]
        ready = [pod for pod in pods if _is_ready(pod)]
        if not ready:
            raise ServiceUnavailable(f'no endpoints available for service "{name}"')
        pod = ready[self._api.store.revision % len(ready)] if len(ready) > 1 else ready[0]
        return pod, _pod_port(pod, str(found.get("targetPort") or found["port"]))

    def _node(self) -> NodeApi:
        if self._api.node is None:
            raise ServiceUnavailable(
                "the sandbox's node is not there (yet): it runs without controllers, or just started"
            )
        return self._api.node


def _pod_port(pod: JSON, port: str) -> int:
    if port.isdigit():
        return int(port)
    for container in pod["spec"]["containers"]:
        for one in container.get("ports") or ():
            if port in ("", one.get("name")):
                return int(one["containerPort"])
    if port:
        raise BadRequest(f'no port named "{port}" in pod "{pod["metadata"]["name"]}"')
    return 80


def _is_ready(pod: JSON) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    deleted = pod["metadata"].get("deletionTimestamp")
    return not deleted and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _number(call: Call, name: str) -> int | None:
    text = call.one(name)
    if not text:
        return None
    if not text.isdigit():
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _streaming(parts: AsyncIterator[str]) -> Streaming:
    closed = False

    async def encoded() -> AsyncIterator[bytes]:
        async for part in parts:
            if closed:
                return
            yield part.encode()

    def close() -> None:
        nonlocal closed
        closed = True

    return Streaming(encoded(), close, "text/plain")
