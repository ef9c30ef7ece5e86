"""A folder as a tree with a remark beside each file: how a chart is shown before it is opened."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHART_REMARKS = {
    "Chart.yaml": "what the chart is: name, version",
    "values.yaml": "the knobs, with their defaults",
    "values.schema.json": "what the knobs may be",
    "templates": "manifests with holes in them",
    "_helpers.tpl": "named pieces that templates share",
    "NOTES.txt": "what Helm tells you after an install",
    "charts": "charts that this one depends on",
    "crds": "custom kinds, installed first",
}


def files(root: str, paths: Iterable[str], remarks: Mapping[str, str] = CHART_REMARKS) -> View:
    """The files below ``root`` (paths relative to it, ``/`` between folders), drawn as a tree."""
    rows = [(f"{root}/", "")]
    nested: dict[str, dict] = {}  # type: ignore[type-arg]  # a folder is a mapping of its entries, at any depth
    for path in sorted(paths):
        folder = nested
        for part in PurePosixPath(path).parts:
            folder = folder.setdefault(part, {})
    rows += _draw(nested, "", remarks)
    width = max(len(line) for line, _ in rows)
    text = "\n".join(f"{line:<{width}}  {remark}".rstrip() for line, remark in rows)
    return View(text, render("files.html", rows=rows))


def _draw(folder: dict, indent: str, remarks: Mapping[str, str]) -> list[tuple[str, str]]:  # type: ignore[type-arg]
    rows = []
    for number, (name, inside) in enumerate(sorted(folder.items()), start=1):
        last = number == len(folder)
        mark = "/" if inside else ""
        rows.append((f"{indent}{'└── ' if last else '├── '}{name}{mark}", remarks.get(name, "")))
        rows += _draw(inside, indent + ("    " if last else "│   "), remarks)
    return rows
