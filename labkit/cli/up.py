"""``labkit up``: start the lab in the background."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.session import confirm, note, say, session
from labkit.errors import ConfirmationRequired
from labkit.settings import Settings


def up(
    cluster: Annotated[
        str,
        typer.Option(help="sandbox, kind, or context:NAME of your kubeconfig; else the one of last time."),
    ] = "",
    port: Annotated[int, typer.Option(help="The port to use; else that of last time, or a free one.")] = 0,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Agree to the use of a cluster of your own.")
    ] = False,
) -> None:
    """Start the lab: cluster, Git host and controller. Returns when it is ready.

    Everything goes on where it was. A lab that is running already is left as it is.
    """
    from labkit.lab.lifecycle import bring_up, facts

    settings = session.settings(must_exist=session.lab is None and not Settings.environment("HOME"))
    try:
        started = bring_up(settings, cluster=cluster, port=port, agreed=yes, progress=note)
    except ConfirmationRequired as error:
        confirm(f"{error.problem} Go on?", yes=yes, where=error.where)
        started = bring_up(settings, cluster=cluster, port=port, agreed=True, progress=note)
    for notice in started.notices:
        note(f"Note: {notice}")
    say("The lab is already running." if started.already else "The lab is ready.")
    for name, value in facts(settings, started.record).items():
        say(f"  {name + ':':<12} {value}")
    say("Next: labkit lab, or labkit demo; labkit down stops it.")
