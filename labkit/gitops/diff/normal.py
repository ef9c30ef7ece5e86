"""What of an object counts when it is compared."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import Object, gvk, name_of, namespace_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


def normal(obj: Object, pointers: Iterable[str] = ()) -> Object:
    """A copy without what the server writes by itself, without status, and without the ignored fields."""
    kept = copy.deepcopy({name: value for name, value in obj.items() if name != "status"})
    meta = kept.get("metadata") or {}
    for name in _SERVERS_OWN:
        meta.pop(name, None)
    for pointer in pointers:
        _remove(kept, [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]])
    return kept


def ignored(obj: Object, rules: list[dict[str, Any]], field: str = "jsonPointers") -> list[str]:
    """What the ``ignoreDifferences`` rules that mean this object say: pointers, or ``managedFieldsManagers``."""
    kind = gvk(obj)
    return [
        text
        for rule in rules
        if rule.get("kind") in {kind.kind, "*"}
        and (rule.get("group") or "") in {kind.group, "*"}
        and rule.get("name") in {None, "", name_of(obj)}
        and rule.get("namespace") in {None, "", namespace_of(obj)}
        for text in rule.get(field) or []
    ]


def _remove(node: Any, path: list[str]) -> None:
    *steps, last = path
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
