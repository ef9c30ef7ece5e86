"""What can be done from the page, by whoever may: each is a wish written into the Application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import BadRequest
from labkit.gitops import operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.dashboard.board import Board

JSON = dict[str, Any]
REFRESH_SECONDS = 20.0


def refresh(board: Board, name: str, wishes: JSON) -> str:
    """Compare with Git now; ``hard`` renders everything again."""
    board.demand(name)
    operations.refresh(board.home, name, hard=_flag(wishes, "hard"), timeout=REFRESH_SECONDS)
    return "It has been compared with Git."


def sync(board: Board, name: str, wishes: JSON) -> str:
    """Sync, all or the ``resources`` named; with ``prune``, ``dryRun``, ``force``."""
    dry = _flag(wishes, "dryRun")
    board.server.applications.sync(
        board.caller,
        name,
        prune=_flag(wishes, "prune"),
        dry_run=dry,
        force=_flag(wishes, "force"),
        resources=_resources(wishes),
    )
    return "The dry run was asked for." if dry else "The sync was asked for."


def rollback(board: Board, name: str, wishes: JSON) -> str:
    """Deploy the history's entry ``id`` again."""
    number = wishes.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise BadRequest(
            "a rollback needs the number of an entry", where="id", fix="Choose one of the history."
        )
    board.server.applications.rollback(board.caller, name, number, prune=_flag(wishes, "prune"))
    return f"The rollback to entry {number} was asked for."


def delete(board: Board, name: str, wishes: JSON) -> str:
    """Delete the application and, with ``cascade``, what it deployed; ``confirm`` has to be its name."""
    if wishes.get("confirm") != name:
        raise BadRequest("the name is not the application's", where="confirm", fix=f"Type {name}.")
    board.server.applications.delete(board.caller, name, cascade=_flag(wishes, "cascade"))
    return "The application is being deleted."


def terminate(board: Board, name: str, wishes: JSON) -> str:
    """Stop the operation that runs."""
    del wishes
    board.server.applications.terminate(board.caller, name)
    return "The operation is being stopped."


ACTIONS: dict[str, Callable[[Board, str, JSON], str]] = {
    "refresh": refresh,
    "sync": sync,
    "rollback": rollback,
    "delete": delete,
    "terminate": terminate,
}


def _flag(wishes: JSON, name: str) -> bool:
    found = wishes.get(name, False)
    if not isinstance(found, bool):
        raise BadRequest(f"{name} is not true or false", where=name, fix="Send true or false.")
    return found


def _resources(wishes: JSON) -> list[str]:
    found = wishes.get("resources") or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise BadRequest(
            "resources is not a list of texts", where="resources", fix='["apps:Deployment:shop/web"]'
        )
    return found
