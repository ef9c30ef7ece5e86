"""What the loop did of late, stage by stage: for people to look at, and for nothing else.

Nothing here decides anything. It may be lost at any time (the Application keeps what matters), and the next pass
begins to fill it again. A stage that had nothing to do, since what it made last time still holds, keeps its entry:
so each entry tells of the last time that the stage did work.
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.gitops.sync.gates import rows
from labkit.k8s.objects import name_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from labkit.gitops.sync.gates import Decision
    from labkit.k8s.objects import Object
    from labkit.runtime.clock import Clock

JSON = dict[str, Any]

STAGES = ("received", "rendered", "compared", "planned")
STUCK = {
    "received": "the source could not be read",
    "rendered": "what the source holds could not be rendered",
    "compared": "Git and live could not be compared",
    "planned": "no plan could be made",
}
"""Why nothing more happens when a stage failed."""

RUNNING, SUCCEEDED, FAILED, HELD = "Running", "Succeeded", "Failed", "Held"
KEPT = 40


@dataclass
class Stage:
    """One stage: how it ended, what it looked at, what it found, when, and how many seconds it took."""

    name: str
    status: str = RUNNING
    looked: str = ""
    says: str = ""
    at: str = ""
    seconds: float = 0.0
    idle: bool = field(default=False, repr=False)
    """Set by a stage that found nothing to do: its earlier entry stays."""


class Trace:
    """The stages, gates and waves of one application. Written by the pass that is at work; read by any thread."""

    def __init__(self, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        self._clock, self._changed = clock, changed
        self._stages: dict[str, Stage] = {}
        self._gates: JSON = {"sync": False, "reason": "", "gates": []}
        self._waves: list[JSON] = []
        self._journal: deque[JSON] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str, looked: str = "") -> Iterator[Stage]:
        """Time a stage; what happens in it tells ``says``. An error in it is its end, and goes on upwards."""
        stage = Stage(name, looked=looked, at=self._now())
        if name not in self._stages:
            self._put(stage)
        began = self._clock.monotonic()
        try:
            yield stage
        except Exception as error:
            stage.status, stage.says = FAILED, str(error)
            self._cut(name)
            self._gates = {"sync": False, "reason": STUCK[name], "gates": []}
            raise
        else:
            stage.status = SUCCEEDED
        finally:
            stage.seconds = self._clock.monotonic() - began
            if not (stage.idle and self._ended(name)):
                self._put(stage)

    def begin(self) -> None:
        """A new commit, or a new wish: what the stages after the first said belongs to the one before."""
        self._cut("received")

    def decided(self, decision: Decision, *, differs: bool) -> None:
        """What the gates of automatic sync said, and whether there was anything to sync at all."""
        with self._lock:
            self._gates = {"sync": decision.sync, "reason": decision.reason, "gates": rows(decision)}
        if decision.sync:
            return  # the plan follows
        with self.stage("planned", "the gates of automatic sync") as stage:
            stage.says = decision.reason if differs else "nothing to do: live is what Git says"
            stage.idle = not differs  # then the plan that made it so still stands
        if differs:
            self._held(keep_waves=decision.gate == "failed")
            self.tell(f"no sync: {decision.reason}")

    def planned(self, tasks: list[JSON], *, anew: bool, began: datetime) -> None:
        """The operation's tasks and how far each has come; ``anew`` when it begins, ``began`` when this pass of it did.

        A task that the plan has no more has been done: what is pruned is not planned again.
        """
        now = self._now()
        with self._lock:
            waves = _grouped(tasks if anew else _merged(self._waves, tasks))
            known = {} if anew else {(wave["phase"], wave["wave"]): wave for wave in self._waves}
            for wave in waves:
                before = known.get((wave["phase"], wave["wave"]), {})
                wave["began"] = before.get("began") or (_stamp(began) if wave["status"] else "")
                ended = wave["status"] in {SUCCEEDED, FAILED}
                wave["ended"] = (before.get("ended") or now) if ended else ""
            self._waves = waves
        if anew:
            with self.stage("planned", "the comparison, hooks, waves and sync options") as stage:
                stage.says = f"{_many(len(tasks), 'task')} in {_many(len(waves), 'wave')}"
        self._changed()

    def tell(self, says: str) -> None:
        """A line in the journal; the same again only counts."""
        now = self._now()
        with self._lock:
            last = self._journal[-1] if self._journal else None
            if last is not None and last["says"] == says:
                last |= {"last": now, "times": last["times"] + 1}
            else:
                self._journal.append({"at": now, "last": now, "says": says, "times": 1})
        self._changed()

    def to_json(self) -> JSON:
        """All of it, as a copy."""
        with self._lock:
            stages = [asdict(self._stages[name]) for name in STAGES if name in self._stages]
            for stage in stages:
                stage.pop("idle")
            found = {"stages": stages, "waves": self._waves, "journal": list(self._journal)}
            return copy.deepcopy(found | self._gates)

    def _held(self, *, keep_waves: bool) -> None:
        with self._lock:
            self._stages["planned"].status = HELD
            if not keep_waves:
                self._waves = []
        self._changed()

    def _put(self, stage: Stage) -> None:
        with self._lock:
            self._stages[stage.name] = copy.copy(stage)
        self._changed()

    def _cut(self, name: str) -> None:
        with self._lock:
            for later in STAGES[STAGES.index(name) + 1 :]:
                self._stages.pop(later, None)
            self._waves = []

    def _ended(self, name: str) -> bool:
        known = self._stages.get(name)
        return known is not None and known.status == SUCCEEDED

    def _now(self) -> str:
        return _stamp(self._clock.now())


class Traces:
    """The trace of each application; ``changed`` is called with a name whenever that one's has."""

    def __init__(self, clock: Clock, changed: Callable[[str], None] = lambda _name: None) -> None:
        self._clock, self._changed = clock, changed
        self._known: dict[str, tuple[str, Trace]] = {}

    def of(self, application: Object) -> Trace:
        """The trace of this very Application, empty at first: one of the same name before it had its own."""
        name, uid = name_of(application), uid_of(application)
        known = self._known.get(name)
        if known is None or known[0] != uid:
            known = self._known[name] = (uid, Trace(self._clock, lambda: self._changed(name)))
        return known[1]

    def forget(self, name: str) -> None:
        """The application is gone."""
        self._known.pop(name, None)


def _stamp(moment: datetime) -> str:
    """The moment with milliseconds: a stage takes no longer."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _merged(waves: list[JSON], tasks: list[JSON]) -> list[JSON]:
    """The tasks as first planned, with how far they have come now."""
    fresh = {_key(task): task for task in tasks}
    found = []
    for task in (task for wave in waves for task in wave["tasks"]):
        now = fresh.pop(_key(task), {"status": SUCCEEDED, "message": task["message"]})
        found.append(task | {"status": now["status"], "message": now["message"]})
    return found + list(fresh.values())


def _grouped(tasks: list[JSON]) -> list[JSON]:
    waves: dict[tuple[str, int | None], list[JSON]] = {}
    for task in tasks:
        waves.setdefault((task["phase"], task["wave"]), []).append(task)
    return [
        {"phase": phase, "wave": wave, "status": _status(members), "tasks": members}
        for (phase, wave), members in waves.items()
    ]


def _status(tasks: list[JSON]) -> str:
    found = {task["status"] for task in tasks}
    if FAILED in found:
        return FAILED
    if found == {SUCCEEDED}:
        return SUCCEEDED
    return RUNNING if found - {""} else ""


def _key(task: JSON) -> tuple[str, ...]:
    return (task["phase"], task["group"], task["kind"], task["namespace"], task["name"])


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
