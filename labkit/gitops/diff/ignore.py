"""``ignoreDifferences``: what of an object is not compared, and, where it is respected, not written either."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.gitops.diff import jq
from labkit.gitops.diff.writers import without_fields_of
from labkit.k8s.objects import Object, gvk, name_of, namespace_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_ABSENT = object()


@dataclass(frozen=True)
class Ignored:
    """What the rules leave out of one object: fields by pointer, by jq, and those that certain managers own."""

    pointers: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    managers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, obj: Object, rules: Iterable[dict[str, Any]]) -> Ignored:
        """What the rules that mean this object say together."""
        kind = gvk(obj)
        fitting = [
            rule
            for rule in rules
            if rule.get("kind") in {kind.kind, "*"}
            and (rule.get("group") or "") in {kind.group, "*"}
            and rule.get("name") in {None, "", name_of(obj)}
            and rule.get("namespace") in {None, "", namespace_of(obj)}
        ]

        def said(field: str) -> tuple[str, ...]:
            return tuple(str(text) for rule in fitting for text in rule.get(field) or [])

        return cls(said("jsonPointers"), said("jqPathExpressions"), frozenset(said("managedFieldsManagers")))

    def __bool__(self) -> bool:
        return bool(self.pointers or self.expressions or self.managers)

    def without(self, obj: Object, live: Object) -> Object:
        """A copy without what is ignored; ``live`` says which fields the managers own."""
        kept = copy.deepcopy(obj)
        for pointer in self.pointers:
            _remove(kept, [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]])
        if self.managers:
            without_fields_of(self.managers, live, kept)
        return jq.shared.without(kept, self.expressions) if self.expressions else kept

    def respected(self, target: Object, live: Object) -> Object:
        """The target with what is ignored as it is in ``live`` (sync option ``RespectIgnoreDifferences``)."""
        return _filled(self.without(target, live), self.without(live, live), live) if self else target


def _filled(target: Any, stripped: Any, live: Any) -> Any:
    """``target`` with what ``live`` has and ``stripped`` has not, at its place."""
    if isinstance(target, dict) and isinstance(stripped, dict) and isinstance(live, dict):
        found = {
            name: _filled(value, stripped.get(name, _ABSENT), live.get(name, _ABSENT))
            for name, value in target.items()
        }
        return found | {name: live[name] for name in live if name not in stripped}
    if isinstance(target, list) and isinstance(stripped, list) and isinstance(live, list):
        if len(stripped) != len(live):
            return _with_lost(target, stripped, live)
        return [_filled(item, *_same(item, at, stripped, live)) for at, item in enumerate(target)]
    return target


def _same(item: Any, at: int, stripped: list[Any], live: list[Any]) -> tuple[Any, Any]:
    """What is at an item's place on the other side: by its name where it has one, as containers do."""
    if isinstance(item, dict) and "name" in item:
        for before, after in zip(stripped, live, strict=True):
            if isinstance(after, dict) and after.get("name") == item["name"]:
                return before, after
        return _ABSENT, _ABSENT
    return (stripped[at], live[at]) if at < len(live) else (_ABSENT, _ABSENT)


def _with_lost(target: list[Any], stripped: list[Any], live: list[Any]) -> list[Any]:
    """The wanted items, and those that are ignored as wholes: a container that another controller put in."""
    left = list(stripped)
    lost = []
    for item in live:
        if item in left:
            left.remove(item)
        else:
            lost.append(item)
    names = {item.get("name") for item in target if isinstance(item, dict)}
    return target + [item for item in lost if not (isinstance(item, dict) and item.get("name") in names)]


def _remove(node: Any, path: list[str]) -> None:
    *steps, last = path or [""]
    for step in steps:
        if isinstance(node, list):
            node = node[int(step)] if step.isdigit() and int(step) < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
        if node is None:
            return
    if isinstance(node, dict):
        node.pop(last, None)
    elif isinstance(node, list) and last.isdigit() and int(last) < len(node):
        del node[int(last)]
