"""One text for each lesson becomes three notebooks: the trainee's, the solution's, the instructor's.

The text is Markdown. A fence ```` ```python ```` is a code cell; everything else is text, cut into cells at code and at
``##`` headings. A word after ``python`` says whose the cell is, ``solution`` or ``trainee`` (the others do not get
it), and a fence ```` ```instructor ```` is a note for those who teach. So the three cannot drift apart, a translation
is one more text beside this one, and a change reads well in a diff.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"^```(python|instructor)(?: (solution|trainee))?$")
_CHECK = re.compile(r"\.check\(\)")
_GLOSSARY = re.compile(r"\((?:\./)?glossary\.md(#[^)]*)?\)")


class Reader(StrEnum):
    """Whose notebook it is."""

    TRAINEE = "trainee"
    SOLUTION = "solution"
    INSTRUCTOR = "instructor"


@dataclass(frozen=True)
class Cell:
    """One cell of the text: ``markdown``, ``python`` or ``instructor``, whose it is (empty: everybody's), its lines."""

    kind: str
    whose: str
    text: str


def cells(text: str) -> list[Cell]:
    """The text's cells, in order."""
    return [cell for cell in _cells(text.splitlines()) if cell.text]


def notebook(text: str, reader: Reader) -> dict[str, Any]:
    """The notebook of one reader, without outputs, as nbformat 4.5 has it; the same text gives the same bytes."""
    shown = [cell for cell in cells(text) if _is_for(cell, reader)]
    return {
        "cells": [_cell(cell, number, reader) for number, cell in enumerate(shown)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cells(lines: list[str]) -> Iterator[Cell]:
    kind, whose, block = "markdown", "", list[str]()
    fenced = False  # inside a fence that is shown as text, such as ```yaml
    for line in lines:
        fence = _FENCE.match(line)
        if kind == "markdown" and not fenced and (fence or (line.startswith("## ") and block)):
            yield Cell(kind, whose, "\n".join(block).strip("\n"))
            block = [] if fence else [line]
            kind, whose = (fence[1], fence[2] or "") if fence else (kind, whose)
        elif kind != "markdown" and line == "```":
            yield Cell(kind, whose, "\n".join(block).strip("\n"))
            kind, whose, block = "markdown", "", []
        else:
            fenced = fenced != (kind == "markdown" and line.startswith("```"))
            block.append(line)
    yield Cell(kind, whose, "\n".join(block).strip("\n"))


def _is_for(cell: Cell, reader: Reader) -> bool:
    if cell.kind == "instructor":
        return reader is Reader.INSTRUCTOR
    return not cell.whose or cell.whose == reader or reader is Reader.INSTRUCTOR


def _cell(cell: Cell, number: int, reader: Reader) -> dict[str, Any]:
    text = cell.text
    if cell.kind == "instructor":
        text = "> **For the instructor**\n>\n" + "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    if reader is Reader.SOLUTION and cell.kind == "python":
        text = _CHECK.sub(".check(strict=True)", text)
    made: dict[str, Any] = {
        "cell_type": "code" if cell.kind == "python" else "markdown",
        "id": f"cell-{number:02d}",
    }
    if made["cell_type"] == "code":
        made["execution_count"] = None
    made["metadata"] = {"tags": [cell.whose]} if cell.whose else {}
    if made["cell_type"] == "code":
        made["outputs"] = []
    else:
        text = _GLOSSARY.sub(lambda found: f"({_up(reader)}glossary.ipynb{found[1] or ''})", text)
    return made | {"source": text.splitlines(keepends=True)}


def _up(reader: Reader) -> str:
    """Solutions and instructors' notebooks lie one folder further down."""
    return "" if reader is Reader.TRAINEE else "../"
