"""Whole numbers from ``--set`` reach templates as whole numbers.

In Helm, ``--set image.tag=20241123`` is an int64 and prints as it was typed, while the same number in a values
file is a float64 and prints as ``2.0241123e+07``. Values go to both forms of Helm as JSON, where that difference
is lost. So the numbers that flags gave are marked (`FlagNumber`), and a template that runs before all others
puts them back as int64.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labkit.helm.files import ChartFiles

# Helm runs the deepest template first; within one depth, the last by name.
PRELUDE = "templates/" + "z/" * 40 + "numbers.yaml"


class FlagNumber(int):
    """A whole number that a flag gave."""

    __slots__ = ()


def with_prelude(files: ChartFiles, values: dict[str, Any], subcharts: Iterable[str]) -> ChartFiles:
    """The chart with the template that restores the marked numbers among the values; as it is if there are none."""
    lines = [*_restore(".Values", values)]
    if shared := [*_restore("$global", values.get("global"))]:
        lines += [_in_subchart(name, shared) for name in subcharts]
    if not lines:
        return files
    return replace(files, files=files.files | {PRELUDE: "\n".join(lines).encode()})


def _restore(place: str, value: Any) -> Iterator[str]:
    """Statements that put the marked numbers back into the map at ``place``."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        child = f"(index {place} {_quoted(key)})"
        yield from _below(child, inner)
        if (again := _expression(child, inner)) != child:
            yield f"{{{{- $_ := set {place} {_quoted(key)} {again} -}}}}"


def _below(place: str, value: Any) -> Iterator[str]:
    """The same for every map at or below a place."""
    if isinstance(value, dict):
        yield from _restore(place, value)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _below(f"(index {place} {number})", item)


def _expression(place: str, value: Any) -> str:
    """A template's expression for a value that is not a map: the place itself where no number is marked."""
    if isinstance(value, FlagNumber):
        return f"(int64 {int(value)})"
    if not isinstance(value, list):
        return place
    places = [f"(index {place} {number})" for number in range(len(value))]
    items = [_expression(at, item) for at, item in zip(places, value, strict=True)]
    return place if items == places else f"(list {' '.join(items)})"


def _in_subchart(name: str, lines: list[str]) -> str:
    """Helm gives each subchart its own copy of ``global``."""
    chart = f"(index .Values {_quoted(name)})"
    has = f'and (hasKey .Values {_quoted(name)}) (hasKey {chart} "global")'
    return f"{{{{- if {has} -}}}}{{{{- $global := {chart}.global -}}}}{''.join(lines)}{{{{- end -}}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # Go reads JSON's strings, save for its pairs of surrogates
