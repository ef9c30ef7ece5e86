"""The controllers: each makes one kind of promise in the API come true, and each can be read in a sitting.

All are written alike. ``reconcile(key)`` is told *which* object to look at, never what happened; it looks at what is
wanted and at what is there, does the next step, and writes down what it saw. Begin with `replica_set`, then read
`deployment`; `endpoints`, `garbage` and `scheduler` stand on their own.

They use the API as anybody could, through `labkit.runtime.client.ObjectClient`; what they hold in their hands comes
from `plane`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from labkit.runtime.clock import Clock
    from labkit.sandbox.client import LocalClient
    from labkit.sandbox.controllers.running import Controllers


def start(client: LocalClient, clock: Clock, loop: asyncio.AbstractEventLoop) -> Controllers:
    """Begin to work, a little at a time, on the loop. `Controllers.stop` ends it."""
    from labkit.sandbox.controllers.running import Controllers

    return Controllers(client, clock, loop)
