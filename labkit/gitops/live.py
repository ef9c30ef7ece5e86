"""What is live: the objects of one cluster that applications have to do with, kept fresh by watches.

Only kinds that somebody asked about are watched: those that a source wants, and those that controllers make of
them. Whose an object is stands on it (its tracking id) or on what owns it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from labkit.errors import ClusterUnreachable
from labkit.gitops import tracking
from labkit.k8s.objects import Object, ObjectKey, metadata, name_of, namespace_of, owner_references, uid_of
from labkit.runtime.client import ObjectClient
from labkit.runtime.informer import Feed, Informer

if TYPE_CHECKING:
    from labkit.runtime.clock import Clock

CHILDREN = {
    ("apps", "Deployment"): (("apps/v1", "ReplicaSet"), ("v1", "Pod")),
    ("apps", "ReplicaSet"): (("v1", "Pod"),),
    ("apps", "StatefulSet"): (("v1", "Pod"), ("v1", "PersistentVolumeClaim")),
    ("apps", "DaemonSet"): (("v1", "Pod"),),
    ("batch", "Job"): (("v1", "Pod"),),
    ("batch", "CronJob"): (("batch/v1", "Job"), ("v1", "Pod")),
    ("", "ReplicationController"): (("v1", "Pod"),),
    ("", "Service"): (("discovery.k8s.io/v1", "EndpointSlice"),),
}
"""The kinds that controllers make of a kind: watched as soon as it is."""

SYNC_SECONDS = 20.0
KINDS_SECONDS = 10.0
"""For so long what a cluster said of its kinds is taken to hold; a chart may ask ``.Capabilities`` for them."""
AWAY_SECONDS = 10.0
"""For so long a cluster that did not answer is taken to be away still."""


class Server(ObjectClient, Protocol):
    """A cluster, as the engine needs it: the verbs on objects, and what kinds there are."""

    def resource(self, api_version: str, kind: str) -> Any:
        """The kind's resource, with ``namespaced``; `NoSuchKind` where the server has none."""
        ...

    def resources(self, *, refresh: bool = False) -> list[Any]:
        """Every kind that it has, each with ``api_version`` and ``kind``; ``refresh`` asks it anew."""
        ...

    def version(self) -> str:
        """The server's version, such as ``v1.36.0``."""
        ...


Answer = TypeVar("Answer")
Changed = Callable[[Object], None]


class LiveCluster:
    """One cluster's live objects. Thread-safe; objects are shared and not to be changed."""

    def __init__(self, server: Server, clock: Clock, *, remote: bool = False) -> None:
        """``remote``: it is not the cluster that the Applications are in."""
        self.server = server
        self._remote = remote
        self._clock = clock
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._handlers: list[Changed] = []
        self._watchers: list[Callable[[], object]] = []
        self._away: tuple[ClusterUnreachable | None, float] = (None, 0.0)
        self._lock = threading.RLock()
        self._kinds: tuple[tuple[str, ...], float] = ((), float("-inf"))

    @cached_property
    def kube_version(self) -> str:
        """The server's version, asked once: charts may depend on it."""
        return self._ask(self.server.version)

    def api_versions(self) -> tuple[str, ...]:
        """What the cluster serves, as Helm's ``.Capabilities.APIVersions`` has it: ``apps/v1``, ``apps/v1/Deployment``.

        As Argo CD, which hands these to `helm template`: so a chart sees the kinds that a CRD brought.
        """
        known, asked = self._kinds
        if self._clock.monotonic() - asked < KINDS_SECONDS:
            return known
        at = self._clock.monotonic()
        kinds = self._ask(lambda: self.server.resources(refresh=True))
        versions = {each.api_version for each in kinds}
        found = tuple(sorted(versions | {f"{each.api_version}/{each.kind}" for each in kinds}))
        self._kinds = (found if found != known else known, at)
        return self._kinds[0]

    def on_change(self, handler: Changed) -> None:
        """Call ``handler`` with each object that changed, came or went."""
        self._handlers.append(handler)

    def on_state(self, handler: Callable[[], object]) -> None:
        """Call ``handler`` when the cluster goes away, and when it is back."""
        self._watchers.append(handler)

    def watch(self, api_version: str, kind: str) -> Informer:
        """The informer of a kind, synced. `NoSuchKind` or `ClusterUnreachable` where that cannot be had.

        A cluster that is away is told at once, and not waited for: others want to be looked at, too.
        """
        with self._lock:
            feed = self._feeds.get((api_version, kind))
            if feed is None:
                self._ask(lambda: self.server.resource(api_version, kind))
                feed = Feed(
                    Informer(api_version, kind, mark=tracking.owner),
                    self.server,
                    self._clock,
                    on_state=self._state_changed,
                )
                self._feeds[api_version, kind] = feed
                feed.informer.on_change(self._changed)
                feed.start()
        synced, away = feed.wait(SYNC_SECONDS), isinstance(feed.problem, ClusterUnreachable)
        if not synced or (away and self._remote):  # of one that is away, what was seen last says nothing
            raise feed.problem or ClusterUnreachable(
                f"the cluster's {kind} objects could not be listed in time"
            )
        for child_version, child in CHILDREN.get((ObjectKey.of({"apiVersion": api_version}).group, kind), ()):
            self.watch(child_version, child)
        return feed.informer

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """What the server answers; one that did not answer a moment ago is not waited for again."""
        known, at = self._away
        if known is not None and self._clock.monotonic() - at < AWAY_SECONDS:
            raise known
        try:
            answer = question()
        except ClusterUnreachable as error:
            self._away = (error, self._clock.monotonic())
            raise
        self._away = (None, 0.0)
        return answer

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        """A live object, or ``None``."""
        return self.watch(api_version, kind).get(namespace, name)

    def of_application(self, application: str) -> Iterator[Object]:
        """The live objects that carry this application's tracking id, of the kinds watched so far."""
        seen: set[str] = set()
        for informer in self._informers():
            for obj in informer.marked(application):
                if uid_of(obj) not in seen:
                    seen.add(uid_of(obj))
                    yield obj

    def children(self, obj: Object) -> list[Object]:
        """What is owned by an object, each once."""
        found = {uid_of(o): o for informer in self._informers() for o in informer.owned_by(uid_of(obj))}
        return sorted(found.values(), key=lambda o: (o.get("kind", ""), name_of(o)))

    def application_of(self, obj: Object, depth: int = 8) -> str:
        """The application that an object, or what owns it, belongs to; empty for none."""
        found = tracking.owner(obj)
        if found or not depth:
            return found
        for reference in owner_references(obj):
            parent = self._known(reference, namespace_of(obj))
            if parent is not None and (found := self.application_of(parent, depth - 1)):
                return found
        return ""

    def observe(self, obj: Object) -> None:
        """Take what a write answered, without waiting for the watch to say it."""
        feed = self._feeds.get((obj.get("apiVersion", ""), obj.get("kind", "")))
        if feed is not None:
            feed.informer.answered("MODIFIED", obj)

    def forget(self, obj: Object) -> None:
        """An object is gone: a delete answered so. Of a namesake that came since this says nothing."""
        feed = self._feeds.get((obj.get("apiVersion", ""), obj.get("kind", "")))
        known = feed.informer.get(namespace_of(obj), name_of(obj)) if feed is not None else None
        if feed is not None and known is not None and uid_of(known) == uid_of(obj):
            feed.informer.answered("DELETED", obj)

    def stop(self) -> None:
        """End all watches."""
        with self._lock:
            feeds = list(self._feeds.values())
            self._feeds.clear()
        for feed in feeds:
            feed.stop()

    def _informers(self) -> list[Informer]:
        with self._lock:
            return [feed.informer for feed in self._feeds.values()]

    def _known(self, reference: dict[str, Any], namespace: str) -> Object | None:
        feed = self._feeds.get((reference.get("apiVersion", ""), reference.get("kind", "")))
        if feed is None:
            return None
        name = reference.get("name", "")
        found = feed.informer.get(namespace, name) or feed.informer.get("", name)
        return found if found is not None and uid_of(found) == reference.get("uid") else None

    def _state_changed(self) -> None:
        for handler in self._watchers:
            handler()

    def _changed(self, _event: str, obj: Object, old: Object | None) -> None:
        if old is not None and metadata(old).get("resourceVersion") == metadata(obj).get("resourceVersion"):
            return  # our own write, told once more by the watch
        for handler in self._handlers:
            handler(obj)
