"""The kubelet: what happens on a node, simulated by image.

For each pod on a node of ours it lets containers be pulled, created, started, probed, restarted and stopped, as
`labkit.sandbox.images` says that they behave, and writes the pod's status and the Events that a real node would.
Nothing is executed. How long things take is data (`latency`), and is measured on the clock that is handed in.

Nodes of ours carry an annotation (`node.SIMULATED`). All others are somebody else's, and are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from labkit.runtime.clock import Clock
    from labkit.sandbox.client import LocalClient
    from labkit.sandbox.kubelet.kubelet import Kubelet


def start(
    client: LocalClient,
    clock: Clock,
    loop: asyncio.AbstractEventLoop,
    *,
    nodes: tuple[str, ...] = ("node-1",),
) -> Kubelet:
    """Make the nodes that are missing and begin to run pods on the loop. `Kubelet.stop` ends it."""
    from labkit.sandbox.kubelet.kubelet import Kubelet

    return Kubelet(client, clock, loop, nodes)
