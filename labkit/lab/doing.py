"""What can be done with an application from a notebook's picture, each with its plan first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.api.pinned import shortened
from labkit.lab.displays import picture
from labkit.settings.texts import texts
from labkit.views.status import sentence
from labkit.widgets.actions import Action, Choice, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.lab.app import App
    from labkit.lab.apps import Apps
    from labkit.lab.plan import SyncPlan
    from labkit.views import View
    from labkit.widgets.actions import Answers


def actions(app: App) -> list[Action]:
    """Refresh, sync, roll back, stop, delete. Whatever is asked for is done by the application's own methods."""
    sync, rollback, delete = Sync(app), Rollback(app), Delete(app)
    return [
        Action(_say("refresh", "label"), lambda _: _refresh(app)),
        Action(_say("sync", "label"), sync.do, _say("sync", "verb"), sync.ask, sync.look),
        Action(_say("rollback", "label"), rollback.do, _say("rollback", "verb"), rollback.ask, rollback.look),
        Action(
            _say("terminate", "label"),
            lambda _: _terminate(app),
            possible=lambda: app.status.phase == "Running",
            beside=True,
        ),
        Action(
            _say("delete", "label"), delete.do, _say("delete", "verb"), delete.ask, delete.look, danger=True
        ),
    ]


def below(apps: Apps) -> Choice:
    """Which application, and its buttons."""
    return Choice(
        _say("application"),
        lambda: [app.name for app in apps],
        lambda name: actions(apps[name]),
    )


class Sync:
    """All of it, by the plan that was looked at; or some of it, or as a dry run."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._plan: SyncPlan | None = None
        self._which: list[str] = []

    def ask(self) -> Sequence[Field]:
        """Which resources, and how."""
        policy = (self._app.object["spec"].get("syncPolicy") or {}).get("automated") or {}
        which = [(f"{each.kind} {each.name}", each.key) for each in self._app.resources]
        self._which = [key for _, key in which]
        return (
            Field("resources", _say("sync", "resources"), options=which, several=True),
            Field("prune", _say("sync", "prune"), bool(policy.get("prune"))),
            Field("dry", _say("sync", "dry")),
        )

    def look(self, answers: Answers) -> View:
        """The plan; of some resources, their part of it."""
        self._plan = plan = self._app.plan(prune=answers["prune"])
        chosen = self._chosen(answers)
        return picture([task for task in plan if not chosen or task.resource.key in chosen], repr(plan))

    def do(self, answers: Answers) -> str:
        """Sync, and wait for the end; the picture above shows how it goes."""
        if self._which and not answers["resources"]:
            raise LabError(_say("sync", "none"), where=self._app.name)
        chosen = self._chosen(answers)
        if chosen or answers["dry"]:
            self._app.sync(prune=answers["prune"], dry_run=answers["dry"], resources=chosen)
        else:
            self._app.sync(plan=self._plan)
        if answers["dry"]:
            return _say("sync", "tried")
        result = self._app.object["status"]["operationState"]["syncResult"]
        revisions = result.get("revisions") or [result.get("revision") or ""]
        return _say("sync", "done").format(revision=", ".join(map(shortened, revisions)))

    def _chosen(self, answers: Answers) -> list[str]:
        """The resources that were chosen; none where it is all of them."""
        found = list(answers["resources"])
        return [] if len(found) == len(self._which) else found


class Rollback:
    """To an entry of the history."""

    def __init__(self, app: App) -> None:
        self._app = app

    def ask(self) -> Sequence[Field]:
        """Which entry: the newest first, and the last but one proposed."""
        entries = list(self._app.history)[::-1]
        if not entries:
            raise LabError(_say("rollback", "none"), where=self._app.name, fix=_say("rollback", "fix"))
        said = _say("rollback", "option")
        options = [(said.format(id=e.id, short=e.short, at=e.deployed_at), e.id) for e in entries]
        proposed = entries[min(1, len(entries) - 1)].id
        return (
            Field("entry", _say("rollback", "entry"), proposed, options),
            Field("prune", _say("rollback", "prune")),
        )

    def look(self, answers: Answers) -> View:
        """The rollback's plan."""
        plan = self._app.plan(prune=answers["prune"], entry=answers["entry"])
        return picture(list(plan), repr(plan))

    def do(self, answers: Answers) -> str:
        """Deploy that entry again; under automated sync it is refused, with what to do instead."""
        self._app.rollback(answers["entry"], prune=answers["prune"])
        return _say("rollback", "done").format(id=answers["entry"])


class Delete:
    """The application, with what it deployed or without."""

    def __init__(self, app: App) -> None:
        self._app = app

    def ask(self) -> Sequence[Field]:
        """Whether what it deployed goes, too; and its name, typed."""
        name = _say("delete", "confirm").format(name=self._app.name)
        return (Field("cascade", _say("delete", "cascade"), True), Field("name", name, ""))

    def look(self, answers: Answers) -> View:
        """What would go, and what would stay."""
        if not answers["cascade"]:
            return sentence(_say("delete", "stays"))
        leaving = self._app.deletion
        return picture(list(leaving), repr(leaving))

    def do(self, answers: Answers) -> str:
        """Delete, once the name was typed."""
        if answers["name"] != self._app.name:
            fix = _say("delete", "confirm").format(name=self._app.name)
            raise LabError(_say("delete", "wrong"), where=self._app.name, fix=fix)
        self._app.delete(cascade=answers["cascade"])
        return _say("delete", "done")


def _refresh(app: App) -> str:
    app.refresh()
    return _say("refresh", "done")


def _terminate(app: App) -> str:
    app.terminate()
    return _say("terminate", "done")


def _say(*keys: str) -> str:
    found: Any = texts("labkit.views", "doing")
    for key in keys:
        found = found[key]
    return str(found)
