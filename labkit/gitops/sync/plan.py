"""The plan of a sync: every task in its order with the reason for it, as a value that can be shown first."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.options import sync_option
from labkit.gitops.sync import hooks
from labkit.gitops.sync.phases import SYNC, SYNC_FAIL, wave
from labkit.gitops.sync.tasks import FIRST, Task, hook_tasks, ordered, plan_waves
from labkit.k8s.objects import Object, ObjectKey, gvk, name_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from labkit.gitops.diff import Compared

JSON = dict[str, Any]


@dataclass(frozen=True)
class Wishes:
    """What an operation asks for beyond "make it so"."""

    prune: bool = False
    resources: Sequence[JSON] = ()
    options: tuple[str, ...] = ()

    @property
    def selective(self) -> bool:
        """Whether only some resources are meant; then hooks do not run and no history is written."""
        return bool(self.resources)

    def means(self, key: ObjectKey) -> bool:
        """Whether the operation is about this object."""
        return not self.resources or any(
            (r.get("group") or "", r.get("kind"), r.get("name")) == (key.group, key.kind, key.name)
            and (r.get("namespace") or key.namespace) == key.namespace
            for r in self.resources
        )


@dataclass(frozen=True)
class Plan:
    """Tasks in the order in which they will be carried out, and what is left alone although it differs."""

    tasks: tuple[Task, ...]
    kept: tuple[tuple[Task, str], ...] = field(default=())

    @property
    def steps(self) -> list[list[Task]]:
        """The tasks by phase and wave, without those that only a failure brings about."""
        usual = [task for task in self.tasks if task.phase != SYNC_FAIL]
        return [list(group) for _, group in groupby(usual, key=lambda task: task.step)]

    @property
    def on_failure(self) -> list[Task]:
        """The SyncFail hooks."""
        return [task for task in self.tasks if task.phase == SYNC_FAIL]

    def to_json(self) -> list[JSON]:
        """The tasks in their order, then what is left alone: what is done with which object, when, and why."""
        found = [to_json(task) for task in self.tasks]
        return found + [to_json(task, "keep", reason) for task, reason in self.kept]

    def __str__(self) -> str:
        lines = []
        for step in self.steps:
            lines.append(f"{step[0].phase}, wave {step[0].wave}")
            lines += [f"  {task}  ({task.reason})" for task in step]
        lines += [f"kept: {name_of(task.obj)}  ({reason})" for task, reason in self.kept]
        return "\n".join(lines) or "nothing to do"


def plan(items: Iterable[Compared], wishes: Wishes, namespace: Task | None = None) -> Plan:
    """What a sync does about a comparison.

    Everything wanted is applied, in or out of sync, unless ``ApplyOutOfSyncOnly``; what Git no longer has is
    pruned if the operation says so and the object does not forbid it.
    """
    tasks: list[Task] = [namespace] if namespace is not None else []
    kept: list[tuple[Task, str]] = []
    targets: list[Object] = []
    only_differing = "ApplyOutOfSyncOnly=true" in wishes.options
    for item in items:
        if item.target is not None and hooks.is_hook(item.target):
            targets.append(item.target)
        elif wishes.means(item.key) and not item.hook:
            task = _task(item, wishes.options)
            reason = _left_alone(task, item, wishes, only_differing=only_differing)
            if reason is None:
                tasks.append(task)
            elif reason:
                kept.append((task, reason))
    if not wishes.selective:
        tasks += hook_tasks(targets)
    return Plan(tuple(ordered(plan_waves(tasks, wishes.options))), tuple(kept))


def to_json(task: Task, action: str = "", reason: str = "") -> JSON:
    """A task as it is shown: when, what is done with which object, and why."""
    found: JSON = {"phase": task.phase, "wave": task.wave if task.step != FIRST else None}
    found |= {"action": action or task.does, "group": task.key.group, "version": gvk(task.obj).version}
    found |= {"kind": task.key.kind, "namespace": task.key.namespace, "name": hooks.display_name(task.obj)}
    found |= {"uid": uid_of(task.live or {}), "reason": reason or task.reason}
    return found | ({"confirm": True} if task.needs_confirmation else {})


def _task(item: Compared, options: tuple[str, ...]) -> Task:
    obj = item.target or item.live or {}
    confirm = item.target is None and sync_option(obj, options, "Prune") == "confirm"
    if item.target is None:
        reason = "Git no longer has it" + ("; it waits for a confirmation" if confirm else "")
    elif item.live is None:
        reason = "it is missing"
    else:
        reason = (
            "it differs"
            if item.status == "OutOfSync"
            else "in sync already: applied again, which changes nothing"
        )
    return Task(SYNC, item.target, item.live, wave(obj), reason=reason, needs_confirmation=confirm)


def _left_alone(task: Task, item: Compared, wishes: Wishes, *, only_differing: bool) -> str | None:
    """``None`` to do the task; else why it is not done (empty: not worth a word)."""
    if not task.prunes:
        return "" if only_differing and item.status == "Synced" else None
    if not wishes.prune:
        return "ignored (requires pruning)"
    option = sync_option(task.obj, wishes.options, "Prune")
    if option == "false":
        return "ignored (no prune)"
    return None
