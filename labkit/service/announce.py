"""How a starting service tells the one who started it how far it is: JSON lines on standard output.

The starter reads until ``ready`` or ``error``, then goes away; from then on standard output is closed.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.errors import LabError


class Announcer:
    """Writes to whoever listens; nobody listening is no error."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    def stage(self, text: str) -> None:
        """What is done now, for a person."""
        self._write({"stage": text})

    def notice(self, text: str) -> None:
        """Something that the person must know, such as a changed port."""
        self._write({"notice": text})

    def ready(self, **facts: Any) -> None:
        """The service answers; last line."""
        self._write({"ready": facts})
        self._close()

    def error(self, error: LabError) -> None:
        """The service could not start; last line."""
        facts = {"problem": error.problem, "where": error.where, "fix": error.fix}
        self._write({"error": facts | {"kind": type(error).__name__}})
        self._close()

    def _write(self, line: dict[str, Any]) -> None:
        if self._quiet:
            return
        try:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self._close()  # the starter has gone, for example by Ctrl-C; the service goes on

    def _close(self) -> None:
        if self._quiet:
            return
        self._quiet = True
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.close(nowhere)
        except OSError:
            pass
