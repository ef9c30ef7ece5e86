"""CustomResourceDefinitions: their names fit together, and their schemas are structural.

Source: apiextensions-apiserver, pkg/apis/apiextensions/validation and pkg/apiserver/schema/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, required, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")


def definition(obj: JSON) -> Iterator[FieldError]:
    """A CustomResourceDefinition."""
    spec = obj["spec"]
    called = spec.get("names") or {}
    wanted = f"{called.get('plural', '')}.{spec.get('group', '')}"
    if obj["metadata"].get("name") != wanted:
        yield bad(
            "metadata.name", obj["metadata"].get("name", ""), 'must be spec.names.plural+"."+spec.group'
        )
    yield from _group(spec.get("group", ""))
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        choices = ("Cluster", "Namespaced")
        yield (
            unsupported("spec.scope", spec["scope"], choices) if spec.get("scope") else required("spec.scope")
        )
    yield from _versions(spec)
    yield from _names(called)
    if (spec.get("conversion") or {}).get("strategy") not in ("None", "Webhook"):
        yield unsupported(
            "spec.conversion.strategy",
            (spec.get("conversion") or {}).get("strategy", ""),
            ("None", "Webhook"),
        )


def _group(group: str) -> Iterator[FieldError]:
    if not group:
        yield required("spec.group")
        return
    problems = names.dns1123_subdomain(group)
    yield from (bad("spec.group", group, text) for text in problems)
    if not problems and "." not in group:
        yield bad("spec.group", group, "should be a domain with at least one dot")


def _names(called: JSON) -> Iterator[FieldError]:
    for field in ("plural", "singular", "kind", "listKind"):
        value = called.get(field, "")
        if not value:
            yield required(f"spec.names.{field}")
        else:
            yield from (
                bad(f"spec.names.{field}", value, text) for text in names.dns1035_label(value.lower())
            )
    for index, short in enumerate(called.get("shortNames") or ()):
        yield from (
            bad(f"spec.names.shortNames[{index}]", short, text) for text in names.dns1035_label(short)
        )
    if called.get("kind") and called.get("kind") == called.get("listKind"):
        yield bad("spec.names.listKind", called["listKind"], "kind and listKind may not be the same")


def _versions(spec: JSON) -> Iterator[FieldError]:
    versions = spec.get("versions") or []
    stored = [one for one in versions if one.get("storage")]
    seen = set()
    if not versions:
        yield bad("spec.versions", None, "must have exactly one version marked as storage version")
        return
    for index, one in enumerate(versions):
        path, name = f"spec.versions[{index}]", one.get("name", "")
        yield from (bad(f"{path}.name", name, text) for text in names.dns1035_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        yield from _version(one, path, spec)
    if len(stored) != 1:
        yield bad(
            "spec.versions",
            [one.get("name") for one in versions],
            "must have exactly one version marked as storage version",
        )


def _version(one: JSON, path: str, spec: JSON) -> Iterator[FieldError]:
    schema = (one.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        yield required(f"{path}.schema.openAPIV3Schema")
    else:
        yield from _structural(schema, f"{path}.schema.openAPIV3Schema", root=True)
        if schema.get("type") != "object" and schema.get("type"):
            yield bad(f"{path}.schema.openAPIV3Schema.type", schema["type"], "must be object")
    if spec.get("preserveUnknownFields"):
        yield bad("spec.preserveUnknownFields", True, "must be false in order to use defaults in the schema")
    for index, column in enumerate(one.get("additionalPrinterColumns") or ()):
        place = f"{path}.additionalPrinterColumns[{index}]"
        if not column.get("name"):
            yield required(f"{place}.name")
        if column.get("type") not in _COLUMN_TYPES:
            yield bad(f"{place}.type", column.get("type", ""), f"must be one of {','.join(_COLUMN_TYPES)}")
        if not column.get("jsonPath"):
            yield required(f"{place}.jsonPath")
    scale = (one.get("subresources") or {}).get("scale")
    if scale is not None:
        for field, root in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
            value = scale.get(field, "")
            if not value:
                yield required(f"{path}.subresources.scale.{field}")
            elif not value.startswith(f"{root}."):
                yield bad(f"{path}.subresources.scale.{field}", value, f"should be a json path under {root}")


def _structural(schema: JSON, path: str, *, root: bool = False) -> Iterator[FieldError]:
    """Every place has a type, unless it takes two or anything."""
    wrong = list(_shapes(schema, path))
    yield from wrong or _place(schema, path, root=root)


def _place(schema: JSON, path: str, *, root: bool) -> Iterator[FieldError]:
    kind = schema.get("type", "")
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not kind and not free:
        text = "must not be empty at the root" if root else "must not be empty for specified object fields"
        yield required(f"{path}.type", text)
    elif kind and kind not in _TYPES:
        yield unsupported(f"{path}.type", kind, _TYPES)
    if schema.get("x-kubernetes-int-or-string") and kind:
        yield bad(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true")
    if schema.get("properties") and isinstance(schema.get("additionalProperties"), dict):
        yield forbidden(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    if schema.get("uniqueItems"):
        yield forbidden(
            f"{path}.uniqueItems",
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        )
    if schema.get("$ref"):
        yield forbidden(f"{path}.$ref", "$ref is not supported")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield required(f"{path}.items", "must be specified")
    yield from _list_type(schema, path)
    for name, below in sorted((schema.get("properties") or {}).items()):
        if not (root and name in ("apiVersion", "kind", "metadata")):
            yield from _structural(below, f"{path}.properties[{name}]")
    if isinstance(schema.get("items"), dict):
        yield from _structural(schema["items"], f"{path}.items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _structural(schema["additionalProperties"], f"{path}.additionalProperties")


def _shapes(schema: JSON, path: str) -> Iterator[FieldError]:
    """What a schema says of a place is a text, or texts, or schemas."""
    for key in ("type", "format", "pattern", "x-kubernetes-list-type"):
        if not isinstance(schema.get(key, ""), str):
            yield bad(f"{path}.{key}", schema[key], "must be a string")
    for key in ("required", "x-kubernetes-list-map-keys"):
        said = schema.get(key) or []
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            yield bad(f"{path}.{key}", said, "must be a list of strings")
    below = schema.get("properties") or {}
    if not isinstance(below, dict) or not all(isinstance(one, dict) for one in below.values()):
        yield bad(f"{path}.properties", below, "must be schemas by name")
    if not isinstance(schema.get("enum") or [], list):
        yield bad(f"{path}.enum", schema["enum"], "must be a list")


def _list_type(schema: JSON, path: str) -> Iterator[FieldError]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if kind is None:
        return
    if schema.get("type") != "array":
        yield bad(
            f"{path}.type", schema.get("type", ""), "must be array if x-kubernetes-list-type is specified"
        )
    if kind not in ("atomic", "map", "set"):
        yield unsupported(f"{path}.x-kubernetes-list-type", kind, ("atomic", "map", "set"))
    if kind == "map" and not keys:
        yield required(
            f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"
        )


def definition_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A definition that is established keeps its group, scope and names."""
    spec, before = new["spec"], old["spec"]
    conditions = (old.get("status") or {}).get("conditions") or ()
    if not any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
        return
    for field in ("group", "scope"):
        if spec.get(field) != before.get(field):
            yield bad(f"spec.{field}", spec.get(field), "field is immutable")
    for field in ("kind", "plural"):
        if spec["names"].get(field) != before["names"].get(field):
            yield bad(f"spec.names.{field}", spec["names"].get(field), "field is immutable")
