"""One pass over one application: look, compare, decide, do the next step, and write down what was seen.

This is the loop itself. Read `Reconciler.reconcile` from top to bottom; everything that it calls is a room of
its own.
"""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError, RepositoryBusy, RevisionNotFound
from labkit.gitops import refresh
from labkit.gitops.api.application import Application, InvalidSpec
from labkit.gitops.api.names import API_VERSION, NAMESPACE, REFRESH
from labkit.gitops.api.pinned import shortened
from labkit.gitops.automation import decide
from labkit.gitops.delete_hooks import finalizers
from labkit.gitops.deletion import Deletion
from labkit.gitops.diff.compare import SYNCED
from labkit.gitops.orphans import WARNING
from labkit.gitops.running import Running, begin
from labkit.gitops.status import difference, moment, set_conditions, set_health, stamp
from labkit.gitops.sync.afterwards import settle
from labkit.gitops.sync.carry import Carrier
from labkit.gitops.sync.gates import HELD_SECONDS
from labkit.gitops.sync.operation import ENDED
from labkit.gitops.tree import images
from labkit.k8s.objects import Object, annotations_of, metadata, name_of, uid_of

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.gitops.api.application import Source
    from labkit.gitops.diff import Comparison
    from labkit.gitops.live import Server
    from labkit.gitops.observe import Observer, Sight
    from labkit.gitops.refresh import Polling
    from labkit.gitops.trace import Trace, Traces
    from labkit.runtime.clock import Clock
    from labkit.runtime.informer import Informer
    from labkit.runtime.recorder import EventRecorder

JSON = dict[str, Any]

log = logging.getLogger(__name__)
RETRY_SECONDS = 15.0
"""After a source could not be read: the repository may be back before the next poll."""

POLLED_SECONDS = 5.0
"""How old an answer of Git may be for a poll, which nothing has prompted."""

BUSY_SECONDS = 1.0
"""After a look was put off because enough others wait for that repository's host."""


@dataclass
class Memory:
    """What one application's passes hand on to each other. It may be lost at any time."""

    due: float
    known: Object = field(default_factory=dict)
    """The Application as this pass read it, or wrote it last: it writes over nothing that it has not seen."""
    revisions: tuple[str, ...] = ()
    failed: str = ""
    waves: dict[Any, datetime] = field(default_factory=dict)
    over: bool = False
    """This pass saw its sync end, and nobody was told yet."""


class Reconciler:
    """Brings applications nearer to what Git says, a step at a time."""

    def __init__(
        self,
        home: Server,
        applications: Informer,
        observer: Observer,
        clock: Clock,
        *,
        polling: Polling,
        recorder: EventRecorder,
        wave_seconds: float,
        traces: Traces,
    ) -> None:
        self._home, self._applications, self._observer, self._clock = home, applications, observer, clock
        self._polling, self._recorder, self._wave_seconds = polling, recorder, wave_seconds
        self._projects, self._traces = observer.projects, traces
        self._memories: dict[str, Memory] = {}
        self._deletion = Deletion(observer, home)
        self._asked: set[str] = set()
        self._noticed: dict[str, float] = {}

    def ask(self, name: str) -> None:
        """Git is to be asked from now on, whatever the annotation says: a pass at work may have asked it before."""
        self._asked.add(name)
        self.notice(name)

    def notice(self, name: str) -> None:
        """Something happened now that may be a reason to ask Git: what is known of Git since this moment will do.

        A push concerns a hundred applications as easily as one, and one question answers for all of them.
        """
        self._noticed[name] = self._clock.monotonic()

    def reconcile(self, name: str) -> float | None:
        """One pass; returns in how many seconds to come again if nothing happens before."""
        obj = self._applications.get(NAMESPACE, name)
        if obj is None:
            self._memories.pop(name, None)
            self._observer.forget(name)
            self._traces.forget(name)
            self._noticed.pop(name, None)
            return None
        memory = self._memories.get(name)
        if memory is None or uid_of(memory.known) != uid_of(obj):  # a new one, maybe of the same name
            memory = self._memories[name] = Memory(self._polling.next())
        memory.known, memory.over = obj, False
        status: JSON = copy.deepcopy(obj.get("status") or {})
        try:
            app = Application.from_object(obj)
            if not app.deleting:
                self._projects.check(app)
        except InvalidSpec as error:
            self._refuse(memory, status, error)
            return None
        if app.deleting:
            return self._delete(app, status, memory)
        try:
            sight, again = self._look(app, status, memory)
        except RepositoryBusy as busy:  # nothing was seen: nothing is written, and what was asked for stands
            self._traces.of(app.obj).tell(busy.problem)
            return BUSY_SECONDS
        if sight is not None:
            acted = self._act(app, status, memory, sight)
            again = again if acted is None else acted
        wanted = None
        if sight is not None:
            wanted = finalizers(metadata(app.obj).get("finalizers") or [], sight.manifests)
        self._write(memory, status, asked=REFRESH in app.annotations, finalizers=wanted)
        if memory.over:  # told once it is written: if that is refused, another pass comes to the end again
            self._tell_end(app, status["operationState"])
        if sight is not None:
            held = sight.live.of_application(app.instance_name)
            settle(Carrier(sight.live), held, status.get("operationState") or {})
        return again if again is not None else memory.due

    # -- look

    def _look(self, app: Application, status: JSON, memory: Memory) -> tuple[Sight | None, float | None]:
        """Compare, and note it in ``status``; ``None`` where the source or the cluster cannot be read."""
        now = self._clock.now()
        reason = refresh.needed(app, now, memory.due) or ("requested" if app.name in self._asked else "")
        self._asked.discard(app.name)  # before Git is asked: what is pushed from now on asks again
        trace = self._traces.of(app.obj)
        try:
            if reason or not memory.revisions:
                memory.revisions = self._receive(app, reason, memory, trace)
            if reason:
                memory.due, memory.failed = self._polling.next(), ""
            if memory.failed:
                return None, RETRY_SECONDS
            sight = self._see(app, memory, trace, fresh=reason == "hard")
        except RepositoryBusy:
            if reason:
                self.ask(app.name)
            raise
        except Exception as raised:
            error = raised if isinstance(raised, LabError) else _defect(app.name, raised)
            memory.revisions = ()
            sync = {"status": "Unknown", "comparedTo": app.compared_to}
            status["sync"] = sync | {
                k: v for k, v in (status.get("sync") or {}).items() if k.startswith("revision")
            }
            set_conditions(
                status,
                {"ComparisonError": str(error)},
                {"ComparisonError", "InvalidSpecError", "SyncError"},
                now,
            )
            if not status.get("health"):
                set_health(status, "Unknown", now)
            if reason:
                status["reconciledAt"] = stamp(now)
            return None, RETRY_SECONDS
        note(app, status, sight, now)
        if reason:
            status["reconciledAt"] = stamp(now)
        return sight, None

    def _see(self, app: Application, memory: Memory, trace: Trace, *, fresh: bool) -> Sight:
        """A look at the revisions known; where Git has them no longer (a forced push), at those that it has now."""
        try:
            return self._observer.look(app, app.sources, memory.revisions, fresh=fresh, trace=trace)
        except RevisionNotFound:
            newest = tuple(self._observer.sources.resolve(source) for source in app.sources)
            if newest == memory.revisions:
                raise
            memory.revisions = newest
            return self._observer.look(app, app.sources, newest, fresh=fresh, trace=trace)

    def _receive(self, app: Application, reason: str, memory: Memory, trace: Trace) -> tuple[str, ...]:
        """The commits that the sources mean, and a word in the trace on what made us ask."""
        with trace.stage("received", refresh.WORDS[reason]) as stage:
            found = self._resolve(app, reason)
            stage.says = "; ".join(map(self._quoted, app.sources, found))
            anew = found != memory.revisions or reason in {"hard", "spec changed"}
            if anew:
                trace.begin()
        trace.tell(f"{'' if anew else 'still '}{stage.says}: {stage.looked}")
        return found

    def _quoted(self, source: Source, revision: str) -> str:
        """A revision as people quote it: ``1a2b3c4 the subject by its author``; a chart's is its version."""
        try:
            commit = self._observer.sources.commit(source, revision)
        except LabError:
            return shortened(revision)
        if commit is None:
            return f"{source.chart} {revision}"
        subject = commit.message.partition("\n")[0]
        return f"{shortened(revision)} {subject} by {commit.author.name}"

    def _resolve(self, app: Application, reason: str) -> tuple[str, ...]:
        """The revisions that the sources mean. After a restart, without a reason to ask, those of the status do."""
        sync = app.status.get("sync") or {}
        known = tuple(sync.get("revisions") or filter(None, [sync.get("revision")]))
        if (
            not reason
            and sync.get("status") != "Unknown"  # it could not be read: the revision is that of before
            and sync.get("comparedTo") == app.compared_to
            and len(known) == len(app.sources)
        ):
            return known
        noticed = self._noticed.pop(app.name, None)
        age = POLLED_SECONDS if reason == "expired" else 0.0
        if noticed is not None and reason in {"requested", "never compared", "spec changed"}:
            age = self._clock.monotonic() - noticed
        return tuple(self._observer.sources.resolve(source, max_age=age) for source in app.sources)

    # -- act

    def _act(self, app: Application, status: JSON, memory: Memory, sight: Sight) -> float | None:
        """Begin or go on with an operation, if there is reason to."""
        state = status.get("operationState") or {}
        running = bool(state) and state.get("phase") not in ENDED
        if not running:
            operation, again = app.operation, None
            if operation is None:
                operation, again = self._automatic(app, status, sight)
            if operation is None:
                return again
            memory.waves.clear()
            before, state = state, begin(app, operation, sight, self._observer, self._clock.now())
            if _same_moment(state, before):
                return 0.5  # times have whole seconds, and by them a sync knows its own hooks from another's
            status["operationState"] = state
            self._write(memory, status, began=True)
            self._traces.of(app.obj).tell(f"{_who(operation)} sync to {_revision(state)} began")
            self._recorder.normal(
                app.obj, "OperationStarted", f"Initiated {_who(operation)} sync to {_revision(state)}"
            )
        by_hand = not (status["operationState"]["operation"].get("initiatedBy") or {}).get("automated")
        since = moment(status["operationState"]["startedAt"])
        if held := self._projects.held(app, self._clock.now(), manual=by_hand, began=since):
            status["operationState"]["message"] = held
            return HELD_SECONDS
        job = Running(
            app,
            status["operationState"],
            sight,
            self._observer,
            self._clock,
            memory.waves,
            self._wave_seconds,
        )
        began = self._clock.now()
        if job.prepare():
            self._write(memory, status)  # the plan stands before anything is done: a restart goes on with it
        again = job.advance()
        self._traces.of(app.obj).planned(job.progress(), anew=not running, began=began)
        if status["operationState"]["phase"] in ENDED:
            self._ended(app, status, memory, job)
            if status["operationState"]["phase"] != "Succeeded":
                return 0.0  # so that what the gates say of it now stands in the conditions at once
        return again

    def _automatic(self, app: Application, status: JSON, sight: Sight) -> tuple[JSON | None, float | None]:
        now = self._clock.now()
        decision, operation = decide(
            app, status, sight.comparison, now, self._projects.held(app, now, manual=False)
        )
        self._traces.of(app.obj).decided(decision, differs=sight.comparison.status != SYNCED)
        set_conditions(status, {"SyncError": decision.error} if decision.error else {}, {"SyncError"}, now)
        return operation, decision.later

    def _ended(self, app: Application, status: JSON, memory: Memory, job: Running) -> None:
        now, memory.over = self._clock.now(), True
        if status["operationState"]["phase"] == "Succeeded" and job.recorded:
            status["history"] = job.history(status.get("history") or [], app.history_limit)
        trace = self._traces.of(app.obj)
        try:
            note(app, status, self._observer.look(app, app.sources, memory.revisions, trace=trace), now)
        except LabError as error:
            set_conditions(status, {"ComparisonError": str(error)}, {"ComparisonError"}, now)

    def _tell_end(self, app: Application, state: JSON) -> None:
        said = f"{_revision(state)} {state['phase'].lower()}: {state['message']}"
        self._traces.of(app.obj).tell(f"sync to {said}")
        tell = self._recorder.normal if state["phase"] == "Succeeded" else self._recorder.warning
        tell(app.obj, "OperationCompleted", f"Sync operation to {said}")

    # -- write

    def _refuse(self, memory: Memory, status: JSON, error: InvalidSpec) -> None:
        now = self._clock.now()
        set_conditions(status, {"InvalidSpecError": str(error)}, {"InvalidSpecError", "ComparisonError"}, now)
        status["sync"] = {"status": "Unknown"}
        set_health(status, "Unknown", now)
        self._write(memory, status, asked=REFRESH in annotations_of(memory.known))

    def _delete(self, app: Application, status: JSON, memory: Memory) -> float | None:
        try:
            done, again = self._deletion.advance(app)
        except LabError as error:
            set_conditions(status, {"DeletionError": str(error)}, {"DeletionError"}, self._clock.now())
            self._write(memory, status)
            return RETRY_SECONDS
        if done:
            self._observer.forget(app.name)
        return again

    def _write(
        self,
        memory: Memory,
        status: JSON,
        *,
        asked: bool = False,
        began: bool = False,
        finalizers: list[str] | None = None,
    ) -> None:
        """Patch the Application with what changed: nothing, if nothing did.

        `Conflict` if somebody wrote it since it was read (a termination, a new refresh): the next pass sees that.
        """
        known = memory.known
        patch: JSON = {}
        if changes := difference(known.get("status") or {}, status):
            patch["status"] = changes
        if asked:
            patch["metadata"] = {"annotations": {REFRESH: None}}
        if finalizers is not None and finalizers != (metadata(known).get("finalizers") or []):
            patch.setdefault("metadata", {})["finalizers"] = finalizers or None
        if began:
            patch["operation"] = None
        if patch:
            version = metadata(known).get("resourceVersion")
            patch["metadata"] = {**patch.get("metadata", {}), "resourceVersion": version}
            memory.known = self._home.patch(
                API_VERSION, "Application", name_of(known), NAMESPACE, patch=patch
            )
            self._applications.answered("MODIFIED", memory.known)


def note(app: Application, status: JSON, sight: Sight, now: datetime) -> None:
    """Write what a look saw into ``status``."""
    comparison: Comparison = sight.comparison
    sync: JSON = {"status": comparison.status, "comparedTo": app.compared_to}
    if app.spec.get("sources"):
        sync["revisions"] = list(sight.manifests.revisions)
        status["sourceTypes"] = list(sight.manifests.source_types)
        status.pop("sourceType", None)
    else:
        sync["revision"] = sight.manifests.revision
        status["sourceType"] = "".join(sight.manifests.source_types[:1])
        status.pop("sourceTypes", None)
    status["sync"] = sync
    set_health(status, comparison.health, now)
    status["resources"] = [item.entry() for item in comparison.resources if item.counts]
    found = sorted(
        {image for item in comparison.resources if item.live is not None for image in images(item.live)}
    )
    status["summary"] = {"images": found} if found else {}
    warnings = {
        "RepeatedResourceWarning": "; ".join(sight.manifests.repeated),
        "SharedResourceWarning": "; ".join(sight.shared),
        WARNING: sight.orphans.warning,
    }
    found_warnings = {name: text for name, text in warnings.items() if text}
    set_conditions(status, found_warnings, {"ComparisonError", "InvalidSpecError", *warnings}, now)


def _defect(name: str, raised: Exception) -> LabError:
    """What we say of an error that is ours. Its own words may quote a secret: they are for the log."""
    log.error("%s: it could not be compared", name, exc_info=raised)
    return LabError(
        "a defect of the lab kept it from being compared",
        where=name,
        fix="`labkit logs` tells more. Please report it, with the file that was pushed last.",
    )


def _same_moment(state: JSON, before: JSON) -> bool:
    return (
        bool(before) and state["startedAt"] == before["startedAt"] and _revision(state) == _revision(before)
    )


def _who(operation: JSON) -> str:
    by = operation.get("initiatedBy") or {}
    return "automated" if by.get("automated") else by.get("username") or "manual"


def _revision(state: JSON) -> str:
    result = state.get("syncResult") or {}
    return ", ".join(map(shortened, result.get("revisions") or [result.get("revision") or ""]))
