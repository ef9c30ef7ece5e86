"""``labkit proj windows``: the hours in which a project's applications may be synced, or may not."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from labkit.cli.output import Format, Output, listing
from labkit.cli.proj.show import Name
from labkit.cli.session import note, session
from labkit.errors import LabError


def list_(name: Name, output: Output = Format.TABLE) -> None:
    """List a project's sync windows, and whether each is open now."""
    from labkit.gitops.projects import Window
    from labkit.runtime.clock import SystemClock

    now = SystemClock().now()
    found = [
        {"id": number, **window} for number, window in enumerate(session.attach().projects[name].windows)
    ]
    listing(
        found,
        output,
        {
            "ID": lambda w: w["id"],
            "STATUS": lambda w: _status(Window, w, now),
            "KIND": lambda w: w.get("kind"),
            "SCHEDULE": lambda w: w.get("schedule"),
            "DURATION": lambda w: w.get("duration"),
            "APPLICATIONS": lambda w: ",".join(w.get("applications") or ["-"]),
            "NAMESPACES": lambda w: ",".join(w.get("namespaces") or ["-"]),
            "CLUSTERS": lambda w: ",".join(w.get("clusters") or ["-"]),
            "MANUALSYNC": lambda w: "Enabled" if w.get("manualSync") else "Disabled",
            "TIMEZONE": lambda w: w.get("timeZone") or "UTC",
            "USEANDOPERATOR": lambda w: "Enabled" if w.get("andOperator") else "Disabled",
            "SYNCOVERRUN": lambda w: "Enabled" if w.get("syncOverrun") else "Disabled",
        },
        name=lambda w: str(w["id"]),
        empty=f"No sync windows. Add one: labkit proj windows add {name} --help",
    )


def add(
    name: Name,
    kind: Annotated[str, typer.Option("--kind", "-k", help="allow or deny.")],
    schedule: Annotated[str, typer.Option("--schedule", help="When it opens, as cron: '0 22 * * *'.")],
    duration: Annotated[str, typer.Option("--duration", help="For how long: 8h, 1h30m.")],
    applications: Annotated[str, typer.Option("--applications", help="Names or patterns, by comma.")] = "",
    namespaces: Annotated[str, typer.Option("--namespaces", help="Names or patterns, by comma.")] = "",
    clusters: Annotated[str, typer.Option("--clusters", help="Names, servers or patterns, by comma.")] = "",
    manual_sync: Annotated[
        bool, typer.Option("--manual-sync", help="A person may sync all the same.")
    ] = False,
    time_zone: Annotated[str, typer.Option("--time-zone", help="Such as Europe/Berlin; else UTC.")] = "",
    use_and_operator: Annotated[
        bool, typer.Option("--use-and-operator", help="All of what is named has to fit, not one.")
    ] = False,
    sync_overrun: Annotated[
        bool, typer.Option("--sync-overrun", help="A sync that began while it was allowed may end.")
    ] = False,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
) -> None:
    """Add a sync window.

    labkit proj windows add shop -k deny --schedule '0 18 * * 5' --duration 62h --applications '*' --manual-sync
    """
    session.attach().projects[name].add_window(
        kind,
        schedule,
        duration,
        applications=_words(applications),
        namespaces=_words(namespaces),
        clusters=_words(clusters),
        manual_sync=manual_sync,
        time_zone=time_zone,
        and_operator=use_and_operator,
        sync_overrun=sync_overrun,
        description=description,
    )
    note(f"sync window added to project {name!r}")


def delete(
    name: Name,
    number: Annotated[int, typer.Argument(metavar="ID", help="The window's id: labkit proj windows list.")],
) -> None:
    """Delete a sync window."""
    session.attach().projects[name].delete_window(number)
    note(f"sync window {number} deleted from project {name!r}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _status(window: Any, raw: dict[str, Any], now: datetime) -> str:
    try:
        return "Active" if window.parse(raw).is_active(now) else "Inactive"
    except LabError as error:
        return f"invalid: {error.problem}"
