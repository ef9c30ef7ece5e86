"""A view of one kind that is kept fresh: what controllers read, so that they need not ask the server each time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from labkit.errors import Gone, LabError
from labkit.k8s.objects import Object, labels_of, metadata, name_of, namespace_of, owner_references, uid_of

if TYPE_CHECKING:
    from labkit.k8s.selectors import LabelSelector
    from labkit.runtime.client import ObjectClient
    from labkit.runtime.clock import Clock

log = logging.getLogger(__name__)

Handler = Callable[[str, Object, Object | None], None]
"""Called with ADDED, MODIFIED or DELETED, the object, and what it was before (``None`` when new)."""

WATCH_SECONDS = 300.0
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Informer:
    """The objects of one kind as last seen, with their changes.

    It is fed from outside: by `Feed` over HTTP, or, in the sandbox's own process, by the store. Objects are
    shared: readers do not change them. Thread-safe.
    """

    def __init__(
        self, api_version: str, kind: str, *, mark: Callable[[Object], str] = lambda _obj: ""
    ) -> None:
        """``mark`` gives the text by which `marked` finds an object; objects without one are not found so."""
        self.api_version, self.kind = api_version, kind
        self._mark = mark
        self._marked: dict[str, set[tuple[str, str]]] = {}
        self._objects: dict[tuple[str, str], Object] = {}
        self._owned: dict[str, set[tuple[str, str]]] = {}
        self._handlers: list[Handler] = []
        self._seen = 0
        self._lock = threading.RLock()
        self._synced = threading.Event()

    @property
    def synced(self) -> bool:
        """Whether it has seen the whole collection once."""
        return self._synced.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is synced; says whether it is."""
        return self._synced.wait(seconds)

    def get(self, namespace: str, name: str) -> Object | None:
        """One object as last seen; ``namespace`` is empty for cluster-scoped kinds."""
        return self._objects.get((namespace, name))

    def list(self, namespace: str | None = None, selector: LabelSelector | None = None) -> Sequence[Object]:
        """The objects of a namespace, or of all, that a selector means."""
        with self._lock:
            found = list(self._objects.values())
        return [
            obj
            for obj in found
            if (namespace is None or namespace_of(obj) == namespace)
            and (selector is None or selector.matches(labels_of(obj)))
        ]

    def owned_by(self, uid: str) -> Sequence[Object]:
        """The objects that have an owner reference to that uid."""
        with self._lock:
            return [self._objects[key] for key in sorted(self._owned.get(uid, ()))]

    def marked(self, mark: str) -> Sequence[Object]:
        """The objects whose mark this is."""
        with self._lock:
            return [self._objects[key] for key in sorted(self._marked.get(mark, ()))]

    def on_change(self, handler: Handler) -> None:
        """Call ``handler`` for everything that is there already, and for each change from now on."""
        with self._lock:
            self._handlers.append(handler)
            for obj in list(self._objects.values()):
                handler("ADDED", obj, None)

    def replace(self, objects: Iterable[Object], version: str = "") -> None:
        """Take a whole listing, read at ``version``: what changed since, or is gone, is told as if watched."""
        with self._lock:
            self._reach(version)
            fresh = {(namespace_of(obj), name_of(obj)): obj for obj in objects}
            for key, obj in list(self._objects.items()):
                if key not in fresh or uid_of(fresh[key]) != uid_of(obj):
                    self.observe("DELETED", obj)
            for key, obj in fresh.items():
                old = self._objects.get(key)
                if old is None or _version(old) != _version(obj):
                    self.observe("MODIFIED" if old else "ADDED", obj)
            self._synced.set()

    def observe(self, event: str, obj: Object) -> None:
        """Take one change, in the order in which the server tells them."""
        with self._lock:
            self._reach(_version(obj))
            self._take(event, obj)

    def answered(self, event: str, obj: Object) -> None:
        """Take the answer to a write of one's own, which may come before the watch tells of it, or after.

        After it, an object that is not here was deleted since: the answer is old and does not bring it back.
        """
        with self._lock:
            version = _version(obj)
            passed = version.isdigit() and int(version) <= self._seen
            if not (passed and (namespace_of(obj), name_of(obj)) not in self._objects):
                self._take(event, obj)

    def _reach(self, version: str) -> None:
        if version.isdigit():
            self._seen = max(self._seen, int(version))

    def _take(self, event: str, obj: Object) -> None:
        key = (namespace_of(obj), name_of(obj))
        with self._lock:
            old = self._objects.get(key)
            if old is not None and _older(obj, old):
                return  # somebody observed the answer to his own write before the watch came to it
            if old is not None:
                self._index(key, old, add=False)
            if event == "DELETED":
                self._objects.pop(key, None)
            else:
                self._objects[key] = obj
                self._index(key, obj, add=True)
                event = "MODIFIED" if old is not None else "ADDED"
            handlers = list(self._handlers)
            for handler in handlers:
                handler(event, obj, old)

    def _index(self, key: tuple[str, str], obj: Object, *, add: bool) -> None:
        for owner in owner_references(obj):
            _enter(self._owned, owner["uid"], key, add=add)
        if mark := self._mark(obj):
            _enter(self._marked, mark, key, add=add)


def _enter(index: dict[str, set[tuple[str, str]]], word: str, key: tuple[str, str], *, add: bool) -> None:
    keys = index.setdefault(word, set())
    keys.add(key) if add else keys.discard(key)
    if not keys:
        del index[word]


class Feed:
    """Keeps an informer fresh over an `ObjectClient`: list, watch from there, begin again when that breaks.

    One thread. It does not give up: while the server is away the informer keeps what it knew.
    """

    def __init__(
        self,
        informer: Informer,
        client: ObjectClient,
        clock: Clock,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        on_state: Callable[[], object] = lambda: None,
    ) -> None:
        """``on_state`` is called when the server goes away and when it is back."""
        self.informer = informer
        self.problem: LabError | None = None
        self._on_state = on_state
        self._tried = threading.Event()
        self._client, self._clock = client, clock
        self._namespace, self._selector = namespace, label_selector
        self._stop = threading.Event()
        self._watch: object = None
        self._thread = threading.Thread(target=self._run, name=f"feed-{informer.kind}", daemon=True)

    def start(self) -> None:
        """Begin; `Informer.wait` tells when the first listing is there."""
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether the first listing is there, or arrives in time; not waited for once the server said no."""
        self._tried.wait(seconds)
        return self.informer.wait(0)

    def stop(self) -> None:
        """End the watch and wait for the thread."""
        self._stop.set()
        close = getattr(self._watch, "close", None)
        if close:
            close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                version = self._list()
                failures = 0
                self._note(None)
                while not self._stop.is_set():
                    version = self._follow(version)
            except Gone:
                continue  # the server has forgotten that version: list again
            except LabError as error:
                self._note(error)
                log.debug("%s %s: %s", self.informer.api_version, self.informer.kind, error)
                self._clock.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)], self._stop)
                failures += 1

    def _note(self, problem: LabError | None) -> None:
        changed = (problem is None) != (self.problem is None)
        self.problem = problem
        self._tried.set()
        if changed:
            self._on_state()

    def _list(self) -> str:
        kind = self.informer
        found = self._client.list(kind.api_version, kind.kind, self._namespace, label_selector=self._selector)
        kind.replace(found.items, found.resource_version)
        return found.resource_version

    def _follow(self, version: str) -> str:
        events = self._client.watch(
            self.informer.api_version,
            self.informer.kind,
            self._namespace,
            resource_version=version,
            label_selector=self._selector,
            timeout=WATCH_SECONDS,
        )
        self._watch = events
        for event in events:
            if self._stop.is_set():
                break
            version = _version(event.object) or version
            if event.type != "BOOKMARK":
                self.informer.observe(event.type, event.object)
        return version


def _older(obj: Object, known: Object) -> bool:
    """Whether an object was read before the known one. Resource versions grow (Kubernetes 1.35 promises it)."""
    versions = _version(obj), _version(known)
    return all(version.isdigit() for version in versions) and int(versions[0]) < int(versions[1])


def _version(obj: Object) -> str:
    return str(metadata(obj).get("resourceVersion") or "")
