"""Secrets, so that two values can be told apart and none can be read.

Source: HideSecretData in Argo CD's gitops-engine/pkg/diff/diff.go.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from labkit.k8s.objects import Object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
PLUS = "++++++++"
_QUOTED = re.compile(r" got .*", re.DOTALL)
_COMMON = 2  # characters: shorter values would only make a message unreadable


def masked(*objects: Object | None, sensitive: Collection[str] = ()) -> list[Object | None]:
    """The objects with a Secret's values replaced: ``++++++++`` for a key's first, four ``+`` more for each other.

    Objects that are given together share a key's masks, so equal values look equal. What stands in ``stringData`` is
    shown in ``data``, where it will be. Annotations whose names are ``sensitive`` are hidden, too. Objects that are no
    Secrets come back as they are.
    """
    shown = [normalized(obj) if obj is not None and is_secret(obj) else obj for obj in objects]
    secrets = [obj for obj in shown if obj is not None and is_secret(obj)]
    applied = [_last_applied(obj) for obj in secrets]
    masks: dict[tuple[str, str], list[object]] = {}
    for obj in [*secrets, *(found for found in applied if found is not None)]:
        for place, values, keys in _hidden(obj, sensitive):
            for key in keys:
                seen = masks.setdefault((place, key), [])
                if values[key] not in seen:
                    seen.append(values[key])
                values[key] = PLUS + "++++" * seen.index(values[key])
    for obj, found in zip(secrets, applied, strict=True):
        annotations = _annotations(obj)
        if LAST_APPLIED in annotations and (found is None or LAST_APPLIED in sensitive):
            annotations[LAST_APPLIED] = PLUS
        elif LAST_APPLIED in annotations:
            annotations[LAST_APPLIED] = json.dumps(found, separators=(",", ":"), sort_keys=True)
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


def normalized(secret: Object) -> Object:
    """A copy with ``stringData`` in ``data``, encoded, as the server will have it; what is no text stays."""
    shown = copy.deepcopy(secret)
    for field in ("data", "stringData"):
        if not isinstance(shown.get(field) or {}, dict):
            shown[field] = PLUS  # it makes no sense, and is secret all the same
    texts, data = shown.get("stringData"), shown.get("data") or {}
    if isinstance(texts, dict) and isinstance(data, dict):
        shown["data"] = data | {key: _encoded(value) for key, value in texts.items()}
        del shown["stringData"]
    return shown


def is_secret(obj: Object) -> bool:
    """Whether it is a core Secret."""
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def _hidden(secret: Object, sensitive: Collection[str]) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Which keys of what are to be masked: all data, and the annotations that are said to be sensitive."""
    for field in ("data", "stringData"):
        values = secret.get(field)
        if isinstance(values, dict):
            yield field, values, list(values)
    annotations = _annotations(secret)
    yield "annotations", annotations, [key for key in annotations if key in sensitive and key != LAST_APPLIED]


def _last_applied(secret: Object) -> Object | None:
    try:
        found = json.loads(_annotations(secret).get(LAST_APPLIED, ""))
    except (TypeError, ValueError):
        return None
    return normalized(found) if isinstance(found, dict) else None


def _annotations(obj: Object) -> dict[str, Any]:
    metadata = obj.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _encoded(value: Any) -> Any:
    return base64.b64encode(value.encode()).decode() if isinstance(value, str) else value
