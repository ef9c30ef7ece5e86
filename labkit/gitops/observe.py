"""One look at an application: Git at some revision beside what is live. The pass's reading half; it writes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.errors import NoSuchKind
from labkit.gitops import orphans, tracking
from labkit.gitops.applying import apply
from labkit.gitops.desired import Targets, targets
from labkit.gitops.diff import Comparison, compare
from labkit.gitops.diff.compare import SYNCED
from labkit.gitops.orphans import Orphans
from labkit.gitops.trace import Trace
from labkit.k8s.objects import Object, ObjectKey, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from labkit.gitops.api.application import Application, Source
    from labkit.gitops.destinations import Destinations
    from labkit.gitops.live import LiveCluster
    from labkit.gitops.projects import Projects
    from labkit.gitops.sources import Manifests, Sources
    from labkit.runtime.clock import Clock


@dataclass(frozen=True)
class Sight:
    """What one look saw."""

    live: LiveCluster
    manifests: Manifests
    comparison: Comparison
    shared: tuple[str, ...] = ()
    """Which of the objects carry another application's mark, in words."""
    orphans: Orphans = field(default_factory=Orphans)
    """What lies in its namespace and belongs to nobody, where its project asks for that."""


@dataclass
class Remembered:
    """What is kept of an application between passes; losing it costs time and nothing else."""

    manifests: Manifests | None = None
    targets: Targets = field(default_factory=dict)
    predictions: dict[ObjectKey, tuple[str, Object]] = field(default_factory=dict)
    looks_for_orphans: tuple[LiveCluster, str] | None = None
    """In which cluster and namespace it does; None if it does not."""


class Observer:
    """Looks at applications. Thread-safe as long as no two threads look at the same one."""

    def __init__(
        self,
        sources: Sources,
        destinations: Destinations,
        projects: Projects,
        clock: Clock,
        *,
        exists: Callable[[str], bool] = lambda _name: True,
    ) -> None:
        """``exists`` says whether there is an application of a name: what carries another's mark is nobody's."""
        self._clock, self._exists = clock, exists
        self.sources, self.destinations, self.projects = sources, destinations, projects
        self._remembered: dict[str, Remembered] = {}

    def look(
        self,
        app: Application,
        sources: Sequence[Source],
        revisions: Sequence[str],
        *,
        fresh: bool = False,
        trace: Trace | None = None,
    ) -> Sight:
        """Render the sources at these commits and compare them with what is live. Raises `LabError`.

        ``trace`` is told what each of the two saw.
        """
        trace = trace or Trace(self._clock)
        live = self.destinations.find(app.destination)
        memory = self._remembered.setdefault(app.name, Remembered())
        with trace.stage("rendered", ", ".join(map(_place, sources))) as stage:
            manifests = self.rendered(app, sources, revisions, fresh=fresh)
            stage.idle = memory.manifests is not None and memory.manifests.items is manifests.items
            stage.says = _rendered(manifests)
        wanted = memory.targets  # another thread may look at another commit meanwhile
        if not stage.idle or fresh:
            wanted = targets(app, manifests, live)
            memory.manifests, memory.targets = manifests, wanted
        with trace.stage("compared", f"live objects, namespace {app.destination.namespace}") as stage:
            found = self._live(app, wanted, live)
            rules = app.spec.get("ignoreDifferences") or []
            predict = _Predictor(live, memory, app.sync_policy.options)
            permits = self.projects.permits(app, live)
            comparison = compare(wanted, found, predict, rules, permits)
            shared = tuple(_shared(app.instance_name, comparison))
            sight = Sight(live, manifests, comparison, shared, self._orphans(app, live, wanted, memory))
            stage.says = _compared(sight.comparison)
        return sight

    def wants(self, app: str, key: ObjectKey) -> bool:
        """Whether the application wanted an object of that key when it was last looked at."""
        memory = self._remembered.get(app)
        return memory is not None and key in memory.targets

    def looking_for_orphans(self, live: LiveCluster, namespace: str) -> set[str]:
        """The applications that look for orphans there."""
        return {n for n, m in list(self._remembered.items()) if m.looks_for_orphans == (live, namespace)}

    def _orphans(self, app: Application, live: LiveCluster, wanted: Targets, memory: Remembered) -> Orphans:
        project, namespace = self.projects.of(app), app.destination.namespace
        looks = isinstance(project.spec.get("orphanedResources"), dict) and bool(namespace)
        memory.looks_for_orphans = (live, namespace) if looks else None
        return orphans.find(project, live, namespace, wanted.keys(), self._exists) if looks else Orphans()

    def names(self) -> list[str]:
        """The applications that were looked at."""
        return list(self._remembered)

    def rendered(
        self, app: Application, sources: Sequence[Source], revisions: Sequence[str], *, fresh: bool = False
    ) -> Manifests:
        """What the sources want at these revisions, for the cluster that it goes to. Raises `LabError`."""
        live = self.destinations.find(app.destination)
        return self.sources.manifests(
            app,
            sources,
            revisions,
            kube_version=live.kube_version,
            api_versions=live.api_versions(),
            fresh=fresh,
        )

    def forget(self, app: str) -> None:
        """The application is gone."""
        self._remembered.pop(app, None)

    def known_objects(self, app: Application) -> tuple[LiveCluster, list[Object]]:
        """The cluster, and what carries the application's mark there, of every kind that its status tells of."""
        live = self.destinations.find(app.destination)
        last = (app.status.get("operationState") or {}).get("syncResult") or {}  # there are the hooks
        for entry in [*(app.status.get("resources") or []), *(last.get("resources") or [])]:
            group, version = entry.get("group", ""), entry.get("version", "")
            _watch(live, f"{group}/{version}" if group else version, entry.get("kind", ""))
        return live, list(live.of_application(app.instance_name))

    def _live(self, app: Application, wanted: Targets, live: LiveCluster) -> dict[ObjectKey, Object]:
        found: dict[ObjectKey, Object] = {}
        for key, (target, _) in wanted.items():
            if _watch(live, target.get("apiVersion", ""), key.kind):
                obj = live.get(target.get("apiVersion", ""), key.kind, key.namespace, key.name)
                if obj is not None:
                    found[key] = obj
        for obj in self.known_objects(app)[1]:
            if not metadata(obj).get("deletionTimestamp") or ObjectKey.of(obj) in wanted:
                found.setdefault(ObjectKey.of(obj), obj)
        return found


def _place(source: Source) -> str:
    return source.chart or source.path or "."


def _rendered(manifests: Manifests) -> str:
    files = {item.origin.rpartition(":")[0] for item in manifests}
    return f"{_many(len(manifests.items), 'object')} from {_many(len(files), 'file')}"


def _compared(comparison: Comparison) -> str:
    found = [item for item in comparison.resources if item.counts]
    differing = [f"{item.key.kind} {item.key.name}" for item in found if item.status != SYNCED]
    if not differing:
        return f"{_many(len(found), 'object')}: live is what Git says"
    more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
    return f"{len(differing)} of {len(found)} differ: {', '.join(differing[:3])}{more}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


class _Predictor:
    """Asks the server what a target would make of a live object; the same question is asked once."""

    def __init__(self, live: LiveCluster, memory: Remembered, options: tuple[str, ...]) -> None:
        self._live, self._memory, self._options = live, memory, options

    def __call__(self, target: Object, live: Object) -> Object:
        key = ObjectKey.of(target)
        state = [metadata(live).get("uid"), metadata(live).get("resourceVersion")]
        asked = json.dumps([target, *state, self._options], sort_keys=True)
        asked = hashlib.sha256(asked.encode()).hexdigest()
        known = self._memory.predictions.get(key)
        if known is not None and known[0] == asked:
            return known[1]
        predicted = apply(self._live.server, target, self._options, dry_run=True)
        self._memory.predictions[key] = (asked, predicted)
        return predicted


def _watch(live: LiveCluster, api_version: str, kind: str) -> bool:
    """Watch a kind; false where the cluster has none (its CRD may come with the same sync)."""
    try:
        live.watch(api_version, kind)
    except NoSuchKind:
        return False
    return True


def _shared(application: str, comparison: Comparison) -> Iterator[str]:
    for item in comparison.resources:
        other = tracking.owner(item.live) if item.live is not None else ""
        if item.target is not None and other and other != application:
            yield f"{item.key.kind}/{item.key.name} is part of applications {application} and {other}"
