"""What every lesson's notebook keeps to, so that it reads well for everybody and is the same in every run.

One ``#`` heading, no skipped level; every picture has words; colour is never said alone; short outputs; no path of
a machine, no time, no generated name; the first cell says what, how long and where, the last what to remember; a
link to the glossary.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES = 40
_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(|<img(?![^>]*alt=\"[^\"]+\")")
_FIRST = ("You will be able to", "You need", "Minutes", "Runs on")
_CHANGING = {
    "an absolute path": re.compile(r"(?<![\w:/.<-])/(?:tmp|home|root|Users|work|var|opt)/[\w.]"),
    "a time": re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b\d\d:\d\d:\d\d\b"),
    "a uid": re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "a generated name": re.compile(r"\b[a-z]+-[a-z0-9]{8,10}-[a-z0-9]{5}\b"),
    "a port that was free": re.compile(r"127\.0\.0\.1:\d+"),
    "a Python object's address": re.compile(r" at 0x[0-9a-f]{6,}"),
}


def complaints(notebook: dict[str, Any]) -> list[str]:
    """Everything that is amiss, each with the cell's number (from 1); an empty list is good."""
    return [*_text(notebook["cells"]), *_outputs(notebook["cells"])]


def _text(cells: list[dict[str, Any]]) -> Iterator[str]:
    markdown = [(n, _source(cell)) for n, cell in enumerate(cells, 1) if cell["cell_type"] == "markdown"]
    first, last = markdown[0][1], markdown[-1][1]
    levels = [(n, len(mark)) for n, text in markdown for mark in _HEADING.findall(_unfenced(text))]
    if [level for _, level in levels].count(1) != 1 or not first.startswith("# "):
        yield "cell 1: one # heading, at the very top"
    for (_, before), (number, level) in itertools.pairwise(levels):
        if level > before + 1:
            yield f"cell {number}: a heading of level {level} after one of level {before}"
    yield from (f"cell 1: it does not say {what!r}" for what in _FIRST if what not in first)
    if len(re.findall(r"(?m)^\d\. ", last)) != 5:
        yield f"cell {markdown[-1][0]}: the last cell has five numbered lines to remember"
    if "https://" not in last:
        yield f"cell {markdown[-1][0]}: the last cell says where the field's own documentation says more"
    if not any("glossary.ipynb" in text for _, text in markdown):
        yield "no cell links to the glossary"
    for number, text in markdown:
        yield from (f"cell {number}: a picture without words" for alt in _PICTURE.findall(text) if not alt)
        yield from (f"cell {number}: {what}" for what, found in _CHANGING.items() if found.search(text))


def _outputs(cells: list[dict[str, Any]]) -> Iterator[str]:
    for number, cell in enumerate(cells, 1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = "".join(output.get("text", data.get("text/plain", "")))
            html = "".join(data.get("text/html", ""))
            if len(text.splitlines()) > MOST_LINES:
                yield f"cell {number}: more than {MOST_LINES} lines of output"
            for what, found in _CHANGING.items():
                if found.search(text) or found.search(html):
                    yield f"cell {number}: its output has {what}"
            if "<svg" in html and "aria-label=" not in html:
                yield f"cell {number}: a picture without words"
            if html and not text:
                yield f"cell {number}: shown as a picture only, without a text form"


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _unfenced(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```", "", text)
