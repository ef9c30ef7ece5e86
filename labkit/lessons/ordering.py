"""What lesson 11 shows of a sync's order: its steps, how far each came, and what a hook that cannot go on waits for."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from labkit.errors import LessonError, SyncFailed, WaitTimeout
from labkit.k8s.objects import get_path, name_of
from labkit.runtime.clock import SystemClock
from labkit.views.code import code
from labkit.views.stages import Stage, stages
from labkit.views.view import stack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.lessons.workbench import Workbench
    from labkit.runtime.clock import Clock
    from labkit.views import View

SECONDS = 40.0
_PAUSE = 0.1
_FIRST = "first of all"
_VALUE = re.compile(r" Invalid value: \{.*\}:")


def steps(app: Any) -> View:
    """What a sync would do now, phase by phase and wave by wave; one card for what is carried out together."""
    planned = groupby(app.plan(), key=_step)
    return stages([Stage(when, "", _names(task.about for task in tasks)) for when, tasks in planned])


def run(app: Any) -> View:
    """Sync, wait for the end, and show how each object fared; a sync that fails is shown, and raises nothing."""
    with suppress(SyncFailed, WaitTimeout):  # the operation says it, too
        app.sync(timeout=SECONDS)
    return result(app)


def result(app: Any) -> View:
    """The last sync, or the one that is running: how it ended, and each object with its phase and what came of it."""
    state = get_path(app.object, "status", "operationState", default={})
    tasks = get_path(state, "syncResult", "resources", default=[])
    known = {(task.phase, task.about): _step(task) for task in app.plan()}
    groups = groupby(tasks, key=lambda each: known.get((each["syncPhase"], _about(each))) or _phase(each))
    cards = [
        Stage(when, _worst(of_one), _names(map(_about, of_one)))
        for when, group in groups
        for of_one in [list(group)]
    ]
    message = str(state.get("message", "")).partition("\n")[0]
    shown = stages([*cards, Stage("the sync", str(state.get("phase", "")), message)])
    problems = [f"{_about(each)}: {_why(each)}" for each in tasks if _worst([each]) == "Failed"]
    return stack([shown, code("\n".join(problems))]) if problems else shown


def _step(task: Any) -> str:
    """``PreSync -1``, ``Sync``; the destination's namespace, which has no wave, is a step of its own before all."""
    return _FIRST if task.wave is None else str(task.when)


def _phase(task: dict[str, Any]) -> str:
    """Where a task was that the plan no longer has: a namespace that is there now, a hook of an earlier commit."""
    return _FIRST if task["kind"] == "Namespace" else str(task["syncPhase"])


def _why(task: dict[str, Any]) -> str:
    """What is said of a task that failed, without the whole of a value that was refused."""
    return _VALUE.sub("", str(task.get("message", "")).partition(" Fix: ")[0])


def stuck(bench: Workbench, app: Any, clock: Clock | None = None) -> View:
    """Wait until a Pod of the application cannot start, and show what its Pods wait for."""
    clock = clock or SystemClock()
    end = clock.monotonic() + SECONDS
    while clock.monotonic() < end:
        lines = [line for pod in bench.cluster.list("v1", "Pod", app.namespace).items for line in _waits(pod)]
        if lines:
            return code("\n".join(lines))
        clock.sleep(_PAUSE)
    raise LessonError(
        f"no Pod of it was stuck in {SECONDS:g} s", where=app.name, fix="Look at it: labkit app get"
    )


def _waits(pod: dict[str, Any]) -> list[str]:
    """What keeps the Pod's containers from starting, apart from what is over in a moment."""
    owner = get_path(pod, "metadata", "ownerReferences", 0, default={})
    who = f"{owner['kind']} {owner['name']}" if owner else name_of(pod)
    states = get_path(pod, "status", "containerStatuses", default=[])
    waiting = [get_path(each, "state", "waiting", default={}) for each in states]
    return [f"{who}: {each['reason']}: {each['message']}" for each in waiting if each.get("message")]


def _worst(tasks: list[dict[str, Any]]) -> str:
    """One word for a phase's objects: Failed, Running or Succeeded."""
    found = {str(each.get("hookPhase") or "Succeeded") for each in tasks}
    found |= {"Failed" for each in tasks if each.get("status") == "SyncFailed"}
    return next((word for word in ("Failed", "Error", "Running") if word in found), "Succeeded")


def _about(task: dict[str, Any]) -> str:
    return f"{task['kind']}/{task['name']}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
