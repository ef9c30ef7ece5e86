"""What has changed between two states of an object, field by field.

Source: structured-merge-diff, ``typed`` (compare).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.k8s.structured import elements
from labkit.k8s.structured.field_set import FieldSet
from labkit.k8s.structured.types import ANYTHING, ListType, MapType, Type
from labkit.k8s.structured.walk import ABSENT, steps_of

if TYPE_CHECKING:
    from labkit.k8s.structured.elements import Path


@dataclass(slots=True)
class Changes:
    """The fields that went, changed and came.  No field is in two of the sets."""

    removed: FieldSet = field(default_factory=FieldSet)
    modified: FieldSet = field(default_factory=FieldSet)
    added: FieldSet = field(default_factory=FieldSet)

    def __bool__(self) -> bool:
        return bool(self.removed or self.modified or self.added)

    def without(self, ignored: FieldSet) -> Changes:
        """The changes outside of `ignored`."""
        if not ignored or not self:
            return self
        return Changes(
            self.removed.without(ignored), self.modified.without(ignored), self.added.without(ignored)
        )


def compare(old: Any, new: Any, kind: Type) -> Changes:
    """What has changed from `old` to `new`."""
    changes = Changes()
    _compare(old, new, kind, (), changes)
    return changes


def _compare(old: Any, new: Any, kind: Type, path: Path, changes: Changes) -> None:
    if old is not ABSENT and new is not ABSENT:
        if old == new and not isinstance(old, bool | int):
            return
        if kind.form(old) != kind.form(new) and old is not None and new is not None:
            # Another kind of value than before: all that was in it has gone, all that is in it now is new.
            _descend(old, ABSENT, kind, path, changes)
            _descend(ABSENT, new, kind, path, changes)
            changes.modified.insert(path)
            return
    leaf = _descend(old, new, kind, path, changes)
    if leaf and old is not ABSENT and new is not ABSENT and not _same(old, new):
        changes.modified.insert(path)
    elif old is ABSENT:
        changes.added.insert(path)
    elif new is ABSENT:
        changes.removed.insert(path)


def _descend(old: Any, new: Any, kind: Type, path: Path, changes: Changes) -> bool:
    """Compare what is inside; True where there is no inside."""
    form = kind.form(old if new is ABSENT else new)
    nothing = not (_full(old) or _full(new))
    if form == "map" and kind.map and not kind.map.atomic and not nothing:
        _compare_maps(old, new, kind.map, path, changes)
        return False
    if form == "list" and kind.list and not kind.list.atomic and not nothing:
        _compare_lists(old, new, kind.list, path, changes)
        return False
    return True


def _compare_maps(old: Any, new: Any, kind: MapType, path: Path, changes: Changes) -> None:
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    for name in before.keys() | after.keys():
        inner = kind.field(name) or ANYTHING
        step = elements.field(name)
        _compare(before.get(name, ABSENT), after.get(name, ABSENT), inner, (*path, step), changes)


def _compare_lists(old: Any, new: Any, kind: ListType, path: Path, changes: Changes) -> None:
    before = steps_of(old if isinstance(old, list) else (), kind)
    after = steps_of(new if isinstance(new, list) else (), kind)
    for step in before.keys() | after.keys():
        was, now, inner = before.get(step, []), after.get(step, []), (*path, step)
        if len(was) < 2 and len(now) < 2:
            _compare(was[0] if was else ABSENT, now[0] if now else ABSENT, kind.items, inner, changes)
        elif len(was) > 1 and len(now) > 1:
            if was != now:
                changes.modified.insert(inner)
        elif len(was) > 1:  # no longer twice: as if it were new
            if now:
                _compare(ABSENT, now[0], kind.items, inner, changes)
            changes.removed.insert(inner)
        else:  # twice from now on: nobody can tell which is whose
            if was:
                _compare(was[0], ABSENT, kind.items, inner, changes)
            changes.added.insert(inner)


def _full(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)
