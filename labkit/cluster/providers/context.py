"""Any context of the user's own kubeconfig. The lab neither makes nor ends such a cluster, and asks before a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from labkit.cluster.client import Cluster
from labkit.cluster.kubeconfig import Kubeconfig
from labkit.cluster.providers.provider import ClusterState
from labkit.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labkit.cluster.confirmation import Confirm


class ContextProvider:
    """The contexts of ``kubeconfigs``, several read as one (kubectl's ``KUBECONFIG`` list)."""

    name = "context"

    def __init__(self, kubeconfigs: Sequence[Path]) -> None:
        self._files = tuple(kubeconfigs)

    def create(self, name: str) -> ClusterState:
        """Refused: such a cluster is somebody's, not the lab's."""
        self._refuse("make", name)

    def delete(self, name: str) -> None:
        """Refused: such a cluster is somebody's, not the lab's."""
        self._refuse("delete", name)

    def start(self, name: str) -> ClusterState:
        """Nothing to start: asks whether it answers. Raises `ClusterUnreachable` if it does not."""
        with self.connect(name) as cluster:
            cluster.version()
            return ClusterState(name, self.name, "running", cluster.server)

    def stop(self, name: str) -> None:
        """Refused: such a cluster is somebody's, not the lab's."""
        self._refuse("stop", name)

    def list(self) -> list[ClusterState]:
        """The contexts; whether each answers is not asked (``unknown``). One that is damaged has no server."""
        loaded = Kubeconfig.load(*self._files)
        return [ClusterState(name, self.name, "unknown", _server(loaded, name)) for name in loaded.contexts]

    def status(self, name: str) -> ClusterState:
        """Whether the cluster answers."""
        with self.connect(name) as cluster:
            try:
                cluster.version()
            except ClusterError:
                return ClusterState(name, self.name, "unknown", cluster.server)
            return ClusterState(name, self.name, "running", cluster.server)

    def kubeconfig(self, name: str) -> Path:
        """The first of the files that has the context."""
        return Kubeconfig.load(*self._files).entries(name)[0].file

    def connect(self, name: str, *, confirm: Confirm | None = None) -> Cluster:
        """The cluster; before the first write ``confirm`` is asked."""
        return Cluster.from_kubeconfig(self._files, name, confirm=confirm)

    def _refuse(self, verb: str, name: str) -> NoReturn:
        raise ClusterError(
            f"the lab does not {verb} a cluster that it did not make",
            where=f"context {name}",
            fix=f"Use the tool that made it; or let the lab have its own: labkit cluster create {name}",
        )


def _server(loaded: Kubeconfig, name: str) -> str:
    try:
        return loaded.access(name).server
    except ClusterError:
        return ""
