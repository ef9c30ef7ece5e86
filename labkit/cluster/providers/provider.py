"""What every kind of cluster can be asked for. One provider a kind; each keeps to these few words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from labkit.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.cluster.client import Cluster
    from labkit.cluster.confirmation import Confirm


class ClusterState(NamedTuple):
    """One cluster as its provider sees it. ``state`` is ``running``, ``stopped`` or ``unknown``."""

    name: str
    provider: str
    state: str
    server: str = ""
    pid: int | None = None


class Provider(Protocol):
    """A kind of cluster. Raises `ClusterError` where something fails, `ProviderUnavailable` where a tool is missing."""

    name: str

    def create(self, name: str) -> ClusterState:
        """Make the cluster and start it; returns when its API answers."""

    def delete(self, name: str) -> None:
        """End the cluster and remove all of it. Nothing happens if there is none."""

    def start(self, name: str) -> ClusterState:
        """Start a cluster that exists; returns when its API answers. Nothing happens if it runs."""

    def stop(self, name: str) -> None:
        """Stop it; what is in it stays. Nothing happens if it does not run."""

    def list(self) -> list[ClusterState]:
        """The clusters of this kind that belong to the lab."""

    def status(self, name: str) -> ClusterState:
        """One cluster. Raises `ClusterError` if there is none."""

    def kubeconfig(self, name: str) -> Path:
        """The file whose current context is the cluster."""

    def connect(self, name: str, *, confirm: Confirm | None = None) -> Cluster:
        """The cluster, to talk to."""


_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


def checked_name(name: str) -> str:
    """A name that can be a folder, a kubeconfig context and a container's name. Raises `ClusterError`."""
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"a cluster cannot be called {name!r}",
            where="name",
            fix="Use lower-case letters, digits and '-', at most 40, and begin and end with a letter or a digit.",
        )
    if name == "in-cluster":
        raise ClusterError(
            "in-cluster is Argo CD's name for the cluster that the controller runs in",
            where="name",
            fix="Use another name: an Application's destination.name could not tell the two apart.",
        )
    return name
