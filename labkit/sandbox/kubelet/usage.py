"""What containers and nodes use: what a kubelet tells a metrics server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labkit.k8s import quantities
from labkit.k8s.objects import get_path
from labkit.sandbox.apiserver.node import Usage
from labkit.sandbox.images.meter import WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from labkit.sandbox.kubelet.container import Container

SYSTEM: Final = Usage(80_000_000, 400 * 1024)
"""What a node needs beside its pods."""


def of_container(container: Container, now: datetime) -> Usage | None:
    """What a container uses; ``None`` while it has not run long enough for an average."""
    if container.program is None or container.started_at is None:
        return None
    if (now - container.started_at).total_seconds() < WINDOW_SECONDS:
        return None
    used = container.program.usage()
    nanocores = used.millicores * 1_000_000
    limit = get_path(container.spec, "resources", "limits", "cpu")
    if limit is not None:  # it would use more, and is throttled
        nanocores = min(nanocores, int(quantities.parse(limit) * 1_000_000_000))
    return Usage(nanocores, used.mebibytes * 1024)


def of_node(containers: Iterable[Container], capacity: str, now: datetime) -> Usage:
    """What all containers of a node use together, and the system beside them; never more than there is."""
    found = [used for one in containers if (used := of_container(one, now)) is not None]
    nanocores = SYSTEM.nanocores + sum(used.nanocores for used in found)
    most = int(quantities.parse(capacity) * 1_000_000_000)
    return Usage(min(nanocores, most), SYSTEM.kibibytes + sum(used.kibibytes for used in found))
