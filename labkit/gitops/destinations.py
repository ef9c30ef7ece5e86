"""From an Application's destination to the cluster that it means."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError
from labkit.gitops.api.names import IN_CLUSTER_SERVER
from labkit.gitops.live import LiveCluster, Server

if TYPE_CHECKING:
    from labkit.gitops.api.application import Destination
    from labkit.gitops.credentials import Secrets
    from labkit.runtime.clock import Clock

Connect = Callable[[dict[str, Any]], Server]
"""Makes a connection from a cluster Secret's fields: ``name``, ``server``, ``config``."""


class Destinations:
    """The clusters that applications deploy to, each connected once and watched while it is known."""

    def __init__(
        self,
        home: Server,
        secrets: Secrets,
        clock: Clock,
        connect: Connect,
        changed: Callable[..., None],
        on_state: Callable[[], None] = lambda: None,
    ) -> None:
        self._secrets, self._clock, self._connect, self._changed = secrets, clock, connect, changed
        self._on_state = on_state
        self._home = self._watched(home)
        self._others: dict[tuple[str, str], LiveCluster] = {}
        self._lock = threading.Lock()

    def find(self, destination: Destination) -> LiveCluster:
        """The cluster of a destination; `ApplicationError` where no Secret names it."""
        fields = self.check(destination)
        if fields is None:
            return self._home
        key = (fields["server"], fields["version"])
        with self._lock:
            if key not in self._others:
                for old in [k for k in self._others if k[0] == key[0]]:
                    self._others.pop(old).stop()
                self._others[key] = self._watched(self._connect(fields), remote=True)
            return self._others[key]

    def check(self, destination: Destination) -> dict[str, Any] | None:
        """What its Secret says of a destination's cluster, None for the lab's own; `ApplicationError` as `find`."""
        if destination.in_cluster:
            return None
        fields = self._secrets.cluster(server=destination.server, name=destination.name)
        if fields is None:
            raise ApplicationError(
                f"there is no cluster {destination.name or destination.server!r}",
                where="spec.destination",
                fix=f"`labkit cluster list` shows them; {IN_CLUSTER_SERVER} is the lab's own.",
            )
        return fields

    def stop(self) -> None:
        """End all watches."""
        for live in [self._home, *self._others.values()]:
            live.stop()

    def _watched(self, server: Server, *, remote: bool = False) -> LiveCluster:
        live = LiveCluster(server, self._clock, remote=remote)
        live.on_state(self._on_state)
        live.on_change(lambda obj: self._changed(live, obj))
        return live
