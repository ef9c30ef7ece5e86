"""Rows and columns, aligned for a terminal and marked up for a page."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "", plain: bool = False
) -> View:
    """A table with a heading row; an empty one says so instead of showing nothing.

    Status words get their sign and colour, unless it is ``plain``: a Pod's Running is not an operation's.
    """
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    html = render("table.html", title=title, columns=columns, rows=cells, plain=plain)
    return View(
        "\n".join(filter(None, [title, aligned([list(columns), *cells]) if cells else "(none)"])), html
    )


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns lined up by the width that a terminal gives each character, no space at a line's end."""
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
