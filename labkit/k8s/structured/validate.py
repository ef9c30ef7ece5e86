"""Does an applied object fit its schema?  Fields that the schema does not name cannot be owned by anybody.

The messages are the API server's; it answers with them as an internal error, as odd as that is.

Source: structured-merge-diff, ``typed`` (validate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.structured import elements
from labkit.k8s.structured.types import ListType, MapType, Misfit, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

Problem = tuple[str, str]


def check(value: Any, kind: Type) -> str:
    """What is wrong with the value, in the API's words; "" when nothing is."""
    found = [f"{path}: {text}" if path else text for path, text in _problems(value, kind)]
    if len(found) < 2:
        return "".join(found)
    return "\n  ".join(["errors:", *found])


def _problems(value: Any, kind: Type) -> Iterator[Problem]:
    form = kind.form(value)
    if value is None:
        return
    if form == "map" and kind.map:
        yield from _map_problems(value, kind.map)
    elif form == "list" and kind.list:
        yield from _list_problems(value, kind.list)
    else:
        problem = _scalar_problem(value, kind.scalar)
        if problem:
            yield "", problem


def _map_problems(value: Any, kind: MapType) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield "", f"expected map, got &{{{_plain(value)}}}"
        return
    for name, item in value.items():
        step, inner = f".{name}", kind.field(name)
        if inner is None:
            yield step, "field not declared in schema"
            return
        for path, text in _problems(item, inner):
            yield step + path, text


def _list_problems(value: Any, kind: ListType) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield "", f"expected list, got &{{{_plain(value)}}}"
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        step = f"i:{index}"
        if not kind.atomic:
            try:
                step = kind.element(item)
            except Misfit as error:
                yield "", f"element {index}: {error}"
                return
            if step in seen:
                yield "", f"duplicate entries for key {elements.words(step)}"
            seen.add(step)
        for path, text in _problems(item, kind.items):
            yield elements.words(step) + path, text


def _scalar_problem(value: Any, scalar: str) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if scalar == "numeric":
        return "" if number else f"expected numeric (int or float), got {_go_type(value)}"
    if scalar == "string":
        return (
            ""
            if isinstance(value, str)
            else f"expected string, got &value.valueUnstructured{{Value:{_detailed(value)}}}"
        )
    if scalar == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got &{{{_plain(value)}}}"
    return "" if isinstance(value, str | int | float) else f"expected any scalar, got &{{{_plain(value)}}}"


# ── values as Go prints them ──────────────────────────────────────────────────


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "bool" if isinstance(value, bool) else "string"


def _plain(value: Any) -> str:
    """``%v``."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{_plain(item)}' for name, item in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(_plain(item) for item in value)}]"
    if value is None:
        return "<nil>"
    return value if isinstance(value, str) else elements.to_json(value)


def _detailed(value: Any) -> str:
    """``%#v``."""
    if isinstance(value, dict):
        inner = ", ".join(
            f"{elements.to_json(name)}:{_detailed(item)}" for name, item in sorted(value.items())
        )
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(_detailed(item) for item in value)}}}"
    return "interface {}(nil)" if value is None else elements.to_json(value)
