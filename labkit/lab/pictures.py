"""The live picture for those who do not look at the web page: the same views, for a notebook and a terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.views import View, stack
from labkit.views.applications import applications, card_of
from labkit.views.loop import loop as loop_view
from labkit.views.loop import loop_of
from labkit.views.problem import problem
from labkit.views.status import badges
from labkit.views.tree import tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.lab.app import App

JSON = dict[str, Any]


def overview(apps: Iterable[App]) -> View:
    """All applications at a glance."""
    return applications([card_of(app.object, app.commit_metadata) for app in apps])


def application(app: App) -> View:
    """One application: sync and health, the loop of late, the tree. What cannot be had is said in its place."""
    status = app.status
    title = View(f"Application {app.name}", f"<h4>Application {escape(app.name)}</h4>")
    return stack(
        [title, badges(status.sync, status.health), _part(lambda: app.loop), _part(lambda: tree(app.tree))]
    )


def loop(told: JSON, obj: JSON) -> View:
    """The loop's picture, of what the service told."""
    return loop_view(loop_of(told, obj))


def _part(draw: Any) -> View:
    try:
        found: View = draw()
    except LabError as error:
        return problem(error)
    return found
