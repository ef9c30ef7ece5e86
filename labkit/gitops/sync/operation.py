"""A sync as it goes on: each call of `Sync.advance` does what can be done now, and says how far it has come.

All that it knows is in ``operationState``: which tasks are done, and which are waited for. Called again after a
crash with the state that was written last, it goes on from there; applying an object twice changes nothing, and
a hook that was made already is known by the try that stands on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops import health
from labkit.gitops.confirmation import ADVICE
from labkit.gitops.status import since
from labkit.gitops.sync import hooks
from labkit.gitops.sync.carry import PRUNE_SKIPPED, SYNC_FAILED, SYNCED, Carrier, entry
from labkit.gitops.sync.plan import to_json
from labkit.k8s.objects import Object, name_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from labkit.gitops.live import LiveCluster
    from labkit.gitops.sync.plan import Plan
    from labkit.gitops.sync.tasks import Task

JSON = dict[str, Any]

RUNNING, TERMINATING, SUCCEEDED, FAILED, ERROR = "Running", "Terminating", "Succeeded", "Failed", "Error"
ENDED = (SUCCEEDED, FAILED, ERROR)
WAVE_SECONDS = 2.0
"""Between one wave and the next, so that other controllers see the first; Argo CD's default."""


@dataclass
class Sync:
    """One pass over a running sync.

    ``attempt`` is the try that it belongs to; ``state`` is ``operationState``, changed in place; ``waves`` remembers
    when the pause before each wave began; ``home`` is the destination's namespace.
    """

    plan: Plan
    carrier: Carrier
    live: LiveCluster
    attempt: hooks.Attempt
    state: JSON
    now: Callable[[], datetime]
    wave_seconds: float = WAVE_SECONDS
    dry: bool = False
    confirmed: bool = False
    waves: dict[tuple[int, int], datetime] = field(default_factory=dict)
    home: str = ""
    later: float | None = field(default=None, init=False)

    def advance(self) -> None:
        """Go on as far as possible; ``later`` is in how many seconds to look again, if only time is missing."""
        if not self._results and not self._dry_run():
            return
        if self.dry:
            self._end(SUCCEEDED, "successfully synced (dry run)")
            return
        for number, step in enumerate(self.plan.steps):
            last = number == len(self.plan.steps) - 1
            if not self._step(step, last=last):
                return
        self._end(SUCCEEDED, self._success())

    def terminate(self) -> None:
        """Stop: hooks that run are deleted, nothing else is begun."""
        for task in self.plan.tasks:
            found = self._result(task)
            if task.hook and found is not None and found.get("hookPhase") == RUNNING:
                live = self._live(task)
                if live is not None:
                    self.carrier.delete(live)
                found["hookPhase"] = FAILED
        self._end(FAILED, "Operation terminated")

    def progress(self) -> list[JSON]:
        """Each task as the plan shows it, with how far it has come: ``""`` (not yet), Running, Succeeded or Failed."""
        tasks = [task for step in self.plan.steps for task in step]
        tasks += [task for task in self.plan.on_failure if self._result(task) is not None]
        return [to_json(task) | self._come(task) for task in tasks]

    def _come(self, task: Task) -> JSON:
        found = self._result(task)
        if found is None:
            return {"status": "", "message": ""}
        status = FAILED if _is_failed(found) else found.get("hookPhase") or SUCCEEDED
        return {"status": status, "message": found.get("message") or ""}

    # -- steps

    def _step(self, tasks: list[Task], *, last: bool) -> bool:
        """Carry out one wave; true once it is done and the next may begin."""
        waiting = [task for task in tasks if self._result(task) is None]
        if not self.confirmed and (held := [task for task in waiting if task.needs_confirmation]):
            names = ", ".join(f"{task.obj.get('kind')} {name_of(task.obj)}" for task in held)
            self.state["message"] = f"waiting for pruning confirmation of {names}: {ADVICE}"
            return False
        if waiting and not self._pause_over(waiting[0]):
            return False
        for task in waiting:
            self._carry(task)
        if lingering := [found for found in self._results if found.pop("pending", False)]:
            for found in lingering:  # it is begun again when what is in its place is gone
                self._results.remove(found)
            self.state["message"], self.later = lingering[0]["message"], 0.5
            return False
        if self._failed(tasks):
            self._fail()
            return False
        if last and not any(task.hook for task in tasks):
            self._settle(tasks)  # nothing comes after it: what becomes of it is the application's health
            return True
        running = [task for task in tasks if not self._done(task)]
        if self._failed(tasks):
            self._fail()
            return False
        if running:
            self.state["message"] = f"waiting for {self._words(running)}"
        return not running

    def _carry(self, task: Task) -> None:
        if task.hook:
            self._results.append(self._run_hook(task))
        else:
            self._results.append(self.carrier.carry(task))

    def _run_hook(self, task: Task) -> JSON:
        target = self._hook_object(task)
        task = replace(task, target=target)
        live = self._live(task)
        if live is not None and self.attempt.made(live):
            return entry(task, SYNCED, "made already", RUNNING)
        if live is not None and hooks.BEFORE_HOOK_CREATION in hooks.delete_policies(target):
            self.carrier.delete(live)
            if self._live(task) is not None:  # it lingers: begin again when it is gone
                return entry(task, "", "waiting for the earlier hook to be gone", RUNNING) | {"pending": True}
        return self.carrier.carry(task)

    def _done(self, task: Task) -> bool:
        """Whether a carried-out task has come to its end; notes how."""
        found = self._result(task)
        if found is None:
            return False
        if found.get("hookPhase") != RUNNING:
            return True
        if task.prunes:
            left = self._live(task)  # a namesake that came since is another's
            gone = left is None or uid_of(left) != uid_of(task.live or {})
            found["hookPhase"] = SUCCEEDED if gone else RUNNING
            return gone
        live = self._live(task)
        if live is None and not task.hook:
            self.later = 0.2  # just applied, not seen yet
            return False
        if live is None:
            found |= {
                "hookPhase": FAILED,
                "message": "the hook's object is gone: somebody, or its own TTL, deleted it",
            }
            return True
        state = health.assess(live)
        status = state.status if state is not None else health.HEALTHY
        if status == health.HEALTHY:
            found["hookPhase"] = SUCCEEDED
        elif status == health.DEGRADED:
            found |= {"hookPhase": FAILED, "message": (state.message if state else "") or "it is Degraded"}
        elif state is not None and state.message:
            found["message"] = state.message
        return bool(found["hookPhase"] != RUNNING)

    def _settle(self, tasks: list[Task]) -> None:
        for task in tasks:
            found = self._result(task)
            if found is not None and found.get("hookPhase") == RUNNING:
                found["hookPhase"] = SUCCEEDED

    def _fail(self) -> None:
        for task in self.plan.on_failure:
            if self._result(task) is None:
                self._carry(task)
            self._done(task)
        waiting = [t for t in self.plan.on_failure if (self._result(t) or {}).get("hookPhase") == RUNNING]
        if waiting:
            self.state["message"] = f"failed; waiting for {self._words(waiting)}"
            return
        failed = [f"{r['kind']} {r['name']}: {r['message']}" for r in self._results if _is_failed(r)]
        self._end(FAILED, "one or more synchronization tasks completed unsuccessfully\n" + "\n".join(failed))

    def _dry_run(self) -> bool:
        """Ask the server about everything before anything is done; false if it refuses something.

        Only the destination's namespace is made before, as Argo CD does: without it nothing in it could be tried.
        """
        first = next((task for task in self.plan.tasks if self._makes_home(task)), None)
        if first is not None and not self.dry:
            self._carry(first)
            if self._failed([first]):
                self._fail()
                return False
        arriving = {task.defines for task in self.plan.tasks if task.defines}
        missing = {
            name_of(task.obj)
            for task in self.plan.tasks
            if task.obj.get("kind") == "Namespace" and task.live is None and self._result(task) is None
        }
        refused = []
        for planned in self.plan.tasks:
            task = planned
            if task is first or task.key[:2] in arriving or task.key.namespace in missing:
                continue
            if task.hook:
                task = replace(task, target=self._hook_object(task))
                if self._live(task) is not None:
                    continue  # it is made anew: of that nobody can ask before
            if problem := self.carrier.dry_run(task):
                refused.append(entry(task, SYNC_FAILED, problem))
        if refused:
            self._results.extend(refused)
            lines = [f"{r['kind']} {r['name']}: {r['message']}" for r in refused]
            self._end(FAILED, "one or more objects failed to apply (dry run)\n" + "\n".join(lines))
        return not refused

    def _makes_home(self, task: Task) -> bool:
        named = task.obj.get("kind") == "Namespace" and name_of(task.obj) == self.home
        return named and task.live is None and not task.hook

    # -- what is known

    @property
    def _results(self) -> list[JSON]:
        found: list[JSON] = self.state.setdefault("syncResult", {}).setdefault("resources", [])
        return found

    def _result(self, task: Task) -> JSON | None:
        name = name_of(self._hook_object(task)) if task.hook else task.key.name
        wanted = (task.key.group, task.key.kind, task.key.namespace, name, task.phase)
        for found in self._results:
            key = tuple(found.get(n, "") for n in ("group", "kind", "namespace", "name", "syncPhase"))
            if key == wanted and found.get("status") != PRUNE_SKIPPED:
                return found
        return None

    def _failed(self, tasks: list[Task]) -> bool:
        return any(_is_failed(found) for task in tasks if (found := self._result(task)) is not None)

    def _live(self, task: Task) -> Object | None:
        obj = self._hook_object(task) if task.hook else task.obj
        try:
            return self.live.get(
                obj.get("apiVersion", ""), obj.get("kind", ""), task.key.namespace, name_of(obj)
            )
        except LabError:
            return None

    def _hook_object(self, task: Task) -> Object:
        return self.attempt.hook(task.target or {}, task.phase)

    def _words(self, tasks: list[Task]) -> str:
        first = tasks[0]
        name = name_of(self._hook_object(first) if first.hook else first.obj)
        what = f"{f'{first.phase} hook ' if first.hook else ''}{first.obj.get('kind')} {name}"
        return f"{what} to finish" + (f" and {len(tasks) - 1} more" if len(tasks) > 1 else "")

    def _pause_over(self, task: Task) -> bool:
        """Whether the pause before this task's wave is over.

        The first wave waits for nothing, and neither does what comes after the namespace alone.
        """
        if all(found["kind"] == "Namespace" for found in self._results):
            return True
        began = self.waves.setdefault(task.step, self.now())
        left = self.wave_seconds - since(began, self.now())
        if left > 0:
            self.later = left
        return left <= 0

    def _success(self) -> str:
        kept = [
            entry(task, PRUNE_SKIPPED, reason, SUCCEEDED)
            for task, reason in self.plan.kept
            if not any(
                r.get("name") == task.key.name and r.get("kind") == task.key.kind for r in self._results
            )
        ]
        self._results.extend(kept)
        return "successfully synced (all tasks run)"

    def _end(self, phase: str, message: str) -> None:
        self.state |= {"phase": phase, "message": message}


def _is_failed(found: JSON) -> bool:
    return found.get("status") == SYNC_FAILED or found.get("hookPhase") == FAILED
