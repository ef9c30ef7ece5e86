"""What an object and its schema say together: which fields it has, and what merging and removing make of it.

Each function walks a value along its type.  A value that is not there at all is `ABSENT`; null is a value.

Source: structured-merge-diff, ``typed`` (tofieldset, merge, remove).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.structured import elements
from labkit.k8s.structured.field_set import FieldSet
from labkit.k8s.structured.types import ANYTHING, ListType, MapType, Type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.k8s.structured.elements import Element, Path

ABSENT: Final[Any] = object()


# ── which fields does it have? ────────────────────────────────────────────────


def fields_of(value: Any, kind: Type) -> FieldSet:
    """All fields of the value: what a manager that applies it owns."""
    result = FieldSet()
    _collect(value, kind, (), result)
    return result


def _collect(value: Any, kind: Type, path: Path, result: FieldSet) -> None:
    form = kind.form(value)
    if form == "map" and kind.map and not kind.map.atomic:
        for name, item in (value or {}).items() if isinstance(value, dict) else ():
            inner = (*path, elements.field(name))
            _collect(item, kind.map.field(name) or ANYTHING, inner, result)
            if item is None or item == {} or not kind.map.declares(name):
                result.insert(inner)
    elif form == "list" and kind.list and not kind.list.atomic:
        _collect_list(value or [], kind.list, path, result)
    else:
        result.insert(path)


def _collect_list(value: list[Any], kind: ListType, path: Path, result: FieldSet) -> None:
    steps = [kind.element(item) for item in value]
    times = Counter(steps)
    for step, item in zip(steps, value, strict=True):
        if times[step] == 1:
            _collect(item, kind.items, (*path, step), result)
        result.insert((*path, step))


# ── merging ───────────────────────────────────────────────────────────────────


def merge(left: Any, right: Any, kind: Type) -> Any:
    """`left` with what `right` says: the applied configuration laid over the live object.

    Lists keep the elements that only the left has, and take the right's order for those it names.
    """
    if left is ABSENT or right is ABSENT:
        return left if right is ABSENT else right
    form = kind.form(right)
    if form == "map" and kind.map and not kind.map.atomic:
        return _merge_maps(_mapping(left), _mapping(right), kind.map) or right
    if form == "list" and kind.list and not kind.list.atomic:
        return _merge_lists(_sequence(left), _sequence(right), kind.list) or right
    return right


def _merge_maps(left: dict[str, Any], right: dict[str, Any], kind: MapType) -> dict[str, Any]:
    result = dict(left)
    for name, item in right.items():
        result[name] = merge(left.get(name, ABSENT), item, kind.field(name) or ANYTHING)
    return result


def _merge_lists(left: list[Any], right: list[Any], kind: ListType) -> list[Any]:
    mine, theirs = _indexed(left, kind), {kind.element(item): item for item in right}
    left_steps = [kind.element(item) for item in left]
    waiting = [step for step in theirs if step in mine]  # what both have, in the right's order
    merged: list[Any] = []
    done: set[Element] = set()
    at = 0

    def take(step: Element) -> None:
        merged.append(merge(mine.get(step, ABSENT), theirs[step], kind.items))
        done.add(step)
        if waiting and waiting[0] == step:
            waiting.pop(0)

    rights = list(theirs)
    while at < len(left) or rights:
        step = left_steps[at] if at < len(left) else None
        if step is not None and rights:
            if step == rights[0]:
                take(rights.pop(0))
                at += 1
                continue
            if step in theirs and waiting and waiting[0] != step:
                at += 1  # comes later, where the right has it
                continue
        if step is not None and step not in theirs:
            merged.append(left[at])
            at += 1
            continue
        if step is not None and step in done:
            at += 1
        if rights:
            take(rights.pop(0))
    return merged


def _indexed(items: list[Any], kind: ListType) -> dict[Element, Any]:
    """The elements by their steps; one that is there twice merges as if it were empty."""
    result: dict[Element, Any] = {}
    for item in items:
        step = kind.element(item)
        result[step] = None if step in result else item
    return result


# ── removing ──────────────────────────────────────────────────────────────────


def remove(value: Any, fields: FieldSet, kind: Type) -> Any:
    """The value without the members of the set; what loses all its contents becomes null."""
    form = kind.form(value)
    if form == "map" and kind.map and isinstance(value, dict):
        return None if kind.map.atomic else _remove_from_map(value, fields, kind.map) or None
    if form == "list" and kind.list and isinstance(value, list):
        return None if kind.list.atomic else _remove_from_list(value, fields, kind.list) or None
    return value


def _remove_from_map(value: dict[str, Any], fields: FieldSet, kind: MapType) -> dict[str, Any]:
    result = {}
    for name, item in value.items():
        step = elements.field(name)
        if step in fields.members:
            continue
        below = fields.children.get(step)
        result[name] = remove(item, below, kind.field(name) or ANYTHING) if below else item
    return result


def _remove_from_list(value: list[Any], fields: FieldSet, kind: ListType) -> list[Any]:
    result = []
    for item in value:
        step = kind.element(item)
        if step in fields.members:
            continue
        below = fields.children.get(step)
        result.append(remove(item, below, kind.items) if below else item)
    return result


# ── the two shapes of "nothing here" ──────────────────────────────────────────


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def steps_of(items: Iterable[Any], kind: ListType) -> dict[Element, list[Any]]:
    """A list's elements by their steps, those that are there twice together."""
    result: dict[Element, list[Any]] = {}
    for item in items:
        result.setdefault(kind.element(item), []).append(item)
    return result
