"""How much the reliability tests do: little in every run, all of it when ``make reliability`` asks."""

from __future__ import annotations

import os
import sys

LONG = bool(os.environ.get("LABKIT_LONG"))
TIMEOUT = 3600 if LONG else 120


def so_many(short: int, long: int) -> int:
    return long if LONG else short


def figures(**found: object) -> None:
    """What the long form is run for: one line on the terminal."""
    if LONG:
        text = ", ".join(
            f"{name.replace('_', ' ')} {value:.2f}"
            if isinstance(value, float)
            else f"{name.replace('_', ' ')} {value}"
            for name, value in found.items()
        )
        sys.__stdout__.write(f"\n  {text}\n")  # type: ignore[union-attr]
