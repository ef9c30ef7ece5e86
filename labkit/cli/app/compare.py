"""``labkit app diff`` and ``manifests``: the repository beside the cluster."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.app.create import Name
from labkit.cli.output import GREEN, RED, Format, Output, listing, paint, structured
from labkit.cli.session import note, say, session

OURS = "argocd-controller"


class Side(StrEnum):
    """Which manifests."""

    GIT = "git"
    LIVE = "live"


def diff(
    name: Name,
    refresh: Annotated[bool, typer.Option("--refresh", help="Compare with Git first.")] = False,
    hard_refresh: Annotated[bool, typer.Option("--hard-refresh", help="The same, and render again.")] = False,
    exit_code: Annotated[bool, typer.Option(help="Exit with 1 when something differs.")] = True,
) -> None:
    """Show what differs from the repository, from live (-) to desired (+). Exit code 1 if anything does."""
    app = session.attach().apps[name]
    if refresh or hard_refresh:
        app.refresh(hard=hard_refresh)
    differences = app.diff()
    for difference in differences:
        say(
            f"===== {difference.resource.group}/{difference.resource.kind} "
            f"{difference.resource.namespace}/{difference.resource.name} ======"
        )
        for line in difference.text.splitlines():
            say(
                paint(line, GREEN)
                if line.startswith("+")
                else paint(line, RED)
                if line.startswith("-")
                else line
            )
        for each in difference.fields:
            if each.writer and each.writer != OURS:
                say(f"  {each.path}: the live value was last written by {each.writer}")
    if differences and exit_code:
        raise typer.Exit(1)


def plan(
    name: Name,
    prune: Annotated[
        bool | None, typer.Option(help="With pruning, or without; else as the sync policy says.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep it in this file, for `labkit app sync --plan`.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what a sync would do now: each step in its order, and why. Nothing is done."""
    found = session.attach().apps[name].plan(prune=prune)
    if out is not None:
        found.save(out)
        note(f"the plan is in {out}: labkit app sync {name} --plan {out}")
    listing(
        [task.to_json() for task in found],
        output,
        {
            "PHASE": lambda t: t["phase"],
            "WAVE": lambda t: t["wave"],
            "ACTION": lambda t: t["action"],
            "GROUP": lambda t: t["group"],
            "KIND": lambda t: t["kind"],
            "NAMESPACE": lambda t: t["namespace"],
            "NAME": lambda t: t["name"],
            "WHY": lambda t: t["reason"],
        },
        empty="Nothing to do.",
    )


def manifests(
    name: Name,
    source: Annotated[
        Side, typer.Option("--source", help="As Git says, or as the cluster has it.")
    ] = Side.GIT,
    output: Output = Format.YAML,
) -> None:
    """Print the manifests of an application."""
    objects = session.attach().apps[name].manifests(source=source.value)
    if structured(list(objects), Format.JSON if output is Format.JSON else Format.YAML):
        return
