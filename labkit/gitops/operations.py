"""What people and programs do with applications: each of these writes to, or reads from, the Application object.

Nothing here talks to the controller. An operation is a field of the object; what becomes of it is its status. So
a notebook, the command line, ``kubectl`` and a CI job all do the same, and all see the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import (
    AlreadyExists,
    ApplicationError,
    ApplicationNotFound,
    Conflict,
    Gone,
    NotFound,
    RollbackRefused,
    SyncFailed,
    WaitTimeout,
)
from labkit.gitops.api.application import Application
from labkit.gitops.api.names import (
    API_VERSION,
    DELETION_APPROVED,
    FINALIZER,
    FINALIZERS,
    NAMESPACE,
    POST_DELETE,
    PRE_DELETE,
    REFRESH,
)
from labkit.gitops.api.pinned import Pinned
from labkit.gitops.selection import named, selected
from labkit.gitops.status import stamp
from labkit.gitops.sync import recorded
from labkit.gitops.sync.operation import ENDED, SUCCEEDED
from labkit.k8s.objects import Object, metadata, name_of
from labkit.runtime.clock import SystemClock

if TYPE_CHECKING:
    from labkit.runtime.client import ObjectClient

__all__ = [
    "NAMESPACE",
    "confirm_deletion",
    "create",
    "delete",
    "entry_of",
    "get",
    "idle",
    "list_",
    "refresh",
    "rollback",
    "sync",
    "terminate",
    "update",
    "wait",
    "wait_for_operation",
    "wait_until_gone",
]

JSON = dict[str, Any]
Progress = Callable[[Object], None]

KIND = "Application"
REFRESH_SECONDS = 60.0


def get(cluster: ObjectClient, name: str) -> Object:
    """The Application; `ApplicationNotFound` where there is none."""
    found = cluster.find(API_VERSION, KIND, name, NAMESPACE)
    if found is None:
        raise ApplicationNotFound(
            f"there is no application {name!r}", where=name, fix="`labkit app list` shows them."
        )
    return found


def list_(cluster: ObjectClient, *, label_selector: str = "") -> list[Object]:
    """All Applications, by name."""
    return sorted(
        cluster.list(API_VERSION, KIND, NAMESPACE, label_selector=label_selector).items, key=name_of
    )


def create(cluster: ObjectClient, application: Object, *, upsert: bool = False) -> Object:
    """Create an Application once its spec is seen to make sense; ``upsert`` replaces the spec of one that is there."""
    Application.from_object(application)
    name = name_of(application)
    try:
        return cluster.create(application)
    except AlreadyExists:
        there = get(cluster, name)
        if there.get("spec") == application.get("spec"):
            return there
        if not upsert:
            raise ApplicationError(
                f"there is an application {name!r} already, with another spec",
                where=name,
                fix="Add --upsert (upsert=True) to change it, or choose another name.",
            ) from None
    return update(cluster, name, lambda obj: {**obj, "spec": application["spec"]})


def update(cluster: ObjectClient, name: str, change: Callable[[Object], Object]) -> Object:
    """Change the Application by a function; if somebody writes meanwhile, the function is called again."""
    for _ in range(10):
        changed = change(get(cluster, name))
        Application.from_object(changed)
        try:
            return cluster.replace(changed)
        except Conflict:
            continue
    raise ApplicationError(
        f"application {name!r} is written by others all the time", where=name, fix="Try again."
    )


def refresh(
    cluster: ObjectClient, name: str, *, hard: bool = False, timeout: float = REFRESH_SECONDS
) -> Object:
    """Ask the controller to look at Git now, and wait until it has."""
    there = (metadata(get(cluster, name)).get("annotations") or {}).get(REFRESH)
    wishes = ["hard" if hard else "normal"]
    if there is not None:
        # A pass may have come past that wish, and is about to remove it. The same wish once more would change nothing
        # and be lost; another one has the pass begin anew.
        wishes = ["normal", "hard"] if there == "hard" else ["hard"]
    for wish in wishes:
        _patch(cluster, name, {"metadata": {"annotations": {REFRESH: wish}}})
    return _until(
        cluster,
        name,
        lambda obj: REFRESH not in (metadata(obj).get("annotations") or {}),
        timeout,
        missing=lambda _obj: "the controller has not looked at it: is the lab up? (`labkit status`)",
    )


def sync(
    cluster: ObjectClient,
    name: str,
    *,
    revision: str = "",
    prune: bool = False,
    dry_run: bool = False,
    resources: Sequence[str] = (),
    force: bool = False,
    options: Sequence[str] | None = None,
    plan: Sequence[JSON] | None = None,
    username: str = "admin",
) -> Object:
    """Ask for a sync, to ``revision`` or what is followed; ``resources`` are filters as `selection` reads them.

    ``plan`` is one that was looked at: the sync is refused where it would do anything else.
    """
    obj = get(cluster, name)
    if resources and not (obj.get("status") or {}).get("reconciledAt"):
        obj = refresh(cluster, name)  # a new one: nobody knows its resources yet
    _refuse_second(obj)
    app = Application.from_object(obj)
    wanted = list(options if options is not None else app.sync_policy.options)
    if force:
        wanted += ["Force=true", "Replace=true"]
    asked: JSON = {"prune": prune, "dryRun": dry_run, "syncOptions": wanted}
    if revision:
        asked["revision"] = revision
    if resources:
        asked["resources"] = named(selected(resources, app.status.get("resources") or []))
    operation: JSON = {"sync": asked, "initiatedBy": {"username": username}}
    if retry := (app.spec.get("syncPolicy") or {}).get("retry"):
        operation["retry"] = retry
    if plan is not None:
        operation = recorded.write(operation, recorded.EXPECTED, plan)
    return _patch(cluster, name, {"operation": operation})


def rollback(
    cluster: ObjectClient,
    name: str,
    entry: int | None = None,
    *,
    prune: bool = False,
    username: str = "admin",
) -> Object:
    """Ask for a sync to an earlier entry of the history, by default the last but one.

    `RollbackRefused` under automated sync: it would be undone at once, because Git still says otherwise.
    """
    obj = get(cluster, name)
    app = Application.from_object(obj)
    if app.sync_policy.automated:
        raise RollbackRefused(
            "rollback cannot be performed when auto-sync is enabled: the next sync would undo it",
            where=name,
            fix="Revert the commit in Git (`git revert`, push), or switch automation off first: "
            f"labkit app set {name} --sync-policy none",
        )
    _refuse_second(obj)
    asked: JSON = {"prune": prune, "syncOptions": list(app.sync_policy.options), **entry_of(app, entry)}
    return _patch(cluster, name, {"operation": {"sync": asked, "initiatedBy": {"username": username}}})


def entry_of(app: Application, entry: int | None = None) -> JSON:
    """What an entry of the history deployed, as an operation names it; by default the last but one."""
    pinned = Pinned.read(_entry(app.status.get("history") or [], entry, app.name), app)
    return {field: value for field, value in pinned.fields.items() if value}


def terminate(cluster: ObjectClient, name: str) -> Object:
    """Stop the operation that runs; `ApplicationError` where none does."""
    state = (get(cluster, name).get("status") or {}).get("operationState") or {}
    if not state or state.get("phase") in ENDED:
        raise ApplicationError("no operation is running", where=name, fix="There is nothing to terminate.")
    return _patch(cluster, name, {"status": {"operationState": {"phase": "Terminating"}}})


def confirm_deletion(cluster: ObjectClient, name: str) -> Object:
    """Agree to what waits for a confirmation (``Prune=confirm``, ``Delete=confirm``), as of now."""
    now = stamp(SystemClock().now())
    return _patch(cluster, name, {"metadata": {"annotations": {DELETION_APPROVED: now}}})


def wait_for_operation(
    cluster: ObjectClient, name: str, *, timeout: float | None = None, progress: Progress | None = None
) -> Object:
    """Wait until no operation runs; `SyncFailed` with its message if it failed."""
    found = _until(cluster, name, idle, timeout, missing=_running, progress=progress)
    state = (found.get("status") or {}).get("operationState") or {}
    if state and state.get("phase") != SUCCEEDED:
        raise SyncFailed(
            state.get("message") or "the operation failed",
            where=name,
            fix=_unless_said(state.get("message", ""), "`labkit app get` shows each resource."),
        )
    return found


def wait(
    cluster: ObjectClient,
    name: str,
    *,
    sync: bool = True,
    health: bool = True,
    operation: bool = True,
    suspended: bool = False,
    resources: Sequence[str] = (),
    timeout: float | None = None,
    progress: Progress | None = None,
    until: Callable[[Object], bool] | None = None,
) -> Object:
    """Wait for the states asked for; `WaitTimeout` says which was not reached. ``until`` adds a condition.

    With ``resources``, filters as `selection` reads them, it is those that have to reach the states.
    """
    aims = _Aims(sync, health, operation, suspended, tuple(resources), until)
    return _until(
        cluster, name, lambda obj: not aims.lacks(obj), timeout, missing=aims.lacks, progress=progress
    )


@dataclass(frozen=True)
class _Aims:
    """The states that somebody waits for."""

    sync: bool
    health: bool
    operation: bool
    suspended: bool
    resources: tuple[str, ...]
    until: Callable[[Object], bool] | None

    def lacks(self, obj: Object) -> str:
        """What is not reached yet, and what the controller says is wrong; empty when all is reached."""
        status = obj.get("status") or {}
        lacks = ["an operation is running"] if self.operation and not idle(obj) else []
        if self.resources:
            for entry in selected(self.resources, status.get("resources") or []):
                # a kind that has no health, as a ConfigMap, is not waited for
                health = (entry.get("health") or {}).get("status") or "Healthy"
                lacks += self._missing(f"{entry['kind']} {entry['name']}: ", entry.get("status"), health)
        else:
            found = [(status.get(field) or {}).get("status") for field in ("sync", "health")]
            lacks += self._missing("", *found)
        if self.until is not None and not self.until(obj):
            lacks.append("not yet what was waited for")
        return "; ".join(filter(None, [", ".join(lacks), _complaints(status) if lacks else ""]))

    def _missing(self, which: str, sync: str | None, health: str | None) -> list[str]:
        lacks = []
        if self.sync and sync != "Synced":
            lacks.append(f"{which}sync is {sync or 'Unknown'}")
        if self.health and health != "Healthy" and not (self.suspended and health == "Suspended"):
            lacks.append(f"{which}health is {health or 'Unknown'}")
        return lacks


def delete(
    cluster: ObjectClient,
    name: str,
    *,
    cascade: bool = True,
    propagation_policy: str = "foreground",
    wait: bool = True,
    timeout: float | None = 60.0,
) -> None:
    """Delete an application and, with ``cascade``, what it deployed; returns when it is gone."""
    obj = get(cluster, name)
    others = [f for f in metadata(obj).get("finalizers") or [] if f not in FINALIZERS]
    if cascade:
        others.append(
            FINALIZER if propagation_policy == "foreground" else f"{FINALIZER}/{propagation_policy}"
        )
    else:  # then its hooks do not run either
        others = [f for f in others if not f.startswith((PRE_DELETE, POST_DELETE))]
    _patch(cluster, name, {"metadata": {"finalizers": others}})
    cluster.delete(API_VERSION, KIND, name, NAMESPACE)
    if wait:
        wait_until_gone(cluster, name, timeout=timeout)


def wait_until_gone(cluster: ObjectClient, name: str, *, timeout: float | None = 60.0) -> None:
    """Wait until there is no such application any more; `WaitTimeout` if that takes too long."""
    try:
        _until(cluster, name, lambda _obj: False, timeout, missing=lambda _obj: "it is still being deleted")
    except ApplicationNotFound:
        return


def _until(
    cluster: ObjectClient,
    name: str,
    reached: Callable[[Object], bool],
    timeout: float | None,
    *,
    missing: Callable[[Object], str],
    progress: Progress | None = None,
) -> Object:
    """The Application once it is as wanted: it is watched, not polled."""
    deadline = None if timeout is None else time.monotonic() + timeout
    obj = get(cluster, name)
    while True:
        if progress is not None:
            progress(obj)
        if reached(obj):
            return obj
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            lacks = missing(obj)
            raise WaitTimeout(
                f"waited {timeout:g} s: {lacks}",
                where=name,
                fix=_unless_said(lacks, "`labkit app get` shows each resource, with its message."),
            )
        obj = _next(cluster, name, obj, left)


def _next(cluster: ObjectClient, name: str, obj: Object, seconds: float | None) -> Object:
    """The Application after its next change, or as it is after ``seconds`` at most."""
    version = str(metadata(obj).get("resourceVersion") or "")
    pause = min(seconds, 30.0) if seconds is not None else 30.0
    events = cluster.watch(API_VERSION, KIND, NAMESPACE, resource_version=version, timeout=pause)
    try:
        for event in events:
            if event.type != "BOOKMARK" and name_of(event.object) == name:
                return event.object if event.type != "DELETED" else get(cluster, name)
    except Gone:
        pass  # so much was written since that the server keeps it no longer: look anew
    finally:
        close = getattr(events, "close", None)
        if close:
            close()
    return get(cluster, name)


def _patch(cluster: ObjectClient, name: str, patch: JSON) -> Object:
    try:
        return cluster.patch(API_VERSION, KIND, name, NAMESPACE, patch=patch)
    except NotFound:
        return get(cluster, name)


def idle(obj: Object) -> bool:
    """Whether no operation runs and none is asked for."""
    state = (obj.get("status") or {}).get("operationState") or {}
    return not obj.get("operation") and (not state or state.get("phase") in ENDED)


def _running(obj: Object) -> str:
    state = (obj.get("status") or {}).get("operationState") or {}
    return f"the operation is {state.get('phase', 'not begun')}: {state.get('message', '')}".rstrip(": ")


def _complaints(status: JSON) -> str:
    """What the controller itself says is wrong."""
    found = [c for c in status.get("conditions") or [] if str(c.get("type", "")).endswith("Error")]
    return "; ".join(f"{c['type']}: {c.get('message', '')}" for c in found)


def _unless_said(message: str, fix: str) -> str:
    """A fix of ours, where the message that is passed on does not end with a better one."""
    return "" if "Fix: " in message else fix


def _refuse_second(obj: Object) -> None:
    if not idle(obj):
        raise ApplicationError(
            "another operation is already in progress",
            where=name_of(obj),
            fix=f"Wait for it (labkit app wait {name_of(obj)} --operation), or labkit app terminate-op {name_of(obj)}",
        )


def _entry(history: list[JSON], number: int | None, name: str) -> JSON:
    known = ", ".join(str(e["id"]) for e in history) or "none"
    if number is None:
        if len(history) < 2:
            raise ApplicationError(
                "there is no earlier deployment to go back to", where=name, fix=f"The history has: {known}."
            )
        return history[-2]
    for entry in history:
        if entry["id"] == number:
            return entry
    raise ApplicationError(f"the history has no entry {number}", where=name, fix=f"It has: {known}.")
