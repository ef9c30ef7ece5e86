"""What runs in a cluster: a container's logs, and an application asked through the API server's proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from labkit.cluster.discovery import segment
from labkit.cluster.lines import Lines
from labkit.errors import ClusterError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labkit.cluster.transport import Transport


class ProxyResponse(NamedTuple):
    """What an application answered, whatever its status: 404 from the application is an answer too."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        """The answer read as JSON; `ClusterError` where it is none."""
        try:
            return orjson.loads(self.text)
        except ValueError as error:
            raise ClusterError(
                f"the application did not answer JSON: {self.text[:80]!r}", fix="Look at its .text instead."
            ) from error


def proxy(
    transport: Transport,
    namespace: str,
    service: str,
    path: str,
    *,
    port: int | str | None,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> ProxyResponse:
    """Ask a Service through the API server. ``port`` is a number or a name; None: the Service's first.

    Raises `ApiError` when the API server itself answers: there is no such Service, or nothing ready behind it.
    """
    services = f"/api/v1/namespaces/{segment(namespace, 'namespace')}/services"
    name = segment(service, "name")
    chosen = _first_port(transport, f"{services}/{name}", namespace) if port is None else str(port)
    content_type = next((v for k, v in headers.items() if k.lower() == "content-type"), "text/plain")
    answer = transport.send(
        method,
        f"{services}/{name}:{chosen}/proxy/{path.removeprefix('/')}",
        body=body,
        content_type=content_type,
        accept="*/*",
        extra=[(k, v) for k, v in headers.items() if k.lower() != "content-type"],
        raises=False,
    )
    if answer.status >= 400 and _is_status(answer.data):
        raise transport.error(answer.status, answer.data)
    return ProxyResponse(answer.status, dict(answer.headers), answer.data.decode("utf-8", "replace"))


def read_logs(
    transport: Transport, namespace: str, pod: str, query: dict[str, str | int | bool | None]
) -> str:
    """A container's log as it is now."""
    answer = transport.send("GET", _log_path(namespace, pod), query=query, accept="*/*")
    return answer.data.decode("utf-8", "replace")


def follow_logs(
    transport: Transport, namespace: str, pod: str, query: dict[str, str | int | bool | None]
) -> Iterator[str]:
    """A container's log, line by line as it is written, until the container ends. Close it to end it earlier."""
    answer = transport.stream(_log_path(namespace, pod), query=query | {"follow": True}, accept="*/*")
    lines = Lines(transport, answer)
    try:
        for line in lines:
            yield line.decode("utf-8", "replace")
    finally:
        lines.close()


def _log_path(namespace: str, pod: str) -> str:
    return f"/api/v1/namespaces/{segment(namespace, 'namespace')}/pods/{segment(pod, 'name')}/log"


def _first_port(transport: Transport, path: str, namespace: str) -> str:
    ports = transport.json("GET", path).get("spec", {}).get("ports") or []
    if not ports:
        raise NotFound(
            f"service {path.rpartition('/')[2]!r} has no port",
            where=f"namespace {namespace}",
            fix="Give the Service a port: spec.ports.",
        )
    return str(ports[0].get("name") or ports[0]["port"])


def _is_status(data: bytes) -> bool:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and found.get("kind") == "Status" and found.get("apiVersion") == "v1"
