"""The controller: what it watches, and how it comes from a change to the applications that it concerns."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.errors import LabError
from labkit.gitops import deletion, health, operations, tree
from labkit.gitops.api.application import Application, Destination, Source
from labkit.gitops.api.names import API_VERSION, NAMESPACE, REFRESH, SETTINGS
from labkit.gitops.applicationsets import Inputs, PullRequests
from labkit.gitops.applicationsets.controller import ApplicationSets
from labkit.gitops.credentials import Secrets
from labkit.gitops.destinations import Connect, Destinations
from labkit.gitops.diff import Ignored, differences, masked, secrets
from labkit.gitops.observe import Observer, Sight
from labkit.gitops.preview import preview
from labkit.gitops.projects import Projects
from labkit.gitops.rbac import Access
from labkit.gitops.reconcile import Reconciler
from labkit.gitops.refresh import Polling
from labkit.gitops.running import planned
from labkit.gitops.sync.operation import TERMINATING, WAVE_SECONDS
from labkit.gitops.trace import Traces
from labkit.gitops.webhooks import Push
from labkit.k8s.objects import Object, ObjectKey, annotations_of, metadata, name_of
from labkit.runtime.controller import Controller as Loop
from labkit.runtime.controller import Result
from labkit.runtime.election import Election
from labkit.runtime.informer import Feed, Informer
from labkit.runtime.recorder import EventRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.gitops.live import LiveCluster, Server
    from labkit.gitops.sources import Sources
    from labkit.runtime.clock import Clock

log = logging.getLogger(__name__)

JSON = dict[str, Any]
LEASE = "gitops-lab-controller"
COALESCE = 0.05
"""Seconds in which changes of live objects are gathered into one pass: a rollout makes dozens."""


class Seen(NamedTuple):
    """The objects of namespace ``argocd`` as the controller sees them, by kind."""

    applications: Informer
    projects: Informer
    secrets: Informer
    config_maps: Informer


class Controller:
    """Keeps the applications of one cluster as Git says.

    ``home`` holds the Application objects; ``make_sources`` is given a function from URL to credential;
    ``connect`` opens other clusters. Poll times are in seconds. `start` returns when it has seen every Application.
    """

    def __init__(
        self,
        home: Server,
        *,
        make_sources: Callable[[Secrets], Sources],
        connect: Connect,
        clock: Clock,
        poll_seconds: float = 120.0,
        jitter_seconds: float = 60.0,
        wave_seconds: float = WAVE_SECONDS,
        workers: int = 4,
        identity: str = "",
        pull_requests: PullRequests | None = None,
    ) -> None:
        """With an ``identity`` a Lease is held while it acts: of several controllers of a cluster one does."""
        self._home, self._workers, self._clock = home, workers, clock
        self._applications = Feed(Informer(API_VERSION, "Application"), home, clock, namespace=NAMESPACE)
        secrets = Feed(Informer("v1", "Secret"), home, clock, namespace=NAMESPACE)
        projects = Feed(Informer(API_VERSION, "AppProject"), home, clock, namespace=NAMESPACE)
        self._settings = Feed(Informer("v1", "ConfigMap"), home, clock, namespace=NAMESPACE)
        self._feeds = [self._applications, projects, secrets, self._settings]
        self.seen = Seen(*(feed.informer for feed in self._feeds))
        self.access = Access(
            lambda name: self._settings.informer.get(NAMESPACE, name),
            lambda name: projects.informer.get(NAMESPACE, name),
        )
        known = Secrets(secrets.informer)
        self._destinations = Destinations(home, known, clock, connect, self._live_changed, self._all_again)
        self._traces = Traces(clock, self._tell)
        self._listeners: list[Callable[[str], None]] = []
        self._observer = Observer(
            make_sources(known),
            self._destinations,
            Projects(projects.informer, known),
            clock,
            exists=lambda name: self._applications.informer.get(NAMESPACE, name) is not None,
        )
        self._reconciler = Reconciler(
            home,
            self._applications.informer,
            self._observer,
            clock,
            polling=Polling(poll_seconds, jitter_seconds),
            recorder=EventRecorder(home, "argocd-application-controller", clock),
            wave_seconds=wave_seconds,
            traces=self._traces,
        )
        self._loop: Loop[str] = Loop("gitops", self._reconcile, clock)
        self._election = identity and Election(
            home, clock, namespace=NAMESPACE, name=LEASE, identity=identity, on_change=self._all_again
        )
        self.sets = ApplicationSets(
            home,
            self._applications.informer,
            Inputs(known.clusters, self._observer.sources.checkout, pull_requests),
            clock,
            check=self.check,
            acting=lambda: not self._election or self._election.leading,
            recorder=EventRecorder(home, "argocd-applicationset-controller", clock),
        )
        secrets.informer.on_change(lambda *_: self.sets.look_again(("clusters",)))

    def start(self) -> None:
        """Begin to watch and to reconcile; `LabError` if the cluster cannot be read."""
        for feed in reversed(self._feeds):  # secrets first: the first pass needs credentials
            feed.start()
            if not feed.informer.wait(30):
                raise feed.problem or LabError(
                    f"the cluster's {feed.informer.kind} objects could not be listed"
                )
        self._configure(self._settings.informer.get(NAMESPACE, SETTINGS))
        self._settings.informer.on_change(self._settings_changed)
        self._applications.informer.on_change(self._application_changed)
        self._feeds[1].informer.on_change(self._project_changed)
        if self._election:
            self._election.start()
        self._loop.start(self._workers)
        self.sets.start()

    def stop(self) -> None:
        """End everything; a pass that is at work is waited for."""
        self.sets.stop()
        self._loop.stop()
        if self._election:
            self._election.stop()
        for feed in self._feeds:
            feed.stop()
        self._destinations.stop()

    # -- what others ask

    def webhook(self, payload: JSON) -> list[str]:
        """A push happened (GitHub's, GitLab's or Gitea's payload): refresh the applications that it concerns.

        Raises `BadRequest` for what is no push.
        """
        push = Push.read(payload)
        self.sets.look_again(("git", "pullRequest"))
        names = []
        for obj in self._applications.informer.list(NAMESPACE):
            try:
                if not push.concerns(Application.from_object(obj)):
                    continue
            except LabError:
                continue  # an invalid spec follows nothing
            names.append(name_of(obj))
            self._ask(name_of(obj))
        return names

    def _ask(self, name: str) -> None:
        """Have an application compared with Git.

        It is written down, so that another controller would see it, too. But what is written may be removed by a
        pass that asked Git a moment before this push, or not be taken at all; and a push is not told twice.
        """
        asked = {"metadata": {"annotations": {REFRESH: "normal"}}}
        self._reconciler.ask(name)
        try:
            noted = self._home.patch(API_VERSION, "Application", name, NAMESPACE, patch=asked)
        except LabError as error:
            log.warning(
                "%s: the refresh could not be noted, and is done all the same: %s", name, error.problem
            )
        else:  # a pass that did not know of it would write over it, be refused, and begin again
            self._applications.informer.answered("MODIFIED", noted)
        self._loop.enqueue(name)

    def preview(self, payload: JSON, before: str, after: str) -> list[JSON]:
        """What going from one commit to another would make of each application that follows the branch.

        ``payload`` names repository and branch as a push does (GitHub's); see `labkit.gitops.preview`.
        """
        push = Push.read(payload)

        def follows(source: Source) -> bool:
            return push.is_of(source.repo_url)

        found = []
        for obj in sorted(self._applications.informer.list(NAMESPACE), key=name_of):
            try:
                app = Application.from_object(obj)
                if push.concerns(app):
                    found.append(preview(app, self._observer, follows, before, after))
            except LabError as error:
                log.info("no preview of %s: %s", name_of(obj), error.problem)
        return found

    def check(self, app: Application, *, manifests: bool = False) -> None:
        """`LabError` where an Application's project or destination forbids it.

        With ``manifests``, also where its sources cannot be had, or give no manifests: it would be so from the start.
        """
        self._observer.projects.check(app)
        self._destinations.check(app.destination)
        if manifests:
            revisions = [self._observer.sources.resolve(source) for source in app.sources]
            self._observer.rendered(app, app.sources, revisions)

    def whole(self, to: Destination) -> Destination:
        """A destination with the server and the name of its cluster, whichever was said."""
        return self._observer.projects.whole(to)

    def manifests(self, name: str) -> list[Object]:
        """The objects that Git asks for at the revision last compared."""
        found = [item.target for item in self._look(name).comparison.items if item.target is not None]
        return [obj for obj in masked(*found) if obj is not None]

    def managed_resources(self, name: str) -> list[JSON]:
        """Each object with its wanted, live and predicted state, and who wrote what differs; Secrets are masked.

        Of what the application ignores no difference is told.
        """
        found, rules = [], self._application(name).spec.get("ignoreDifferences") or ()
        for item in self._look(name).comparison.items:
            target, live, predicted = masked(item.target, item.live, item.predicted)
            entry: JSON = {
                "group": item.key.group,
                "kind": item.key.kind,
                "namespace": item.key.namespace,
                "name": item.key.name,
            }
            entry |= {
                "status": item.status,
                "hook": item.hook,
                "origin": item.origin,
                "problem": item.problem,
            }
            if live is not None and predicted is not None and item.status != "Synced":
                ignored = Ignored.of(predicted, rules)
                with contextlib.suppress(LabError):  # what is no jq is the item's problem already
                    entry["differences"] = differences(
                        *(ignored.without(obj, live) for obj in (live, predicted))
                    )
            found.append(entry | {"liveState": live, "targetState": target, "predictedLiveState": predicted})
        return found

    def plan(
        self,
        name: str,
        *,
        prune: bool | None = None,
        resources: Sequence[JSON] = (),
        entry: int | None = None,
    ) -> list[JSON]:
        """What a sync would do now, in order and with the reason for each step; ``prune`` as the policy says.

        ``resources`` are those that the sync would be for (as an operation names them), by default all;
        ``entry`` plans the rollback to that entry of the history.
        """
        app, sight = self._application(name), self._look(name)
        wanted = app.sync_policy.prune if prune is None else prune
        sync: JSON = {"prune": wanted, "resources": list(resources)}
        if entry is not None:
            sync |= operations.entry_of(app, entry)
        return planned(app, {"sync": sync}, sight, self._observer, self._clock).to_json()

    def deletion(self, name: str) -> list[JSON]:
        """What would go with the application if it were deleted with all that it deployed, and what would stay."""
        return deletion.plan(self._application(name), self._observer)

    def loop(self, name: str) -> JSON:
        """The loop of late: ``stages`` with times, the ``gates`` and their ``reason``, ``waves``, and a ``journal``.

        It tells of what this controller did since it began; what counts is in the Application.
        """
        return self._traces.of(self._application(name).obj).to_json()

    def server(self, name: str) -> Server:
        """The cluster that the application deploys to; `ApplicationError` where it is not known."""
        return self._destinations.find(self._application(name).destination).server

    def on_news(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call ``listener`` with an application's name whenever something of it changed; returns what ends that.

        It is called from many threads and must be quick.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def resource_tree(self, name: str) -> list[JSON]:
        """The application's live objects and what was made of them, as nodes with ``parentRefs``; hooks, too."""
        sight = self._look(name)
        return tree.nodes(sight.comparison.items, sight.live)

    def orphaned_resources(self, name: str) -> list[JSON]:
        """What lies in its namespace and belongs to no application, as nodes; none where its project asks for none."""
        sight = self._look(name)
        return tree.below(sight.orphans.roots, sight.live)

    def revision_metadata(self, name: str) -> JSON:
        """Author, date and message of the commit that the application was last compared with."""
        app = self._application(name)
        sync = app.status.get("sync") or {}
        revision = sync.get("revision") or next(iter(sync.get("revisions") or []), "")
        if not revision:
            return {}
        commit = self._observer.sources.commit(app.sources[0], revision)
        if commit is None:
            return {"message": f"{app.sources[0].chart} {revision}"}
        author = f"{commit.author.name} <{commit.author.email}>"
        return {"author": author, "date": commit.date.isoformat(), "message": commit.message.strip()}

    def _application(self, name: str) -> Application:
        obj = self._applications.informer.get(NAMESPACE, name)
        # One that was created a moment ago may not have been heard of: then the cluster is asked.
        return Application.from_object(operations.get(self._home, name) if obj is None else obj)

    def _look(self, name: str) -> Sight:
        app = self._application(name)
        sync = app.status.get("sync") or {}
        revisions = sync.get("revisions") or list(filter(None, [sync.get("revision")]))
        if len(revisions) != len(app.sources):
            revisions = [self._observer.sources.resolve(source, max_age=5) for source in app.sources]
        return self._observer.look(app, app.sources, revisions)

    # -- what happened

    def _reconcile(self, name: str) -> Result:
        if self._election and not self._election.leading:
            return Result()  # another controller does it; when the Lease is ours, all are looked at
        return Result(self._reconciler.reconcile(name))

    def _tell(self, name: str) -> None:
        for listener in list(self._listeners):
            listener(name)

    def _application_changed(self, _event: str, obj: Object, old: Object | None) -> None:
        self._tell(name_of(obj))
        if old is None or _matters(obj) != _matters(old) or _terminating(obj) != _terminating(old):
            if old is None or _asks(obj, old):
                self._reconciler.notice(name_of(obj))
            self._loop.enqueue(name_of(obj))

    def _settings_changed(self, event: str, obj: Object, _old: Object | None) -> None:
        if name_of(obj) == SETTINGS:
            self._configure(None if event == "DELETED" else obj)
            self._all_again()

    def _all_again(self) -> None:
        for app in self._applications.informer.list(NAMESPACE):
            self._loop.enqueue(name_of(app))
        self.sets.look_again()

    @staticmethod
    def _configure(settings: Object | None) -> None:
        secrets.configure((settings or {}).get("data") or {})
        if unknown := health.configure((settings or {}).get("data") or {}):
            log.warning(
                "%s: Lua is not run here; register a rule in Python: %s", SETTINGS, ", ".join(unknown)
            )

    def _project_changed(self, _event: str, obj: Object, _old: Object | None) -> None:
        for app in self._applications.informer.list(NAMESPACE):
            if ((app.get("spec") or {}).get("project") or "default") == name_of(obj):
                self._loop.enqueue(name_of(app))

    def _live_changed(self, live: LiveCluster, obj: Object) -> None:
        instance = live.application_of(obj)
        key = ObjectKey.of(obj)
        names = (
            {instance} if instance else {n for n in self._observer.names() if self._observer.wants(n, key)}
        )
        if not instance:
            names |= self._observer.looking_for_orphans(live, key.namespace)
        for name in names:
            self._tell(name)
            self._loop.enqueue_after(name, COALESCE)


def _matters(obj: Object) -> tuple[Any, ...]:
    """What of an Application is worth a pass: not its status, which is our own writing."""
    meta = metadata(obj)
    return (
        obj.get("spec"),
        obj.get("operation"),
        annotations_of(obj),
        meta.get("deletionTimestamp"),
        meta.get("finalizers"),
    )


def _asks(obj: Object, old: Object) -> bool:
    """Whether an Application's change is a reason to ask Git."""
    wish = annotations_of(obj).get(REFRESH)
    return obj.get("spec") != old.get("spec") or (
        wish is not None and wish != annotations_of(old).get(REFRESH)
    )


def _terminating(obj: Object) -> bool:
    return ((obj.get("status") or {}).get("operationState") or {}).get("phase") == TERMINATING
