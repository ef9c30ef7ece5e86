"""What a custom kind's structural schema does to an object: prune, default, and name what it does not know.

Source: apiextensions-apiserver's ``pkg/apiserver/schema`` (pruning, defaulting, listtype).
"""

from __future__ import annotations

from typing import Any

from labkit.k8s.objects import copied

JSON = dict[str, Any]

_META = ("apiVersion", "kind", "metadata")


def prune(value: Any, schema: JSON, path: str, unknown: list[str], *, resource: bool = False) -> Any:
    """`value` without the fields that the schema does not name; their paths are added to `unknown`."""
    if isinstance(value, dict):
        return _prune_object(
            value, schema, path, unknown, resource or bool(schema.get("x-kubernetes-embedded-resource"))
        )
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        return [prune(item, items, f"{path}[{index}]", unknown) for index, item in enumerate(value)]
    return value


def _prune_object(value: JSON, schema: JSON, path: str, unknown: list[str], resource: bool) -> JSON:
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    keep_all = schema.get("x-kubernetes-preserve-unknown-fields") or extra is True
    kept: JSON = {}
    for key, item in value.items():
        below = f"{path}.{key}" if path else key
        if resource and key in _META:
            kept[key] = item
        elif key in properties:
            kept[key] = prune(item, properties[key], below, unknown)
        elif isinstance(extra, dict):
            kept[key] = prune(item, extra, below, unknown)
        elif keep_all:
            kept[key] = item
        else:
            unknown.append(below)
    return kept


def default(value: Any, schema: JSON) -> None:
    """Fill in the schema's defaults, in place; a null that may not be one counts as absent."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, below in properties.items():
            if value.get(key, ...) is None and not below.get("nullable") and "default" in below:
                del value[key]
            if key not in value and "default" in below:
                value[key] = copied(below["default"])
            if key in value:
                default(value[key], below)
        if isinstance(extra, dict):
            for key, item in value.items():
                if key not in properties:
                    default(item, extra)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            default(item, schema["items"])


def drop_nulls(value: Any, schema: JSON) -> None:
    """Take out nulls where the schema does not allow them, in place: they mean "not said"."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        for key in [key for key, item in value.items() if item is None]:
            below = properties.get(key)
            if (
                below is not None
                and not below.get("nullable")
                and not below.get("x-kubernetes-preserve-unknown-fields")
            ):
                del value[key]
        for key, item in value.items():
            if key in properties:
                drop_nulls(item, properties[key])
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            drop_nulls(item, schema["items"])
