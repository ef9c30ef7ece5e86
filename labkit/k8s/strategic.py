"""Strategic merge patch: a partial object that knows the kinds' list types.

Lists that the schema gives a merge key are merged element by element, other lists are replaced; directives steer
what the schema alone cannot say:

- ``$patch: delete | replace`` in an element or an object,
- ``$setElementOrder/<list>``: the order that the list's elements shall have,
- ``$deleteFromPrimitiveList/<list>``: plain values to take out of a list,
- ``$retainKeys``: the only keys of an object that may remain.

Source: apimachinery's ``util/strategicpatch/patch.go``; the order of merged lists is as surprising there as here: an
element that the list did not have comes before those that only the list has.
"""

from __future__ import annotations

import copy
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from labkit.errors import ApiError

if TYPE_CHECKING:
    from labkit.k8s.objects import Object
    from labkit.k8s.schemas import Node

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def strategic_merge_patch(obj: Object, patch: Object, schema: Node | None) -> Object:
    """`obj` changed by a strategic merge patch.  Raises `ApiError` (500) for a directive or element that is none."""
    return _merge_map(copy.deepcopy(obj), copy.deepcopy(patch), schema)


def _bad(text: str) -> ApiError:
    error = ApiError(text)
    error.reason = ""
    return error


def _merge_map(original: dict[str, Any], patch: dict[str, Any], schema: Node | None) -> dict[str, Any]:
    if _PATCH in patch:
        kind = patch.pop(_PATCH)
        if kind == "replace":
            return patch
        if kind == "delete":
            return {}
        raise _bad(f"unknown patch type: {kind} in map: {_go({_PATCH: kind, **patch})}")
    _retain_keys(original, patch)
    _set_orders(original, patch, schema)
    for key, value in patch.items():
        if key.startswith(_DELETE):
            _delete_plain(original, key.removeprefix(_DELETE), value)
        elif value is None:
            original.pop(key, None)
        else:
            child = schema.child(key) if schema else None
            original[key] = _merged(original.get(key), value, child)
    return original


def _merged(old: Any, new: Any, schema: Node | None) -> Any:
    """One field's value after the patch says `new`."""
    replace = schema is not None and "replace" in schema.patch_strategies
    if isinstance(old, dict) and isinstance(new, dict) and not replace:
        return _merge_map(old, new, schema)
    if isinstance(old, list) and isinstance(new, list) and schema and "merge" in schema.patch_strategies:
        return _merge_list(old, new, schema)
    return _without_directives(new)


def _without_directives(value: Any) -> Any:
    """A value that is new: nothing to merge with, so directives and nulls say nothing."""
    if isinstance(value, dict):
        directives = (_PATCH, _RETAIN)
        return {
            key: _without_directives(item)
            for key, item in value.items()
            if item is not None and key not in directives and not key.startswith((_ORDER, _DELETE))
        }
    if isinstance(value, list):
        kept = [item for item in value if not (isinstance(item, dict) and _PATCH in item)]
        return [_without_directives(item) for item in kept]
    return value


def _retain_keys(original: dict[str, Any], patch: dict[str, Any]) -> None:
    keys = patch.pop(_RETAIN, None)
    if keys is None:
        return
    if not isinstance(keys, list) or any(key not in keys for key in patch if not key.startswith("$")):
        raise _bad(f"$retainKeys doesn't match with patch: {_go(patch)}")
    for key in [key for key in original if key not in keys]:
        del original[key]


def _delete_plain(original: dict[str, Any], key: str, values: Any) -> None:
    if isinstance(original.get(key), list) and isinstance(values, list):
        original[key] = [item for item in original[key] if item not in values]


# ── lists ─────────────────────────────────────────────────────────────────────


def _merge_list(old: list[Any], new: list[Any], schema: Node) -> list[Any]:
    merge_key = schema.patch_merge_key if any(isinstance(item, dict) for item in [*old, *new]) else ""
    if not merge_key:
        merged = old + [item for item in new if item not in old]
        return _ordered(merged, new, old, "")
    plain, replaced, old = _special(old, new, merge_key)
    if replaced:
        return [_without_directives(item) for item in plain]
    merged = list(old)
    for item in plain:
        if merge_key not in item:
            raise _bad(f"map: {_go(item)} does not contain declared merge key: {merge_key}")
        place = _find(merged, item, merge_key)
        if place is None:
            merged.append(_without_directives(item))
        else:
            merged[place] = _merge_map(merged[place], item, schema.items)
    return _ordered(merged, plain, old, merge_key)


def _special(old: list[Any], new: list[Any], merge_key: str) -> tuple[list[Any], bool, list[Any]]:
    """The patch's plain elements, whether they replace the list, and the list without the deleted ones."""
    plain, replaced = [], False
    for item in new:
        kind = item.get(_PATCH)
        if kind is None:
            plain.append(item)
        elif kind == "delete":
            if merge_key not in item:
                raise _bad(f"map: {_go(item)} does not contain declared merge key: {merge_key}")
            old = [one for one in old if one.get(merge_key) != item[merge_key]]
        elif kind == "replace":
            replaced = True
        elif kind == "merge":
            raise _bad("merging lists cannot yet be specified in the patch")
        else:
            raise _bad(f"unknown patch type: {kind} in map: {_go(item)}")
    return plain, replaced, old


def _set_orders(original: dict[str, Any], patch: dict[str, Any], schema: Node | None) -> None:
    for directive in [key for key in patch if key.startswith(_ORDER)]:
        order, key = patch.pop(directive), directive.removeprefix(_ORDER)
        child = schema.child(key) if schema else None
        new = patch.pop(key, None)
        old = original.get(key) or []
        if child is None or not isinstance(order, list):
            continue
        merge_key = child.patch_merge_key if any(isinstance(item, dict) for item in order) else ""
        _check_order(new or [], order, merge_key)
        merged = _merge_list(list(old), new, child) if new else list(old)
        if merged:
            original[key] = _ordered(merged, order, old, merge_key)


def _check_order(new: list[Any], order: list[Any], merge_key: str) -> None:
    """The patch's elements must stand in the order that it asks for."""
    plain = [item for item in new if not (isinstance(item, dict) and _PATCH in item)]
    places = [_find(order, item, merge_key) for item in plain]
    known = [place for place in places if place is not None]
    if len(known) != len(places) or known != sorted(known):
        raise _bad(f"The order in patch list:\n{_go(plain)}\n doesn't match $setElementOrder list:\n{_go(order)}\n")


def _ordered(merged: list[Any], wanted: list[Any], before: list[Any], merge_key: str) -> list[Any]:
    """Elements that the patch names in its order; the others keep their place among them."""
    named = [item for item in merged if _find(wanted, item, merge_key) is not None]
    others = [item for item in merged if _find(wanted, item, merge_key) is None]
    named.sort(key=cmp_to_key(lambda a, b: (_find(wanted, a, merge_key) or 0) - (_find(wanted, b, merge_key) or 0)))
    result: list[Any] = []
    while others and named:
        left, right = _find(before, others[0], merge_key), _find(before, named[0], merge_key)
        first = others if left is not None and right is not None and left < right else named
        result.append(first.pop(0))
    return result + others + named


def _find(items: list[Any], item: Any, merge_key: str) -> int | None:
    for place, one in enumerate(items):
        if not merge_key:
            if one == item:
                return place
        elif isinstance(one, dict) and isinstance(item, dict) and one.get(merge_key) == item.get(merge_key):
            return place
    return None


def _go(value: Any) -> str:
    """A value as Go prints it: ``map[a:1 b:[x y]]``."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)
