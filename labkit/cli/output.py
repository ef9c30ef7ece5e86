"""How an answer is printed: a table for a person, or JSON, YAML or names for a script.

A table in a terminal gets colours for what needs an eye; piped, it is the same columns as plain text, no
line wrapped, so that ``awk`` sees what a person sees.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from labkit.settings import plain_output


class Format(StrEnum):
    """What ``-o`` takes where a list or an object is shown."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


Output = Annotated[Format, typer.Option("-o", "--output", help="How to print it.", show_default=True)]

GREEN, YELLOW, RED, BLUE = "32", "33", "31", "36"
_COLOURS = {
    "Synced": GREEN, "Healthy": GREEN, "Succeeded": GREEN, "ok": GREEN, "running": GREEN,
    "OutOfSync": YELLOW, "Progressing": BLUE, "Running": BLUE, "Suspended": YELLOW, "missing": YELLOW,
    "Degraded": RED, "Missing": YELLOW, "Failed": RED, "Error": RED, "Unknown": YELLOW, "FAIL": RED,
}  # fmt: skip


def coloured() -> bool:
    """Whether a person with a colour terminal reads standard output."""
    return sys.stdout.isatty() and not plain_output()


def paint(text: str, colour: str = "") -> str:
    """``text`` in its colour (a known state's own if none is named), if a person reads it."""
    code = colour or _COLOURS.get(text.strip(), "")
    return f"\033[{code}m{text}\033[0m" if code and coloured() else text


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as kubectl prints them."""
    cells = [list(headings), *([str(c) for c in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        line = "   ".join(
            paint(c.ljust(w)) if i + 1 < len(row) else paint(c)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        sys.stdout.write(line.rstrip() + "\n")


def structured(data: Any, form: Format) -> bool:
    """Print ``data`` if ``form`` is JSON or YAML; says whether it was."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")
        return True
    if form is Format.YAML:
        from labkit.k8s.yaml import dump

        sys.stdout.write(dump([_in_order(o) for o in data] if isinstance(data, list) else _in_order(data)))
        return True
    return False


def _in_order(data: Any) -> Any:
    """An object's fields as everybody writes them: what it is, its name, what it is to be, how it stands."""
    if not isinstance(data, dict) or "kind" not in data:
        return data
    first = [name for name in ("apiVersion", "kind", "metadata", "spec") if name in data]
    last = [name for name in ("status",) if name in data]
    return {name: data[name] for name in [*first, *(k for k in data if k not in {*first, *last}), *last]}


def listing(
    data: Sequence[dict[str, Any]],
    form: Format,
    columns: dict[str, Callable[[dict[str, Any]], Any]],
    *,
    wide: dict[str, Callable[[dict[str, Any]], Any]] | None = None,
    name: Callable[[dict[str, Any]], str] = lambda item: str(item["name"]),
    empty: str = "",
) -> None:
    """Print a list in any form; ``columns`` and (for ``wide``) more of them make the table."""
    if structured(list(data), form):
        return
    if form is Format.NAME:
        sys.stdout.writelines(name(item) + "\n" for item in data)
        return
    if not data and empty:
        sys.stderr.write(empty + "\n")
        return
    shown = columns | (wide or {}) if form is Format.WIDE else columns
    rows = [[_text(cell(item)) for cell in shown.values()] for item in data]
    table(list(shown), rows)


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\n", " ")
