"""An operation as it runs: from what was asked for to its end, with retries between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.api.application import Application, parse_retry
from labkit.gitops.api.pinned import Pinned
from labkit.gitops.confirmation import confirmed
from labkit.gitops.status import moment, since, stamp
from labkit.gitops.sync import recorded, retry
from labkit.gitops.sync.carry import Carrier
from labkit.gitops.sync.hooks import Attempt
from labkit.gitops.sync.operation import ENDED, ERROR, FAILED, RUNNING, TERMINATING, Sync
from labkit.gitops.sync.plan import Plan, Wishes, plan
from labkit.gitops.sync.tasks import Task, namespace_task
from labkit.k8s.objects import ObjectKey

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.gitops.observe import Observer, Sight
    from labkit.k8s.objects import Object
    from labkit.runtime.clock import Clock

JSON = dict[str, Any]

_TOLD = 5
"""So many of the reasons why a plan is refused are told."""

_PROPAGATION = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}


def begin(app: Application, operation: JSON, sight: Sight, observer: Observer, now: datetime) -> JSON:
    """A new ``operationState`` for an operation that somebody, or automation, asked for.

    Its revision is resolved here, once, so that all of it happens at one commit.
    """
    sync = operation.get("sync") or {}
    at_hand = Pinned.of(app, sight.manifests.revisions)
    state: JSON = {"operation": operation, "phase": RUNNING, "startedAt": stamp(now), "message": ""}
    try:
        pinned = _pin(Pinned.read(sync, app), at_hand, observer)
    except LabError as error:
        pinned = at_hand
        state |= {"phase": ERROR, "message": str(error), "finishedAt": stamp(now)}
    return state | {"syncResult": {**pinned.fields, "resources": []}}


def _pin(asked: Pinned, at_hand: Pinned, observer: Observer) -> Pinned:
    """Each source at the revision that was asked for, resolved; at the one at hand where nothing was asked."""
    revisions = []
    for number, source in enumerate(asked.sources):
        revision = asked.revisions[number] if number < len(asked.revisions) else ""
        known = at_hand.revisions[number] if number < len(at_hand.revisions) else ""
        same = at_hand.raw[number : number + 1] == asked.raw[number : number + 1]
        revisions.append(
            known if same and revision in {"", known} else observer.sources.resolve(source, revision)
        )
    return replace(asked, revisions=tuple(revisions))


def planned(app: Application, operation: JSON, sight: Sight, observer: Observer, clock: Clock) -> Plan:
    """What an operation would do, in order, if it began now. Nothing is done."""
    state = begin(app, operation, sight, observer, clock.now())
    return Running(app, state, sight, observer, clock, {}, 0.0).plan()


class Running:
    """One pass over a running operation. ``state`` is changed in place."""

    def __init__(
        self,
        app: Application,
        state: JSON,
        sight: Sight,
        observer: Observer,
        clock: Clock,
        waves: dict[Any, datetime],
        wave_seconds: float,
    ) -> None:
        self.app, self.state = app, state
        self._sight, self._observer, self._clock = sight, observer, clock
        self._waves, self._wave_seconds = waves, wave_seconds
        self._last: Sync | None = None

    @property
    def _asked(self) -> JSON:
        found: JSON = (self.state.get("operation") or {}).get("sync") or {}
        return found

    @property
    def _result(self) -> JSON:
        found: JSON = self.state["syncResult"]
        return found

    @property
    def recorded(self) -> bool:
        """Whether this sync makes an entry in the history: a whole one that was carried out."""
        return not self._asked.get("dryRun") and not self._asked.get("resources")

    def prepare(self) -> bool:
        """Make the plan of this try, if there is none yet; true if so: it is to be written down before `advance`.

        Where somebody asked for a plan that they looked at, and this would be another, the operation ends here.
        """
        operation = self.state["operation"]
        if self.state["phase"] != RUNNING or "finishedAt" in self.state or self._newer():
            return False
        try:
            if recorded.read(operation, recorded.PLAN) is not None:
                return False
            found = self.plan().to_json()
            expected = recorded.read(operation, recorded.EXPECTED)
        except LabError as error:
            self.state |= {"phase": ERROR, "message": str(error)}
            self._after()
            return True
        if expected is not None and (moved := recorded.moved(expected, found)):
            self._refuse(moved)
        operation = recorded.write(operation, recorded.EXPECTED, None)
        self.state["operation"] = recorded.write(operation, recorded.PLAN, found)
        return True

    def _refuse(self, moved: list[str]) -> None:
        more = [f"and {len(moved) - _TOLD} more"] if len(moved) > _TOLD else []
        said = "\n".join(["the plan does not fit any more; nothing was done", *moved[:_TOLD], *more])
        fix = f"Fix: look at a new one: labkit app plan {self.app.name} --out FILE"
        now = stamp(self._clock.now())
        self.state |= {"phase": ERROR, "message": f"{said}\n{fix}", "finishedAt": now}

    def advance(self) -> float | None:
        """Go on with the plan; returns in how many seconds to look again if only time is missing."""
        if self.state["phase"] in ENDED:
            return None
        if newer := self._newer():
            self._renew(newer)
        if (left := self._pause()) > 0:
            return left
        try:
            if (
                self.state["phase"] == RUNNING
                and recorded.read(self.state["operation"], recorded.PLAN) is None
            ):
                return 0.0  # another try, which the next pass plans
            sight = self._look()
            sync = self._last = self._sync(sight)
        except LabError as error:
            self.state |= {"phase": ERROR, "message": str(error)}
            return self._after()
        if sight.shared and "FailOnSharedResource=true" in self._options:
            self.state |= {"phase": FAILED, "message": f"Shared resource found: {'; '.join(sight.shared)}"}
            return self._after()
        if self.state["phase"] == TERMINATING:
            sync.terminate()
        else:
            sync.advance()
        return self._after() if self.state["phase"] in ENDED else sync.later

    def progress(self) -> list[JSON]:
        """The waves as `advance` left them, each with its tasks; none if it did not come so far."""
        return self._last.progress() if self._last is not None else []

    def plan(self) -> Plan:
        """What this operation would do, in order, if it began now."""
        return self._fresh(self._look())

    def history(self, before: list[JSON], limit: int) -> list[JSON]:
        """The history with this sync at its end, cut to ``limit`` entries."""
        entry: JSON = {
            "id": max((e.get("id", 0) for e in before), default=-1) + 1,
            "deployStartedAt": self.state["startedAt"],
            "deployedAt": self.state["finishedAt"],
            "initiatedBy": self.state["operation"].get("initiatedBy") or {},
        }
        entry |= {name: value for name, value in self._pinned.fields.items() if value}
        return [*before, entry][-limit:] if limit else []

    def _sync(self, sight: Sight) -> Sync:
        return Sync(
            self._plan(sight),
            Carrier(
                sight.live,
                self._options,
                self._propagation,
                self._observer.projects.permits(self.app, sight.live),
                self.app.spec.get("ignoreDifferences") or (),
            ),
            sight.live,
            self._attempt,
            self.state,
            self._clock.now,
            wave_seconds=self._wave_seconds,
            dry=bool(self._asked.get("dryRun")),
            confirmed=confirmed(self.app, self.state["startedAt"]),
            waves=self._waves,
            home=self.app.destination.namespace,
        )

    @property
    def _attempt(self) -> Attempt:
        began, number = moment(self.state["startedAt"]), int(self.state.get("retryCount") or 0)
        return Attempt(self.app.instance_name, began, self._pinned.revisions[0], number)

    def _look(self) -> Sight:
        """The comparison at the operation's commit; the application's own where that is the same."""
        if self._pinned == Pinned.of(self.app, self._sight.manifests.revisions):
            return self._sight
        return self._observer.look(self.app, self._pinned.sources, self._pinned.revisions)

    @property
    def _pinned(self) -> Pinned:
        return Pinned.read(self._result, self.app)

    def _plan(self, sight: Sight) -> Plan:
        """The plan that was written down, with the objects as this look sees them."""
        records = recorded.read(self.state["operation"], recorded.PLAN)
        if records is None:
            return self._fresh(sight)
        return recorded.restored(records, sight.comparison.items, self._namespace_task(sight))

    def _fresh(self, sight: Sight) -> Plan:
        wishes = Wishes(bool(self._asked.get("prune")), self._asked.get("resources") or (), self._options)
        return plan(sight.comparison.items, wishes, self._namespace(sight))

    def _namespace(self, sight: Sight) -> Task | None:
        """The task that makes the destination's namespace, where the sync options want it and it is missing."""
        name, extra = self.app.destination.namespace, self.app.sync_policy.namespace_metadata
        if not name or "CreateNamespace=true" not in self._options:
            return None
        key = ObjectKey("", "Namespace", "", name)
        if any(item.key == key and item.target is not None for item in sight.comparison.items):
            return None  # Git has it, with whatever is to be in it
        found = self._namespace_task(sight)
        return found if found.live is None or extra else None

    def _namespace_task(self, sight: Sight) -> Task:
        name, extra = self.app.destination.namespace, self.app.sync_policy.namespace_metadata or {}
        wanted: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, **extra}}
        return namespace_task(wanted, sight.live.get("v1", "Namespace", "", name) if name else None)

    @property
    def _options(self) -> tuple[str, ...]:
        asked = self._asked.get("syncOptions")
        return tuple(asked) if asked is not None else self.app.sync_policy.options

    @property
    def _propagation(self) -> str:
        for option in self._options:
            name, _, value = option.partition("=")
            if name == "PrunePropagationPolicy":
                return _PROPAGATION.get(value, "Foreground")
        return "Foreground"

    def _newer(self) -> Pinned | None:
        """What is to be deployed in place of this operation's revisions: ``retry.refresh``, and Git moved on.

        A sync that waits for what will never come is replaced so by the commit that mends it.
        """
        policy = parse_retry((self.state.get("operation") or {}).get("retry") or {}, "operation.retry")
        automated = (self.state["operation"].get("initiatedBy") or {}).get("automated")
        if not policy.refresh or not automated or self.state["phase"] == TERMINATING:
            return None
        newest = Pinned.of(self.app, self._sight.manifests.revisions)
        return newest if newest != self._pinned else None

    def _renew(self, pinned: Pinned) -> None:
        """Begin another try, at once, at other revisions; hooks that run are ended."""
        before = self._pinned.short
        if "finishedAt" not in self.state:
            self._sync(self._look()).terminate()
        self.state.pop("finishedAt", None)
        asked = {name: value for name, value in pinned.fields.items() if name.startswith("rev") and value}
        operation = recorded.write(self.state["operation"], recorded.PLAN, None)
        self.state["operation"] = {**operation, "sync": {**self._asked, **asked}}
        self.state |= {
            "phase": RUNNING,
            "retryCount": int(self.state.get("retryCount") or 0) + 1,
            "message": f"{pinned.short} is newer than {before}, and takes its place (retry.refresh)",
            "syncResult": {**pinned.fields, "resources": []},
        }
        self._waves.clear()

    def _after(self) -> float | None:
        """The end of a try: begin another if the policy says so."""
        now = self._clock.now()
        self.state["finishedAt"] = stamp(now)
        raw = (self.state.get("operation") or {}).get("retry")
        tries = self.state.get("retryCount", 0)
        terminated = self.state["message"] == "Operation terminated"
        if self.state["phase"] not in {FAILED, ERROR} or not raw or terminated:
            return None
        policy = parse_retry(raw, "operation.retry")
        if not retry.again(policy, tries):
            return None
        wait = retry.delay(policy, tries)
        self.state |= {
            "phase": RUNNING,
            "retryCount": tries + 1,
            "message": f"{self.state['message']}\nRetrying attempt #{tries + 1} in {wait:g} s",
        }
        return wait

    def _pause(self) -> float:
        """Seconds until the next try; when they are over, the try begins with an empty result."""
        if "finishedAt" not in self.state or self.state["phase"] == TERMINATING:
            return 0.0
        policy = parse_retry((self.state.get("operation") or {}).get("retry") or {}, "operation.retry")
        wait = retry.delay(policy, self.state.get("retryCount", 1) - 1)
        left = wait - since(moment(self.state["finishedAt"]), self._clock.now())
        if left > 0:
            return left
        self.state.pop("finishedAt")
        self.state["operation"] = recorded.write(self.state["operation"], recorded.PLAN, None)
        self._result["resources"] = []
        self._waves.clear()
        return 0.0
