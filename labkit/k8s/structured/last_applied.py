"""From ``kubectl apply`` to ``kubectl apply --server-side``: the annotation that the former keeps.

Client-side apply remembers what it applied in an annotation, and its fields belong to an updater named
``kubectl-client-side-apply``.  When the manager ``kubectl`` then applies on the server, what the annotation accounts
for is no conflict; and the annotation is kept in step, so that one can go back.

Source: k8s.io/apimachinery, ``lastappliedmanager`` and ``lastappliedupdater``.
"""

from __future__ import annotations

import json
from typing import Any, Final

from labkit.k8s.objects import annotations_of
from labkit.k8s.structured.compare import compare
from labkit.k8s.structured.elements import to_json
from labkit.k8s.structured.field_set import FieldSet
from labkit.k8s.structured.types import Misfit, Type
from labkit.k8s.structured.walk import fields_of

JSON = dict[str, Any]

ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER: Final = "kubectl"
_LIMIT: Final = 256 * 1024  # bytes that all annotations of an object may have together


def accounted_for(live: JSON, kind: Type, api_version: str) -> FieldSet:
    """The fields that client-side apply wrote and that are still as it wrote them."""
    try:
        said = json.loads(annotations_of(live).get(ANNOTATION) or "{}")
        if not isinstance(said, dict) or said.get("apiVersion") != api_version:
            return FieldSet()
        changes = compare(said, live, kind)
        return fields_of(said, kind) - changes.modified - changes.added - changes.removed
    except (ValueError, Misfit):
        return FieldSet()


def in_step(obj: JSON, config: JSON) -> JSON:
    """The object with the annotation, if it has one, saying what has been applied now."""
    if not annotations_of(obj).get(ANNOTATION):
        return obj
    annotations = dict(annotations_of(obj))
    annotations[ANNOTATION] = to_json(_sorted(_without_annotation(config))) + "\n"
    if sum(len(name.encode()) + len(text.encode()) for name, text in annotations.items()) > _LIMIT:
        del annotations[ANNOTATION]
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def _without_annotation(config: JSON) -> JSON:
    annotations = annotations_of(config)
    if ANNOTATION not in annotations:
        return config
    rest = {name: text for name, text in annotations.items() if name != ANNOTATION}
    return {**config, "metadata": {**config["metadata"], "annotations": rest}}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
