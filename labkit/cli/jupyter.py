"""``labkit lab``: the lab with JupyterLab, until Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import webbrowser
from typing import Annotated

import typer

from labkit.cli.session import note, say, session


def lab(
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    port: Annotated[int, typer.Option(help="JupyterLab's port; else that of last time, or a free one.")] = 0,
) -> None:
    """Start the lab, and JupyterLab on the first notebook.

    Ctrl-C stops JupyterLab, and the lab too unless it was up before. Your work is kept.
    """
    from labkit.lab import jupyter
    from labkit.lab.lifecycle import bring_down, bring_up

    settings = session.settings()
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` ends it as tidily as Ctrl-C
    started = bring_up(settings, progress=note)
    try:
        for notice in started.notices:
            note(f"Note: {notice}")
        note("Starting JupyterLab")
        running = jupyter.start(settings, port=port)
        try:
            # From here on, Ctrl-C is how this command is meant to end.
            with contextlib.suppress(KeyboardInterrupt):
                say(f"JupyterLab: {running.url}")
                say("Ctrl-C stops it.")
                if browser:
                    webbrowser.open(running.url)
                running.wait()
        finally:
            _be_patient()
            note("Stopping JupyterLab")
            running.stop()
    finally:
        _be_patient()
        if started.already:
            note("The lab goes on running, as before; labkit down stops it.")
        else:
            note("Stopping the lab")
            bring_down(settings)


def _be_patient() -> None:
    """From here on it ends in good order, which takes seconds: a second Ctrl-C does not leave half of it running."""
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
