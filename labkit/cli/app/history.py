"""``labkit app history`` and ``rollback``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from labkit.cli.app.create import Name
from labkit.cli.app.sync import Seconds, show_result
from labkit.cli.output import Format, Output, listing
from labkit.cli.session import session


def history(name: Name, output: Output = Format.TABLE) -> None:
    """Show what was deployed, and when; the last line is what runs."""
    app = session.attach().apps[name]
    listing(
        app.object.get("status", {}).get("history") or [],
        output,
        {
            "ID": lambda e: e.get("id", 0),
            "DATE": lambda e: e.get("deployedAt"),
            "REVISION": lambda e: ", ".join(
                f"{source.get('targetRevision') or 'HEAD'} ({revision[:7]})"
                for source, revision in zip(
                    e.get("sources") or [e.get("source") or {}], _revisions(e), strict=False
                )
            ),
        },
        wide={
            "BY": lambda e: _by(e.get("initiatedBy") or {}),
            "COMMIT": lambda e: ", ".join(_revisions(e)),
        },
        name=lambda e: str(e.get("id", 0)),
        empty=f"Nothing has been deployed yet. Deploy it: labkit app sync {name}",
    )


def rollback(
    name: Name,
    entry: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="An ID of `history`; else the last but one.")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Delete what that revision does not have.")] = False,
    timeout: Seconds = 300,
) -> None:
    """Deploy an earlier entry of the history again.

    Refused while automated sync is on: it would bring the target revision back at once.
    """
    app = session.attach().apps[name]
    app.rollback(entry, prune=prune, timeout=timeout or None)
    show_result(app)


def _by(initiator: dict[str, object]) -> str:
    return "automated sync" if initiator.get("automated") else str(initiator.get("username") or "")


def _revisions(entry: dict[str, Any]) -> list[str]:
    return entry.get("revisions") or [entry.get("revision") or ""]
