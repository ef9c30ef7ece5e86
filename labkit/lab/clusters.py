"""``lab.clusters``: the lab's own clusters, and what the lab may use beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.cluster import Cluster, ClusterState, Provider, merge_entries, provider, remove_entries
from labkit.cluster.providers import SandboxProvider
from labkit.errors import ClusterError
from labkit.settings import Settings, user_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME_NAME = "lab"


@dataclass(frozen=True)
class ClusterEntry:
    """One of the lab's clusters: ``provider`` is sandbox, kind or context; ``state`` running or stopped."""

    name: str
    provider: str
    state: str
    server: str
    kubeconfig: Path

    def connect(self) -> Cluster:
        """The cluster itself, to get, list, apply, watch …"""
        return Cluster.from_kubeconfig(self.kubeconfig, own=self.provider != "context")

    def to_json(self) -> dict[str, str]:
        """As plain data."""
        found = {"name": self.name, "provider": self.provider, "state": self.state, "server": self.server}
        return found | {"kubeconfig": str(self.kubeconfig)}

    def __repr__(self) -> str:
        return f"{self.name} ({self.provider}, {self.state})"


class Clusters:
    """The clusters of a lab folder: those that the lab made, and the context that it was told to use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def create(self, name: str, *, provider: str = "sandbox") -> ClusterEntry:
        """Make a cluster, or start the one that is there; returns when its API answers."""
        if provider not in ("sandbox", "kind"):
            raise ClusterError(
                f"the lab cannot make a cluster of kind {provider!r}",
                where="--provider",
                fix="Use sandbox or kind. To use a cluster of your own: labkit up --cluster context:NAME",
            )
        chosen = provider_of(provider, self._settings)
        taken = next((c for c in self if c.name == name and c.provider != provider), None)
        if taken is not None:
            raise ClusterError(
                f"there is a {taken.provider} cluster {name!r} already",
                where=name,
                fix="Choose another name.",
            )
        exists = any(state.name == name for state in chosen.list())
        state = chosen.start(name) if exists else chosen.create(name)
        merge_entries(self._settings.kubeconfig, name, chosen.kubeconfig(name), current=None)
        return self._entry(state)

    def delete(self, name: str) -> None:
        """Delete a cluster that the lab made, with everything in it."""
        found = self[name]
        home = _home(self._settings)
        if name == home:
            raise ClusterError(
                f"{name!r} is the cluster that holds the lab's applications",
                where=name,
                fix="Delete the lab folder instead (labkit down first), or choose another: labkit up --cluster",
            )
        if found.provider == "context":
            raise ClusterError("the lab did not make it", where=name, fix="Use the tool that made it.")
        (self._settings.clusters / name / "deleting").touch()  # else the service would start it again
        provider_of(found.provider, self._settings).delete(name)
        remove_entries(self._settings.kubeconfig, name)

    def snapshots(self, name: str) -> list[dict[str, Any]]:
        """A sandbox's snapshots, oldest first: ``name``, ``created``, ``bytes``."""
        return self._sandbox(name).snapshots(name)

    def snapshot(self, name: str, snapshot: str) -> dict[str, Any]:
        """Save a running sandbox's state; an older snapshot of that name is replaced."""
        return self._sandbox(name).snapshot(name, snapshot)

    def restore(self, name: str, snapshot: str) -> dict[str, Any]:
        """Make a running sandbox's state what it was; ``changed`` says how many objects that changed."""
        return self._sandbox(name).restore(name, snapshot)

    def forget(self, name: str, snapshot: str) -> dict[str, Any]:
        """Delete a snapshot."""
        return self._sandbox(name).forget(name, snapshot)

    def _sandbox(self, name: str) -> SandboxProvider:
        found = self[name]
        if found.provider != "sandbox":
            raise ClusterError(
                f"cluster {name} is of kind {found.provider}: its state cannot be saved and restored",
                where=name,
                fix="Snapshots are a sandbox's. labkit cluster create NAME makes one.",
            )
        return SandboxProvider(self._settings.clusters)

    def __getitem__(self, name: str) -> ClusterEntry:
        for entry in self:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self) or "none yet"
        raise ClusterError(
            f"the lab has no cluster {name!r}",
            where=name,
            fix=f"There are: {known}. labkit cluster create {name}",
        )

    def __iter__(self) -> Iterator[ClusterEntry]:
        states = [s for kind in ("sandbox", "kind") for s in provider_of(kind, self._settings).list()]
        choice = self._settings.remembered().get("cluster", "")
        if choice.startswith("context:"):
            states.append(provider_of("context", self._settings).status(choice.removeprefix("context:")))
        return iter([self._entry(state) for state in states])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"Clusters({', '.join(map(repr, self))})"

    def _entry(self, state: ClusterState) -> ClusterEntry:
        kubeconfig = provider_of(state.provider, self._settings).kubeconfig(state.name)
        return ClusterEntry(state.name, state.provider, state.state, state.server, kubeconfig)


def kubeconfig_of(settings: Settings, name: str) -> Path:
    """The kubeconfig of one cluster of the lab."""
    return Clusters(settings)[name].kubeconfig


def _home(settings: Settings) -> str:
    choice = str(settings.remembered().get("cluster") or "sandbox")
    return choice.partition(":")[2] or HOME_NAME


def provider_of(kind: str, settings: Settings) -> Provider:
    """The provider of that kind, for the clusters of this lab folder."""
    return provider(kind, settings.clusters, kubeconfigs=[user_kubeconfig()])
