"""``app.watch()``: the loop as it happens, until what was waited for is there."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops import operations
from labkit.lab.facts import AppStatus
from labkit.views import View, stack
from labkit.views.stages import Stage, stages
from labkit.views.tree import TreeNode, tree
from labkit.widgets import Live

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.lab.app import App

JSON = dict[str, Any]
LOOK_SECONDS = 0.25
LINGER_SECONDS = 5.0
LEAVING = "Pending deletion"
"""What health says of an object that has been deleted and is not gone yet."""


class Watched:
    """The last picture of a watch: it stays in the notebook. ``reached`` says whether it ended as wanted."""

    def __init__(self, view: View, *, reached: bool) -> None:
        self.reached = reached
        self._view = view

    def __repr__(self) -> str:
        return self._view.text

    def _repr_html_(self) -> str:
        return self._view._repr_html_()


def watch(app: App, *, timeout: float, until: Callable[[AppStatus], bool] | None = None) -> Watched:
    """Show an application live until it is Synced and Healthy (or ``until`` says so), or cannot get there by itself.

    Never raises because of what it sees: the picture says what is wrong.
    """
    deadline = time.monotonic() + timeout
    ended_at: float | None = None
    app.refresh()
    with Live() as live:
        while True:
            obj = app.object
            root = _tree(app)
            view = _picture(app, obj, root)
            live.show(view)
            now = time.monotonic()
            ended = _over(obj, until)
            ended_at = (ended_at or now) if ended else None
            if now > deadline or (
                ended_at is not None and (_settled(root) or now > ended_at + LINGER_SECONDS)
            ):
                break
            time.sleep(LOOK_SECONDS)
    if not ended:
        late = f"Stopped watching after {timeout:g} s."
        view = stack([view, View(late, f"<p class='warn'>{late}</p>")])
    return Watched(view, reached=bool(ended and _good(obj, until)))


def picture(app: App, obj: JSON) -> View:
    """The stages of the loop, and below them the resource tree."""
    return _picture(app, obj, _tree(app))


def _picture(app: App, obj: JSON, root: TreeNode) -> View:
    try:
        commit = app.commit
    except LabError:  # the repository does not answer; the stages say so
        commit = ""
    found = loop(obj, commit)
    if any(root.message and root.message == stage.detail for stage in found):
        root = replace(root, message="")  # a stage says it already
    return stack([stages(found), tree(root)])


def _tree(app: App) -> TreeNode:
    try:
        return app.tree
    except LabError as error:
        return TreeNode("Application", app.name, health="Unknown", message=str(error))


def _settled(root: TreeNode) -> bool:
    """Whether nothing is on its way out any more: old Pods leave a moment after the new ones are ready."""
    return root.message != LEAVING and all(_settled(child) for child in root.children)


def loop(obj: JSON, commit: str) -> list[Stage]:
    """How far the loop has come: commit → rendered → compared → synced → healthy."""
    status = AppStatus.of(obj)
    raw = obj.get("status") or {}
    broken = next(
        (c.message for c in status.conditions if c.type in {"ComparisonError", "InvalidSpecError"}), ""
    )
    if broken:
        return [
            Stage("commit", "Succeeded", "the newest one"),
            Stage("rendered", "Failed", broken),
            Stage("compared"),
            Stage("synced", "", "what ran before goes on running"),
            Stage("healthy", status.health),
        ]
    count = len(raw.get("resources") or [])
    held = next((c.message for c in status.conditions if c.type == "SyncError"), "")
    result = (raw.get("operationState") or {}).get("syncResult") or {}
    running = (result.get("revision") or ", ".join(result.get("revisions") or [])) == status.revision
    synced = status.phase if running else ""
    return [
        Stage("commit", "Succeeded" if status.revision else "", commit or status.revision[:7]),
        Stage("rendered", "Succeeded" if count else "", f"{count} object{'s' * (count != 1)}"),
        Stage("compared", status.sync, status.sync),
        Stage("synced", synced, held or _words(raw.get("operationState") or {}, synced, status.sync)),
        Stage("healthy", status.health, status.health),
    ]


def _words(state: JSON, phase: str, sync: str) -> str:
    if not phase:
        return "nothing to do" if sync == "Synced" else "not asked for"
    by = (state.get("operation") or {}).get("initiatedBy") or {}
    who = "by the controller" if by.get("automated") else f"by {by.get('username') or 'hand'}"
    return who if phase == "Succeeded" else str(state.get("message") or phase)


def _over(obj: JSON, until: Callable[[AppStatus], bool] | None) -> bool:
    """Whether there is nothing to wait for: it is as wanted, or nothing will happen by itself."""
    return _good(obj, until) or (until is None and _stuck(obj))


def _good(obj: JSON, until: Callable[[AppStatus], bool] | None) -> bool:
    status = AppStatus.of(obj)
    if until is not None:
        return until(status)
    return not _busy(obj) and (status.sync, status.health) == ("Synced", "Healthy")


def _stuck(obj: JSON) -> bool:
    status = AppStatus.of(obj)
    automated = ((obj.get("spec") or {}).get("syncPolicy") or {}).get("automated") is not None
    waiting_for_a_person = status.sync == "OutOfSync" and not automated
    return not _busy(obj) and (bool(status.conditions) or waiting_for_a_person)


def _busy(obj: JSON) -> bool:
    return not operations.idle(obj)
