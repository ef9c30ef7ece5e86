"""Carries out one task: the only place where the engine writes to a destination cluster."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.errors import ApiError, Conflict, Invalid, LabError, NoSuchKind, NotFound
from labkit.gitops.api.names import HOOK_FINALIZER
from labkit.gitops.api.options import enabled, sync_option
from labkit.gitops.applying import apply
from labkit.gitops.diff.ignore import Ignored
from labkit.gitops.sync import hooks
from labkit.k8s.objects import Object, gvk, metadata, name_of, namespace_of, uid_of
from labkit.k8s.secrets import unquoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.gitops.live import LiveCluster
    from labkit.gitops.projects import Permits
    from labkit.gitops.sync.tasks import Task

JSON = dict[str, Any]
SYNCED, SYNC_FAILED, PRUNED, PRUNE_SKIPPED = "Synced", "SyncFailed", "Pruned", "PruneSkipped"


@dataclass(frozen=True)
class Carrier:
    """Applies and prunes on one cluster, with the sync options of one operation."""

    live: LiveCluster
    options: tuple[str, ...] = ()
    propagation: str = "Foreground"
    permits: Permits = field(default=lambda _obj: "")
    ignored: Sequence[JSON] = ()

    def dry_run(self, task: Task) -> str:
        """Why the project or the API server would refuse the task; empty if neither would."""
        if refusal := self.permits(task.obj):
            return refusal
        if task.prunes or task.target is None:
            return ""
        try:
            if not self._replaces(task.target):
                apply(self.live.server, self._respectful(task), self.options, dry_run=True)
        except NoSuchKind as error:
            return "" if self._on(task.target, "SkipDryRunOnMissingResource") else words(error)
        except Invalid as error:
            return "" if self._on(task.target, "Force") else words(error)  # then it is made anew
        except LabError as error:
            return words(error)
        return ""

    def carry(self, task: Task) -> JSON:
        """Do it; the entry for ``syncResult.resources``."""
        if refusal := self.permits(task.obj):
            return entry(task, SYNC_FAILED, refusal)
        try:
            status, message = self._prune(task) if task.prunes else self._apply(task)
        except _Lingers as lingering:
            return entry(task, "", str(lingering), "Running") | {"pending": True}
        except LabError as error:
            status, message = SYNC_FAILED, unquoted(words(error), task.obj)
        return entry(task, status, message)

    def _apply(self, task: Task) -> tuple[str, str]:
        target, live = self._respectful(task), task.live
        if self._replaces(target):
            return SYNCED, self._replace(target, live)
        if live is not None and metadata(live).get("deletionTimestamp") and self._on(target, "Force"):
            raise _Lingers(live)
        try:
            made = apply(self.live.server, target, self.options)
        except (Invalid, Conflict):
            if live is None or not self._on(target, "Force"):
                raise
            return SYNCED, self._anew(target, live)
        self.live.observe(made)
        before = metadata(live).get("resourceVersion") if live is not None else None
        done = (
            "created"
            if live is None
            else "unchanged"
            if before == metadata(made).get("resourceVersion")
            else "configured"
        )
        return SYNCED, f"{_name(made)} {done}"

    def _replace(self, target: Object, live: Object | None) -> str:
        if live is None:
            self.live.observe(self.live.server.create(target))
            return f"{_name(target)} created"
        if self._on(target, "Force"):
            return self._anew(target, live)
        wanted = copy.deepcopy(target)
        wanted["metadata"]["resourceVersion"] = metadata(live).get("resourceVersion")
        self.live.observe(self.live.server.replace(wanted))
        return f"{_name(target)} replaced"

    def _anew(self, target: Object, live: Object) -> str:
        """Delete and create; `_Lingers` while the old one is not gone."""
        if not metadata(live).get("deletionTimestamp"):
            self.delete(live)
        kind = gvk(live)
        left = self.live.server.find(kind.api_version, kind.kind, name_of(live), namespace_of(live) or None)
        if left is not None and uid_of(left) == uid_of(live):
            raise _Lingers(live)
        self.live.observe(self.live.server.create(target))
        return f"{_name(target)} replaced: deleted, and made anew"

    def _respectful(self, task: Task) -> Object:
        """The target; with ``RespectIgnoreDifferences``, what is ignored is left as it is."""
        target = task.target or {}
        if task.live is None or "RespectIgnoreDifferences=true" not in self.options:
            return target
        return Ignored.of(target, self.ignored).respected(target, task.live)

    def _replaces(self, target: Object) -> bool:
        return self._on(target, "Replace")

    def _prune(self, task: Task) -> tuple[str, str]:
        self.delete(task.live or {})
        return PRUNED, "pruned"

    def delete(self, live: Object) -> None:
        """Delete this very object; that it is gone already is as good, and a namesake is left alone.

        Of a hook nobody waits for its end any more.
        """
        if hooks.held(live):
            self.release(live)
        try:
            left = self.live.server.delete(
                live.get("apiVersion", ""),
                live.get("kind", ""),
                name_of(live),
                namespace_of(live) or None,
                propagation_policy=self.propagation,
                uid=uid_of(live) or None,
            )
        except (NotFound, Conflict):
            left = None
        if left is None or not metadata(left).get("deletionTimestamp"):  # gone: it waits for nothing
            self.live.forget(live)
        else:
            self.live.observe(left)

    def release(self, hook: Object) -> None:
        """Let go of a hook's object: from now on it may be deleted."""
        rest = [name for name in metadata(hook).get("finalizers") or [] if name != HOOK_FINALIZER]
        with contextlib.suppress(NotFound, Conflict):
            left = self.live.server.patch(
                hook.get("apiVersion", ""),
                hook.get("kind", ""),
                name_of(hook),
                namespace_of(hook) or None,
                patch={"metadata": {"uid": uid_of(hook), "finalizers": rest or None}},
            )
            self.live.observe(left)

    def _on(self, obj: Object, option: str) -> bool:
        return enabled(sync_option(obj, self.options, option))


class _Lingers(Exception):
    """An object that is to be made anew is not gone yet."""

    def __init__(self, live: Object) -> None:
        super().__init__(f"waiting for the old {_name(live)} to be gone")


def entry(task: Task, status: str, message: str, phase: str = "") -> JSON:
    """A task as ``syncResult.resources`` lists it."""
    kind = gvk(task.obj)
    found: JSON = {
        "group": kind.group,
        "version": kind.version,
        "kind": kind.kind,
        "namespace": task.key.namespace,
        "name": task.key.name,
        "syncPhase": task.phase,
        "message": message,
    }
    if status:
        found["status"] = status
    if task.hook:
        found["hookType"] = task.hook
    found["hookPhase"] = phase or ("Failed" if status == SYNC_FAILED else "Running")
    return found


def words(error: LabError) -> str:
    """What went wrong, in the API server's words, with the likely fix."""
    text = error.problem if isinstance(error, ApiError) else str(error)
    fix = error.fix if isinstance(error, ApiError) else ""
    for sign, advice in _ADVICE:
        if not fix and sign in text:
            fix = advice
    return f"{text}. Fix: {fix}" if fix else text


_ADVICE = (
    (
        "field is immutable",
        "this field cannot be changed: delete the object, or make it anew by sync option Force=true on it.",
    ),
    ("namespaces", "add the sync option CreateNamespace=true, or a Namespace manifest."),
    ("strict decoding error", "the field's name or place is wrong: compare it with `kubectl explain`."),
    ("does not match template", "selector.matchLabels and template.metadata.labels must agree."),
)


def _name(obj: Object) -> str:
    kind = gvk(obj)
    full = f"{kind.kind.lower()}.{kind.group}" if kind.group else kind.kind.lower()
    return f"{full}/{name_of(obj)}"
