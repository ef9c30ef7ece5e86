"""The three ways to change an object in part: JSON patch, merge patch, strategic merge patch.

All are pure: the object handed in is not changed.  Errors are the API server's.

- `json_patch`: RFC 6902, a list of operations on paths.
- `merge_patch`: RFC 7386, a partial object; null deletes, lists are replaced.
- `strategic_merge_patch`: Kubernetes' own, see `strategic`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import BadRequest, Invalid, TooLarge
from labkit.k8s.objects import copied
from labkit.k8s.strategic import strategic_merge_patch

if TYPE_CHECKING:
    from labkit.k8s.objects import Object

__all__ = ["json_patch", "merge_patch", "strategic_merge_patch"]


def merge_patch(obj: Any, patch: Any) -> Any:
    """`obj` changed by an RFC 7386 merge patch."""
    if not isinstance(patch, dict):
        return copied(patch)
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


# ── JSON patch ────────────────────────────────────────────────────────────────

MAX_OPERATIONS: Final = 10_000
# How much the "copy" operations of one patch may add together, as JSON: each can double what is there.
MAX_COPIED: Final = 3 * 1024 * 1024
_REJECTED: Final = "the server rejected our request due to an error in our request"


class _Refused(Exception):
    """An operation that cannot be carried out."""


def json_patch(obj: Object, operations: Any) -> Object:
    """`obj` changed by an RFC 6902 patch.

    Raises `BadRequest` for something that is no list of operations, `TooLarge` for too many of them, and `Invalid`
    where one cannot be carried out; then none has been.
    """
    if not isinstance(operations, list):
        raise _no_operation(operations, "[]handlers.jsonPatchOp")
    for one in operations:
        if not isinstance(one, dict):
            raise _no_operation(one, "handlers.jsonPatchOp")
    if len(operations) > MAX_OPERATIONS:
        raise TooLarge(
            "Request entity too large: The allowed maximum operations in a JSON patch is"
            f" {MAX_OPERATIONS}, got {len(operations)}"
        )
    result: Any = copied(obj)
    weight = 0
    try:
        for operation in operations:
            weight = _with_copy(weight, result, operation)
            result = _operate(result, operation)
    except _Refused as refused:
        raise Invalid(_REJECTED) from refused
    if not isinstance(result, dict):
        raise Invalid(_REJECTED)
    return result


def _no_operation(value: Any, wanted: str) -> BadRequest:
    kind = {dict: "object", list: "array", str: "string", bool: "bool"}.get(type(value), "number")
    return BadRequest(f"error decoding patch: json: cannot unmarshal {kind} into Go value of type {wanted}")


def _with_copy(weight: int, root: Any, operation: dict[str, Any]) -> int:
    """How much will have been copied after the operation."""
    if operation.get("op") != "copy":
        return weight
    weight += len(json.dumps(_look(root, str(operation.get("from", "")))))
    if weight > MAX_COPIED:
        raise _Refused(operation.get("path"))
    return weight


def _operate(root: Any, operation: dict[str, Any]) -> Any:
    kind, path = operation.get("op"), operation.get("path")
    if not isinstance(path, str):
        raise _Refused(path)
    if kind in {"add", "replace", "test"} and "value" not in operation:
        raise _Refused(path)
    if kind == "test":
        if _look(root, path, absent=None) != operation["value"]:
            raise _Refused(path)
        return root
    if kind in {"add", "replace", "remove"}:
        return _change(root, path, kind, copied(operation.get("value")))
    if kind in {"move", "copy"}:
        source = str(operation.get("from", ""))
        value = copied(_look(root, source))
        if kind == "move":
            root = _change(root, source, "remove")
        return _change(root, path, "add", value)
    raise _Refused(kind)


_RAISE: Any = object()


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise _Refused(path)
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _below(node: Any, step: str) -> Any:
    """What is at one step below a node; `_RAISE` for nothing."""
    if isinstance(node, dict):
        return node.get(step, _RAISE)
    if isinstance(node, list):
        place = _index(step, len(node))
        return node[place] if place is not None else _RAISE
    return _RAISE


def _look(root: Any, path: str, absent: Any = _RAISE) -> Any:
    node = root
    for step in _steps(path):
        node = _below(node, step)
        if node is _RAISE:
            if absent is _RAISE:
                raise _Refused(path)
            return absent
    return node


def _index(step: str, length: int) -> int | None:
    """The place that a step names; those below zero count from the end, as in the API server's library."""
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,8})", step):
        return None
    place = int(step)
    place = place + length if place < 0 else place
    return place if 0 <= place < length else None


def _change(root: Any, path: str, kind: str, value: Any = None) -> Any:
    if path == "":
        return value
    *parents, last = _steps(path)
    node = root
    for step in parents:
        node = _below(node, step)
    if isinstance(node, list):
        _change_list(node, last, kind, value)
    elif isinstance(node, dict):
        _change_map(node, last, kind, value)
    else:
        raise _Refused(path)
    return root


def _change_map(node: dict[str, Any], key: str, kind: str, value: Any) -> None:
    if kind != "add" and key not in node:
        raise _Refused(key)
    if kind == "remove":
        del node[key]
    else:
        node[key] = value


def _change_list(node: list[Any], last: str, kind: str, value: Any) -> None:
    length = len(node) + (kind == "add")
    place = len(node) if (last, kind) == ("-", "add") else _index(last, length)
    if place is None:
        raise _Refused(last)
    if kind == "add":
        node.insert(place, value)
    elif kind == "remove":
        del node[place]
    else:
        node[place] = value
