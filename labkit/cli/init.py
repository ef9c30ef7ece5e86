"""``labkit init``: lay out a lab folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.session import say, session
from labkit.settings import DEFAULT_FOLDER, Settings


def init(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help=f"Where; ./{DEFAULT_FOLDER} if you name none.")
    ] = None,
) -> None:
    """Make a lab folder with notebooks and charts to work in.

    Run it again after an update: it adds what is new, and never touches a file that you changed.
    """
    from labkit.lab.layout import lay_out

    named = directory or session.lab or Settings.environment("HOME")
    made = lay_out(Path(named) if named else Path(DEFAULT_FOLDER))
    say(f"Lab folder: {made.settings.home}")
    if made.added:
        say(f"  added {len(made.added)} file{'s' if len(made.added) != 1 else ''} in notebooks/ and charts/")
    if made.kept:
        say(f"  kept {len(made.kept)} that you changed")
    say("Next: labkit lab (JupyterLab), or labkit up (without a browser)")
