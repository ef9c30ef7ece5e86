"""Where a value came from: every source that speaks of it, in the order in which they are laid over each other."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import ValuesError
from labkit.helm.metadata import Metadata, subcharts
from labkit.helm.values import parse_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.helm.files import ChartFiles
    from labkit.helm.values import Given


@dataclass(frozen=True)
class Source:
    """One source that gives the value: its name (``values-prod.yaml:3``, ``--set image.tag=v2``), and what it gives."""

    name: str
    value: Any


@dataclass(frozen=True)
class Explanation:
    """A value of a chart. ``sources`` are all that give it, the first laid down first: the last one wins."""

    path: str
    value: Any
    sources: tuple[Source, ...]

    def __str__(self) -> str:
        if not self.sources and self.value is not None:
            return f"{self.path} = {self.value!r}, by a subchart's own values"
        if not self.sources:
            return f"{self.path}: nobody gives it a value"
        width = max(len(source.name) for source in self.sources)
        marks = ["  "] * (len(self.sources) - 1) + ["→ "]
        rows = (
            f"{mark}{source.name:{width}}  {source.value!r}"
            for mark, source in zip(marks, self.sources, strict=True)
        )
        return "\n".join([f"{self.path} = {self.value!r}", *rows])


def explain(
    path: str,
    own: dict[str, Any],
    own_text: str,
    given: Given,
    merged: dict[str, Any],
    *,
    below: Sequence[Source] = (),
) -> Explanation:
    """Explain the value at ``path`` (``image.tag``, ``hosts[0].name``).

    ``own`` and ``own_text`` are the chart's values.yaml; ``merged`` is what templates see, and ``below`` what
    subcharts say, which counts only for those that are not turned off.
    """
    keys = parse_path(path)
    found = list(below) if look_up(merged, keys) else []
    found += [Source(_place("values.yaml", own_text, keys), value) for value in look_up(own, keys)]
    found += _given(given, keys)
    return Explanation(path, next(iter(look_up(merged, keys)), None), tuple(found))


def subchart_values(files: ChartFiles, metadata: Metadata, path: str) -> list[Source]:
    """What the subchart that a path leads into says in its own ``values.yaml``, below what its parents say."""
    keys, folder, found = parse_path(path), "", list[Source]()
    named: dict[str | int, str] = {each.alias: each.name for each in metadata.dependencies if each.alias}
    while keys:
        wanted = named.get(keys[0], keys[0])
        places = [place for place, name in subcharts(files, folder) if name == wanted]
        if len(places) != 1:  # none; or several versions of one chart, and it is not told which is meant
            break
        folder, keys, named = places[0], keys[1:], {}
        name = f"{folder}values.yaml"
        text = files.text(name) or ""
        found = [
            Source(_place(name, text, keys), each) for each in look_up(parse_values(text, name), keys)
        ] + found
    return found


def origin(given: Given, path: str) -> str:
    """The last source that gives the value at a path; '' if it is the chart's own."""
    found = _given(given, parse_path(path))
    return found[-1].name if found else ""


def _given(given: Given, keys: list[str | int]) -> list[Source]:
    found: list[Source] = []
    for source in given.sources():
        with contextlib.suppress(ValuesError):  # it changes an item of a list that another source gives
            values = look_up(source.apply({}), keys)
            found += [Source(_place(source.name, source.text, keys), value) for value in values]
    return found


def parse_path(path: str) -> list[str | int]:
    """The keys and list positions of a path, as ``--set`` writes them."""
    parts = re.findall(r"\[(\d+)\]|((?:\\.|[^.\[])+)", path)
    return [int(index) if index else key.replace("\\", "") for index, key in parts]


def look_up(values: Any, keys: list[str | int]) -> list[Any]:
    """The value at a path, as a list of one; empty where there is none."""
    for key in keys:
        if isinstance(key, int):
            if not isinstance(values, list) or key >= len(values):
                return []
        elif not isinstance(values, dict) or key not in values:
            return []
        values = values[key]
    return [values]


def line_of(text: str, keys: list[str | int]) -> int:
    """The line (from 1) where block-style YAML gives the value at a path; 0 where that cannot be told."""
    lines = text.splitlines()
    found, parent = 0, -1  # the line of the last key found, and its indentation
    for key in keys:
        if isinstance(key, int):
            return found  # near enough: the list's own line
        line = _key_line(lines, key, found, parent)
        if not line:
            return 0
        found, parent = line, _margin(lines[line - 1])
    return found


def _key_line(lines: list[str], key: str, start: int, parent: int) -> int:
    """The line of a key among those indented below ``parent``, from line ``start`` (from 0) on."""
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*:(\s|$)")
    level = -1
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip() or line.lstrip().startswith(("#", "---")):
            continue
        margin = _margin(line)
        if margin <= parent:
            return 0
        level = margin if level < 0 else level
        if margin == level and pattern.match(line):
            return number
    return 0


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _place(name: str, text: str, keys: list[str | int]) -> str:
    line = line_of(text, keys)
    return f"{name}:{line}" if line else name
