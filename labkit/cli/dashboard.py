"""``labkit dashboard``: the live picture in the browser."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from labkit.cli.session import note, say, session


def dashboard(
    name: Annotated[str, typer.Argument(help="The application to show; else all of them.")] = "",
    url: Annotated[
        bool, typer.Option("--url", help="Print a link that opens the page once, and open no browser.")
    ] = False,
) -> None:
    """Open the live picture in the browser: applications, their resources, and the loop as it happens.

    The link works once, for ten minutes; the browser then stays signed in for twelve hours.
    """
    with session.attach() as lab:
        link = lab.dashboard_link(name)
    if url:
        say(link)
    elif webbrowser.open(link):
        note("Opened in the browser. No page? labkit dashboard --url prints a link.")
    else:
        note("There is no browser here; this link opens the page once:")
        say(link)
