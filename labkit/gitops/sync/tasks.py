"""Tasks of a sync, and their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labkit.gitops.api.options import enabled, sync_option
from labkit.gitops.sync import hooks
from labkit.gitops.sync.phases import PHASES, PRE_SYNC, SYNC, kind_order, wave
from labkit.k8s.objects import Object, ObjectKey, get_path, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Task:
    """One object to apply or, without a target, to prune; ``wave`` may differ from the object's own."""

    phase: str
    target: Object | None = None
    live: Object | None = None
    wave: int = 0
    hook: str = ""
    reason: str = ""
    needs_confirmation: bool = False
    action: str = ""
    """What a plan that was written down says is done; else it follows from the objects."""

    @property
    def does(self) -> str:
        """``hook``, ``prune``, ``create`` or ``apply``."""
        does = "hook" if self.hook else "prune" if self.prunes else "create" if self.live is None else "apply"
        return self.action or does

    @property
    def obj(self) -> Object:
        """What it is about."""
        return self.target if self.target is not None else self.live or {}

    @property
    def key(self) -> ObjectKey:
        """The identity of its object."""
        return ObjectKey.of(self.obj)

    @property
    def prunes(self) -> bool:
        """Whether the object is to go."""
        return self.target is None

    @property
    def defines(self) -> tuple[str, str] | None:
        """Group and kind of the custom resources that its object defines."""
        if self.obj.get("kind") != "CustomResourceDefinition":
            return None
        return (get_path(self.obj, "spec", "group"), get_path(self.obj, "spec", "names", "kind"))

    @property
    def step(self) -> tuple[int, int]:
        """Phase and wave: tasks of one step are carried out together."""
        return (PHASES.index(self.phase), self.wave)

    def __str__(self) -> str:
        verb = f"run {self.phase} hook" if self.hook else "prune" if self.prunes else "apply"
        return f"{verb} {self.obj.get('kind')} {hooks.display_name(self.obj)}"


_BEFORE_ALL = -(2**31)
FIRST = (PHASES.index(PRE_SYNC), _BEFORE_ALL)
"""The step of the destination's namespace, which has no wave that anybody wrote."""


def ordered(tasks: Iterable[Task]) -> list[Task]:
    """By phase, wave, kind and name; a Namespace or CRD comes before the first that needs it."""
    found = sorted(tasks, key=_place)
    for task in list(found):
        if needs := _needed_by(task):
            _pull(found, task, needs)
    return found


def plan_waves(tasks: Iterable[Task], options: Iterable[str]) -> list[Task]:
    """The tasks with prunes put into the waves in which they belong.

    Prunes run in the mirror of their waves, so that what was made last goes first; with ``PruneLast`` they come
    in a wave after the last one of the sync.
    """
    found, options = list(tasks), list(options)
    prunes = [task for task in found if task.prunes]
    waves = sorted({task.wave for task in prunes if not _last(task, options)})
    mirror = dict(zip(waves, reversed(waves), strict=True))
    after = max((task.wave for task in found if task.phase == SYNC), default=0) + 1
    return [
        replace(task, wave=after if _last(task, options) else mirror[task.wave]) if task.prunes else task
        for task in found
    ]


def hook_tasks(targets: Iterable[Object]) -> list[Task]:
    """A task for each phase of each hook."""
    return [
        Task(phase, obj, wave=wave(obj), hook=phase, reason=f"it is a {phase} hook")
        for obj in targets
        for phase in hooks.phases(obj)
        if phase in PHASES
    ]


def namespace_task(obj: Object, live: Object | None) -> Task:
    """CreateNamespace: before everything else."""
    return Task(PRE_SYNC, obj, live, wave=_BEFORE_ALL, reason="syncOption CreateNamespace=true")


def _place(task: Task) -> tuple[int, int, int, int, str]:
    kind = str(task.obj.get("kind") or "")
    order = kind_order(kind)
    # Prunes come first in their wave, and in the reverse of the order in which things are made.
    return (*task.step, 0 if task.prunes else 1, -order if task.prunes else order, name_of(task.obj))


def _last(task: Task, options: list[str]) -> bool:
    return task.prunes and enabled(sync_option(task.obj, options, "PruneLast"))


def _needed_by(task: Task) -> Callable[[Task], bool] | None:
    """Which other tasks need this one's object to be there: those of its kind, or in its namespace."""
    obj = task.obj
    if defined := task.defines:
        return lambda other: (other.key.group, other.key.kind) == defined
    if obj.get("kind") == "Namespace" and not task.key.group and name_of(obj):
        return lambda other: other.key.namespace == name_of(obj)
    return None


def _pull(found: list[Task], task: Task, needs: Callable[[Task], bool]) -> None:
    """Move ``task`` before the first task that needs it, into that one's phase and wave."""
    at = found.index(task)
    first = next((i for i, other in enumerate(found) if other is not task and needs(other)), None)
    if first is not None and first < at:
        found.remove(task)
        found.insert(first, replace(task, phase=found[first].phase, wave=found[first].wave))
