"""Secrets, so that two values can be told apart and none can be read."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labkit.k8s.objects import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
PLUS = "++++++++"
_QUOTED = re.compile(r" got .*", re.DOTALL)
_COMMON = 2  # characters: shorter values would only make a message unreadable


def masked(*objects: Object | None) -> list[Object | None]:
    """The objects with a Secret's values replaced: ``++++++++`` for one value, four more ``+`` for each other one.

    Objects that are given together share the masks, so equal values look equal. Others come back as they are.
    """
    masks: dict[object, str] = {}
    return [_mask(obj, masks) if obj is not None and is_secret(obj) else obj for obj in objects]


def is_secret(obj: Object) -> bool:
    """Whether it is a core Secret."""
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def _mask(obj: Object, masks: dict[object, str]) -> Object:
    shown = copy.deepcopy(obj)
    for field in ("data", "stringData"):
        if not isinstance(shown.get(field) or {}, dict):
            shown[field] = PLUS  # it makes no sense, and is secret all the same
            continue
        for key, value in (shown.get(field) or {}).items():
            shown[field][key] = masks.setdefault(str(value), PLUS + "++++" * len(masks))
    annotations = (shown.get("metadata") or {}).get("annotations") or {}
    if LAST_APPLIED in annotations:
        annotations[LAST_APPLIED] = PLUS
    return shown


def unquoted(message: str, obj: Object) -> str:
    """What a server says of a Secret, without what is in it: an API server quotes what it does not understand."""
    if not is_secret(obj):
        return message
    told = _QUOTED.sub(f" got {PLUS}", message)
    for value in sorted(
        {text for field in ("data", "stringData") for text in _texts(obj.get(field))}, key=len
    ):
        told = told.replace(value, PLUS) if len(value) > _COMMON else told
    return told


def _texts(value: Any) -> Iterator[str]:
    """Every value in a Secret's data, whatever its shape. A key is none, but where there should be a text."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield str(value)


def words(objects: Sequence[Object]) -> set[str]:
    """Every value that must not be shown: for checking messages."""
    return {
        str(v)
        for o in objects
        if is_secret(o)
        for f in ("data", "stringData")
        for v in (o.get(f) or {}).values()
    }
