"""``labkit demo``: the whole loop once, told as it happens."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.output import GREEN, RED, coloured, paint
from labkit.cli.session import note, say, session
from labkit.errors import LabError
from labkit.settings import Settings


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything as it is at the end.")] = False,
) -> None:
    """See the whole loop once, from chart to rollback.

    In a lab folder that is made for it and removed afterwards, or in the one that --lab names. Exit code 1 if
    any step does not happen.
    """
    begin = time.monotonic()
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    named = session.lab or Settings.environment("HOME")
    with contextlib.ExitStack() as undo:
        folder = Path(named) if named else undo.enter_context(_temporary(keep=keep))
        settings = undo.enter_context(_running(Settings.create(folder), keep=keep))
        _run(settings, tidy=bool(named) and not keep)
    say(f"\nThe whole loop, in {time.monotonic() - begin:.0f} s. Yours is next: labkit lab")


def _run(settings: Settings, *, tidy: bool) -> None:
    from labkit.lab import Lab
    from labkit.lab.demo import Demo

    board = _Board()
    with Lab(settings.home, start=False, token="") as lab:
        made = Demo(lab, board.tell)
        try:
            steps = made.steps
            for number, (title, action) in enumerate(steps, start=1):
                board.run(f"{number}/{len(steps)}", title, action)
        finally:
            if tidy:
                with contextlib.suppress(LabError):  # the step's own error is the one to show
                    made.clean_up()


@contextlib.contextmanager
def _temporary(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="labkit-demo-")).resolve()
    try:
        yield folder
    finally:
        if keep:
            note(f"Kept: {folder} (labkit --lab {folder} down stops it)")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(settings: Settings, *, keep: bool) -> Iterator[Settings]:
    from labkit.lab.lifecycle import bring_down, bring_up

    begin = time.monotonic()
    started = bring_up(settings)
    say(
        f"{paint('✓', GREEN)} The lab is up: cluster, Git host, controller ({time.monotonic() - begin:.1f} s)"
    )
    try:
        yield settings
    finally:
        if not keep and not started.already:  # a lab that was up before is the person's, and goes on
            bring_down(settings)


class _Board:
    """The steps as they happen: a turning sign on a terminal, plain lines anywhere else."""

    def run(self, number: str, title: str, action: Callable[[], None]) -> None:
        """Run one step and say how it went."""
        begin = time.monotonic()
        say(f"\n{number}  {paint(title, '1')}")
        try:
            with _turning(title):
                action()
        except LabError:
            say(f"{paint('✗', RED)} not done")
            raise
        say(f"{paint('✓', GREEN)} {time.monotonic() - begin:.1f} s")

    def tell(self, line: str) -> None:
        """One thing seen in the step."""
        say(f"     {line}")


@contextlib.contextmanager
def _turning(title: str) -> Iterator[None]:
    if not coloured():
        yield
        return
    from rich.console import Console

    with Console(file=sys.stdout).status(f"{title} …", spinner="dots"):
        yield
