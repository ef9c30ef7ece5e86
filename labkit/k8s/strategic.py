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

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from labkit.errors import ApiError, BadRequest, Invalid
from labkit.k8s.objects import copied

if TYPE_CHECKING:
    from labkit.k8s.objects import Object
    from labkit.k8s.schemas import Node

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


def strategic_merge_patch(obj: Object, patch: Object, schema: Node | None) -> Object:
    """`obj` changed by a strategic merge patch.

    Raises `BadRequest`, `Invalid` or, with code 500 and no reason, `ApiError` for a directive or element that is none.
    """
    return _merge_map(copied(obj), copied(patch), schema)


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
    said = [
        key for key, value in patch.items() if value is not None and not key.startswith((_ORDER, _DELETE))
    ]
    if not isinstance(keys, list) or any(key not in keys for key in said):
        raise BadRequest("invalid patch format of retainKeys")
    for key in [key for key in original if key not in keys]:
        del original[key]


def _delete_plain(original: dict[str, Any], key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise BadRequest("invalid patch format of primitive list")
    if isinstance(original.get(key), list):
        gone = _places(values, "")
        original[key] = [item for item in original[key] if _identity(item, "") not in gone]


# ── lists ─────────────────────────────────────────────────────────────────────


def _merge_list(old: list[Any], new: list[Any], schema: Node) -> list[Any]:
    if not old and not new:
        return old
    merge_key = schema.patch_merge_key if _are_maps(old, new) else ""
    if not merge_key:
        merged = list({_identity(item, ""): item for item in [*old, *new]}.values())
        return _ordered(merged, new, old, "")
    plain, replaced, old = _special(old, new, merge_key)
    if replaced:
        return [_without_directives(item) for item in plain]
    merged, places = list(old), _places(old, merge_key)
    for item in plain:
        if merge_key not in item:
            raise _bad(f"map: {_go(item)} does not contain declared merge key: {merge_key}")
        place = places.setdefault(_identity(item, merge_key), len(merged))
        if place == len(merged):
            merged.append(_without_directives(item))
        else:
            merged[place] = _merge_map(merged[place], item, schema.items)
    return _ordered(merged, plain, old, merge_key)


def _are_maps(*lists: list[Any]) -> bool:
    """Whether the elements are objects.  They must all be of one kind, and no lists."""
    kinds = {_kind(item) for items in lists for item in items}
    if "[]interface {}" in kinds:
        raise Invalid("the server rejected our request due to an error in our request")
    if len(kinds) > 1:
        raise _bad(f"list element types are not identical: {_go(list(lists))}")
    return "map[string]interface {}" in kinds


def _kind(value: Any) -> str:
    """A value's type as Go names it."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    names = {bool: "bool", int: "int64", float: "float64", str: "string"}
    return names.get(type(value), "%!s(<nil>)")


def _special(old: list[Any], new: list[Any], merge_key: str) -> tuple[list[Any], bool, list[Any]]:
    """The patch's plain elements, whether they replace the list, and the list without the deleted ones."""
    plain, replaced, gone = [], False, set[Any]()
    for item in new:
        kind = item.get(_PATCH)
        if _PATCH not in item:
            plain.append(item)
        elif kind == "delete":
            if merge_key not in item:
                raise _bad(f"map: {_go(item)} does not contain declared merge key: {merge_key}")
            gone.add(_identity(item, merge_key))
        elif kind == "replace":
            replaced = True
        elif kind == "merge":
            raise _bad("merging lists cannot yet be specified in the patch")
        else:
            raise _bad(f"unknown patch type: {kind} in map: {_go(item)}")
    kept = [one for one in old if _identity(one, merge_key) not in gone] if gone else old
    return plain, replaced, kept


def _set_orders(original: dict[str, Any], patch: dict[str, Any], schema: Node | None) -> None:
    for directive in [key for key in patch if key.startswith(_ORDER)]:
        order, key = patch.pop(directive), directive.removeprefix(_ORDER)
        child = schema.child(key) if schema else None
        new, old = patch.pop(key, None) or [], original.get(key) or []
        for one in (order, new, old):
            if not isinstance(one, list):
                raise _bad(f"expected a []interface {{}}, but received a {_kind(one)}")
        if child is None:
            continue
        merge_key = child.patch_merge_key if _are_maps(order, old, new) else ""
        _check_order(new, order, merge_key)
        merged = _merged(old, new, child) if new else old
        if merged:
            original[key] = _ordered(merged, order, old, merge_key)


def _check_order(new: list[Any], order: list[Any], merge_key: str) -> None:
    """The patch's elements must stand in the order that it asks for."""
    plain = [item for item in new if not (isinstance(item, dict) and _PATCH in item)]
    if not order or not plain:
        return
    wanted = _places(order, merge_key)
    places = [wanted.get(_identity(item, merge_key)) for item in plain]
    known = [place for place in places if place is not None]
    if len(known) != len(places) or known != sorted(known):
        raise _bad(
            f"The order in patch list:\n{_go(new)}\n doesn't match $setElementOrder list:\n{_go(order)}\n"
        )


def _ordered(merged: list[Any], wanted: list[Any], before: list[Any], merge_key: str) -> list[Any]:
    """Elements that the patch names in its order; the others keep their place among them."""
    asked, had = _places(wanted, merge_key), _places(before, merge_key)
    marked = [(_identity(item, merge_key), item) for item in merged]
    named = deque(
        sorted(((mark, item) for mark, item in marked if mark in asked), key=lambda one: asked[one[0]])
    )
    others = deque((mark, item) for mark, item in marked if mark not in asked)
    result: list[Any] = []
    while others and named:
        left, right = had.get(others[0][0]), had.get(named[0][0])
        first = others if left is not None and right is not None and left < right else named
        result.append(first.popleft()[1])
    return result + [item for _, item in (*others, *named)]


def _places(items: list[Any], merge_key: str) -> dict[Any, int]:
    """Where each element first stands."""
    places: dict[Any, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_identity(item, merge_key), place)
    return places


def _identity(item: Any, merge_key: str) -> Any:
    """What tells an element from the others: its merge key's value or, without one, all of it."""
    value = item.get(merge_key) if merge_key and isinstance(item, dict) else item
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else (type(value), value)


def _go(value: Any) -> str:
    """A value as Go prints it: ``map[a:1 b:[x y]]``."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)
