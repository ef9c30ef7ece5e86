"""``labkit top``: the live picture in a terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.session import console, say, session

if TYPE_CHECKING:
    from rich.text import Text


def top(
    name: Annotated[str, typer.Argument(help="The application to watch; else all of them.")] = "",
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print it once.")] = False,
) -> None:
    """Watch the applications, or one with its loop and its tree, until Ctrl-C.

    Where nobody looks (a pipe, a file), it is printed once.
    """
    with session.attach() as lab:
        if once or not sys.stdout.isatty():
            say(lab.picture(name).text)
            return
        from rich.live import Live

        with (
            contextlib.suppress(KeyboardInterrupt),
            Live(console=console(), screen=True, auto_refresh=False, vertical_overflow="crop") as shown,
        ):
            pause = threading.Event()
            while True:
                shown.update(_painted(lab.picture(name).text), refresh=True)
                pause.wait(interval)


def _painted(text: str) -> Text:
    """The text with its status words in their colours, cut at the terminal's edge."""
    from rich.text import Text

    from labkit.views.words import table

    colours = {"good": "green", "busy": "cyan", "warn": "yellow", "bad": "red", "idle": "dim"}
    found = Text(text, no_wrap=True, overflow="ellipsis")
    for word, (sign, tone) in table().items():
        found.highlight_words([f"{sign} {word}"], colours[tone])
    for sign, tone in set(table().values()):
        found.highlight_regex(rf"(?m)^\s*{sign}(?= )", colours[tone])
    return found
