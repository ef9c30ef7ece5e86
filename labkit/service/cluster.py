"""The lab's clusters while the service runs: the one that holds the Applications, and those beside it.

A sandbox that died (somebody killed it, the machine ran out of memory) is started again: what it had
acknowledged is on disk. A cluster that is not the lab's own is only connected to, never started or stopped.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from labkit.cluster import Cluster, Provider, merge_entries, provider
from labkit.cluster.providers import SandboxProvider
from labkit.errors import ClusterError, ConfirmationRequired, LabError
from labkit.service.registry import Registry
from labkit.settings import user_kubeconfig

if TYPE_CHECKING:
    from labkit.settings import FileLock, Settings

log = logging.getLogger("labkit.service.cluster")
HOME_NAME = "lab"
LOOK_SECONDS = 1.0
DELETING = "deleting"  # a file of this name says so: `labkit cluster delete` is another process


class HomeCluster:
    """The cluster that holds the lab's Applications (for Argo CD: ``in-cluster``)."""

    def __init__(self, settings: Settings, choice: str = "", *, agreed: bool = False) -> None:
        """``choice``: ``sandbox``, ``kind``, ``context:NAME``, or empty for that of last time.

        ``agreed``: the person agrees to the use of a cluster that is not the lab's. It is remembered, for the
        server that the context names now.
        """
        self._settings = settings
        self.choice = choice or settings.remembered().get("cluster") or "sandbox"
        kind, _, context = self.choice.partition(":")
        if kind not in ("sandbox", "kind", "context") or (kind == "context") != bool(context):
            raise ClusterError(
                f"there is no cluster {self.choice!r}",
                where="--cluster",
                fix="Use sandbox (needs nothing), kind (needs Docker), or context:NAME of your kubeconfig.",
            )
        self.name = context or HOME_NAME
        self.own = kind != "context"
        files = [] if self.own else [user_kubeconfig()]
        self._provider: Provider = provider(kind, settings.clusters, kubeconfigs=files)
        self._sandboxes = provider("sandbox", settings.clusters)
        self._starting: threading.Thread | None = None
        self._problem: BaseException | None = None
        self._stopping = threading.Event()
        self._watching: threading.Thread | None = None
        self._client: Cluster | None = None
        self._agreed = agreed
        self._owned: FileLock | None = None

    def start(self) -> None:
        """Begin to start the cluster; `ready` waits for it."""
        if not self.own:
            self._require_agreement()
        self._starting = threading.Thread(target=self._start, name="cluster-start")  # its end is waited for
        self._starting.start()

    def ready(self) -> Cluster:
        """The running cluster, with ``.lab/kubeconfig`` naming it. Raises what kept it from starting."""
        if self._starting is not None:
            self._starting.join()
        if self._problem is not None:
            raise self._problem
        merge_entries(
            self._settings.kubeconfig,
            self.name,
            self._provider.kubeconfig(self.name),
            context=None if self.own else self.name,
            current=True,
        )
        self._settings.remember(cluster=self.choice)
        # The agreement is kept in lab.json, and `start` has looked for it.
        self._client = Cluster.from_kubeconfig(
            self._settings.kubeconfig, own=self.own, confirm=lambda _: True
        )
        return self._client

    def watch(self) -> None:
        """From now on, start a sandbox of this lab again that has ended."""
        self._watching = threading.Thread(target=self._watch, name="cluster-watch", daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """Stop the lab's clusters; what is in them stays."""
        self._stopping.set()
        for thread in (self._starting, self._watching):
            if thread is not None and thread.ident is not None:  # Ctrl-C may come before it has begun
                thread.join(timeout=30)
        if self._client is not None:
            self._client.close()
        for state in self._sandboxes.list():
            self._sandboxes.stop(state.name)
        if self._owned is not None:
            self._owned.release()
        if self._provider.name == "kind":
            self._provider.stop(self.name)

    def _start(self) -> None:
        new_kind = self._provider.name == "kind" and not (self._settings.clusters / self.name).exists()
        make = self._provider.create if new_kind or self._provider.name == "sandbox" else self._provider.start
        try:
            if not self._stopping.is_set():
                if isinstance(self._provider, SandboxProvider):
                    self._owned = self._provider.own(self.name)  # kill -9 of this process leaves no other
                make(self.name)
            if self._stopping.is_set() and self.own:
                self._provider.stop(self.name)  # told to end meanwhile
        except BaseException as error:  # handed to the thread that waits
            self._problem = error

    def _watch(self) -> None:
        registry = Registry(self._client, self._sandboxes, home_name=self.name) if self._client else None
        while not self._stopping.wait(LOOK_SECONDS):
            if registry:
                registry.keep_up()
            for state in self._sandboxes.list():
                if state.state == "running" or self._stopping.is_set() or self._being_deleted(state.name):
                    continue
                log.warning("the sandbox %s has ended; starting it again", state.name)
                try:
                    self._sandboxes.start(state.name)
                    self._publish(state.name)
                except LabError as error:
                    log.warning("the sandbox %s does not start: %s", state.name, error)
                    self._stopping.wait(10 * LOOK_SECONDS)

    def _being_deleted(self, name: str) -> bool:
        return (self._settings.clusters / name / DELETING).exists()

    def _publish(self, name: str) -> None:
        """Its address may have changed with the restart."""
        source = self._sandboxes.kubeconfig(name)
        merge_entries(self._settings.kubeconfig, name, source, current=name == self.name)

    def _require_agreement(self) -> None:
        state = next((s for s in self._provider.list() if s.name == self.name), None)
        if state is None:
            known = ", ".join(s.name for s in self._provider.list()) or "none"
            raise ClusterError(
                f"your kubeconfig has no context {self.name!r}",
                where=str(user_kubeconfig()),
                fix=f"It has: {known}. Or let the lab have its own: labkit up --cluster sandbox",
            )
        known, this = self._settings.remembered().get("agreed", []), f"{self.name} {state.server}"
        if self._agreed:
            self._settings.remember(agreed=sorted({*known, this}))
        elif this not in known:
            raise ConfirmationRequired(
                f"{self.name} ({state.server}) is not the lab's own cluster. The lab would install Argo CD's "
                f"resource definitions there, in namespace argocd, and deploy into it.",
                where=f"context {self.name}",
                fix="Check that it is the cluster that you mean, then: labkit up --yes --cluster context:NAME",
            )
