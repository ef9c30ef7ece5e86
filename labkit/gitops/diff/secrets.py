"""Secrets, so that two values can be told apart and none can be read."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.k8s.objects import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
PLUS = "++++++++"


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
        for key, value in (shown.get(field) or {}).items():
            shown[field][key] = masks.setdefault(str(value), PLUS + "++++" * len(masks))
    annotations = (shown.get("metadata") or {}).get("annotations") or {}
    if LAST_APPLIED in annotations:
        annotations[LAST_APPLIED] = PLUS
    return shown


def words(objects: Sequence[Object]) -> set[str]:
    """Every value that must not be shown: for checking messages."""
    return {
        str(v)
        for o in objects
        if is_secret(o)
        for f in ("data", "stringData")
        for v in (o.get(f) or {}).values()
    }
