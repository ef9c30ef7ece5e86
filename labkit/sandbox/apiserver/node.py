"""What the API server asks of the nodes: a pod's log, what it uses, and a request to one of its ports.

The kubelet implements this.  Nothing here runs anything on the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from labkit.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

JSON = dict[str, Any]
Pairs = list[tuple[str, str]]


class Usage(NamedTuple):
    """What is used just now: billionths of a processor, on average, and KiB of memory."""

    nanocores: int
    kibibytes: int


class NodeApi(Protocol):
    """The kubelets of all simulated nodes, as one."""

    def logs(
        self,
        pod: JSON,
        container: str,
        *,
        follow: bool,
        tail_lines: int | None,
        since_seconds: int | None,
        since_time: datetime | None,
        timestamps: bool,
        previous: bool,
        limit_bytes: int | None,
    ) -> str | AsyncIterator[str]:
        """A container's log; when following, as it grows.  Raises `BadRequest` for one that has not started."""
        ...

    async def http(
        self, pod: JSON, port: int, method: str, path: str, headers: Pairs, body: bytes
    ) -> tuple[int, Pairs, bytes]:
        """A request to a pod's port: status, headers, body.  Raises `ConnectionRefusedError` if nothing listens."""
        ...

    def pod_usage(self, pod: JSON) -> dict[str, Usage]:
        """What each container uses; none that has not run long enough."""
        ...

    def node_usage(self, node: JSON) -> Usage | None:
        """What a node uses; ``None`` for one that nobody plays."""
        ...


class NotSimulated(ApiError):
    """501: something that only a real node can do."""

    code, reason = 501, "NotImplemented"
