"""The loop as it happens: commit received → rendered → compared → planned → wave by wave → healthy.

Each step says what it looked at, what it found and how long it took; below stands, in words, why the controller
does nothing more. Made of what the controller tells (`labkit.gitops.trace`) and of the Application's status.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.views import words
from labkit.views.view import View, render

JSON = dict[str, Any]

STAGES = ("received", "rendered", "compared", "planned")


@dataclass(frozen=True)
class Step:
    """One step of the loop. ``status`` is a status word, empty while it is not there yet."""

    name: str
    status: str = ""
    says: str = ""
    looked: str = ""
    seconds: float | None = None
    at: str = ""
    tasks: tuple[JSON, ...] = ()

    @property
    def took(self) -> str:
        """How long it took, as a person says it."""
        return "" if self.seconds is None else duration(self.seconds)


@dataclass(frozen=True)
class Loop:
    """The steps, and why there is no further one."""

    steps: tuple[Step, ...]
    reason: str = ""
    gates: tuple[JSON, ...] = ()
    journal: tuple[JSON, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether the gates were gone through at all."""
        return bool(self.gates)


def loop_of(told: JSON, application: JSON) -> Loop:
    """The loop, of what the controller told, and the Application."""
    status = application.get("status") or {}
    known = {stage["name"]: stage for stage in told.get("stages") or []}
    steps = [_stage(name, known.get(name)) for name in STAGES]
    steps += [_wave(wave) for wave in told.get("waves") or []]
    health = (status.get("health") or {}).get("status") or ""
    since = (status.get("health") or {}).get("lastTransitionTime") or ""
    steps.append(Step("healthy", health, _unhealthy(status) or health, "the worst of what is live", at=since))
    return Loop(
        tuple(steps),
        str(told.get("reason") or ""),
        tuple(told.get("gates") or ()),
        tuple(reversed(told.get("journal") or [])),
    )


def loop(shown: Loop, *, timing: bool = True) -> View:
    """The picture; without ``timing`` it is the same for every run of the same story."""
    width = max(len(step.name) for step in shown.steps)
    lines = []
    for step in shown.steps:
        sign = words.sign(step.status) if step.status else "·"
        took = f"  ({step.took})" if timing and step.took else ""
        lines.append(f"{sign} {step.name:<{width}}  {step.says}{took}".rstrip())
        lines += [f"    {task_words(task)}" for task in step.tasks]
    if shown.reason:
        lines.append(f"→ {why(shown)}")
    return View(
        "\n".join(lines), render("loop.html", loop=shown, timing=timing, why=why(shown), task=task_words)
    )


def why(shown: Loop) -> str:
    """What the controller does by itself at this moment, or which gate keeps it, in a sentence."""
    held = next((gate for gate in shown.gates if gate["state"] == "held"), None)
    if not shown.reason:
        return ""
    if not shown.gates:
        return f"The controller cannot go on: {shown.reason}. What runs goes on running."
    if held is None:
        return f"The controller synced by itself: {shown.reason}."
    if held["gate"] == "differs":
        return "There is nothing to do: live is what Git says."
    return f"The controller does not sync by itself: {shown.reason}."


def task_words(task: JSON) -> str:
    """A task in a line: ``✓ apply Deployment web``, with its message if it failed or waits."""
    sign = words.sign(task["status"]) if task.get("status") else "·"
    message = task.get("message") if task.get("status") in {"Failed", "Running"} else ""
    return f"{sign} {task['action']} {task['kind']} {task['name']}" + (f": {message}" if message else "")


def duration(seconds: float) -> str:
    """``3 ms``, ``1.2 s``, ``2 min``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "<1 ms"
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _stage(name: str, stage: JSON | None) -> Step:
    if stage is None:
        return Step(name)
    looked = stage["looked"] if name == "received" else f"looked at {stage['looked']}"
    return Step(name, stage["status"], stage["says"], looked, stage["seconds"], stage["at"])


def _wave(wave: JSON) -> Step:
    number = wave["wave"]
    name = f"wave {number}" if wave["phase"] == "Sync" else f"{wave['phase']} {number}"
    if number is None:
        name = "namespace"  # it comes before whatever has a wave
    tasks = wave["tasks"]
    done = sum(task["status"] == "Succeeded" for task in tasks)
    running = next((t for t in tasks if t["status"] in {"Failed", "Running"}), None)
    says = f"{done} of {len(tasks)} done" + (f"; {task_words(running)}" if running else "")
    return Step(name, wave["status"], says, "", _seconds(wave), wave["began"], tuple(tasks))


def _seconds(wave: JSON) -> float | None:
    if not wave["began"] or not wave["ended"]:
        return None
    began, ended = (datetime.fromisoformat(wave[name]) for name in ("began", "ended"))
    return (ended - began).total_seconds()


def _unhealthy(status: JSON) -> str:
    """Which object keeps the application from being healthy, and what it says."""
    for word in ("Degraded", "Missing", "Progressing"):
        if (status.get("health") or {}).get("status") != word:
            continue
        for resource in status.get("resources") or []:
            health = resource.get("health") or {}
            if health.get("status") == word:
                said = f": {health['message']}" if health.get("message") else ""
                return f"{word}: {resource['kind']} {resource['name']}{said}"
    return ""
