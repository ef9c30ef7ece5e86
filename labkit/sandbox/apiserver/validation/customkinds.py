"""Custom objects against their schema: types, bounds, lists that are sets or maps, and the schema's own rules.

Source: apiextensions-apiserver, pkg/apiserver/validation, pkg/apiserver/schema/listtype and
pkg/registry/customresource; the words are those of kube-openapi's validator.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver.field_errors import (
    FieldError,
    bad,
    duplicate,
    required,
    shown,
    too_long,
    too_many,
    unsupported,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.sandbox.apiserver.custom import CustomVersion

JSON = dict[str, Any]

_BLOCKING: Final = (
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
)  # fmt: skip
_NOT_CHECKED: Final = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
_PYTHON: Final[dict[str, type | tuple[type, ...]]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
}  # fmt: skip


def check(version: CustomVersion, obj: JSON, old: JSON | None) -> Iterator[FieldError]:
    """All that is wrong with a custom object; `old` is what it was, for rules about changes."""
    schema = version.openapi
    errors = list(_value(obj, schema, "", root=True))
    errors += _scale(version, obj)
    errors += list(_lists(obj, schema, ""))
    yield from errors
    if not _has_rules(schema):
        return
    if any(error.reason in _BLOCKING for error in errors):
        yield bad("<nil>", None, _NOT_CHECKED)
        return
    from labkit.sandbox.apiserver.cel import broken_rules

    yield from broken_rules(obj, old, schema)


def _has_rules(schema: Any) -> bool:
    if isinstance(schema, dict):
        return bool(schema.get("x-kubernetes-validations")) or any(
            _has_rules(value) for value in schema.values()
        )
    return isinstance(schema, list) and any(_has_rules(value) for value in schema)


# ── schema ────────────────────────────────────────────────────────────────────


def _value(value: Any, schema: JSON, path: str, *, root: bool = False) -> Iterator[FieldError]:
    wrong = _type_problem(value, schema, path)
    if wrong:
        yield wrong
        return
    if value is None:
        return
    if isinstance(value, dict):
        yield from _object(value, schema, path, root=root)
    elif isinstance(value, list):
        yield from _array(value, schema, path)
    elif isinstance(value, str):
        yield from _string(value, schema, path)
    elif not isinstance(value, bool):
        yield from _number(value, schema, path)
    choices = schema.get("enum")
    if choices and value not in choices:
        yield unsupported(path, value, choices)
    yield from _combined(value, schema, path)


def _type_problem(value: Any, schema: JSON, path: str) -> FieldError | None:
    kind = schema.get("type", "")
    if value is None:
        if schema.get("nullable") or not kind:
            return None
        return _wrong_type(path, kind, "null")
    if schema.get("x-kubernetes-int-or-string"):
        fits = isinstance(value, str) or type(value) is int
        return None if fits else _wrong_type(path, "integer,string", _type_of(value))
    if not kind:
        return None
    fits = isinstance(value, _PYTHON[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        fits = True
    return None if fits else _wrong_type(path, kind, _type_of(value))


def _type_of(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")


def _wrong_type(path: str, wanted: str, found: str) -> FieldError:
    text = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
    return FieldError(path, "FieldValueTypeInvalid", text)


def _object(value: JSON, schema: JSON, path: str, *, root: bool) -> Iterator[FieldError]:
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    count = len(value)
    if schema.get("maxProperties") is not None and count > schema["maxProperties"]:
        yield too_many(path, count, schema["maxProperties"])
    if schema.get("minProperties") is not None and count < schema["minProperties"]:
        yield bad(path, count, f"{path} in body should have at least {schema['minProperties']} properties")
    for name in schema.get("required") or ():
        if name not in value:
            yield required(_join(path, name))
    for key, item in value.items():
        if root and key in ("apiVersion", "kind", "metadata"):
            continue
        if key in properties:
            yield from _value(item, properties[key], _join(path, key))
        elif isinstance(extra, dict):
            yield from _value(item, extra, _join(path, key))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _array(value: list[Any], schema: JSON, path: str) -> Iterator[FieldError]:
    count = len(value)
    if schema.get("maxItems") is not None and count > schema["maxItems"]:
        yield too_many(path, count, schema["maxItems"])
    if schema.get("minItems") is not None and count < schema["minItems"]:
        yield bad(path, count, f"{path} in body should have at least {schema['minItems']} items")
    items = schema.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            yield from _value(item, items, f"{path}[{index}]")


def _string(value: str, schema: JSON, path: str) -> Iterator[FieldError]:
    if schema.get("maxLength") is not None and len(value) > schema["maxLength"]:
        yield too_long(path, schema["maxLength"])
    if schema.get("minLength") is not None and len(value) < schema["minLength"]:
        yield bad(path, value, f"{path} in body should be at least {schema['minLength']} chars long")
    pattern = schema.get("pattern")
    if pattern and not _pattern(pattern).search(value):
        yield bad(path, value, f"{path} in body should match '{pattern}'")
    form = schema.get("format")
    if form in ("date-time", "date") and not _is_date(value, form):
        text = f"{path} in body must be of type {form}: {shown(value)}"
        yield FieldError(path, "FieldValueInvalid", f"Invalid value: {shown(value)}: {text}")


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    """A Go pattern in Python; one that Python does not know matches everything."""
    translated = (
        pattern.replace(r"\z", r"\Z").replace("[[:alnum:]]", "[A-Za-z0-9]").replace("[[:alpha:]]", "[A-Za-z]")
    )
    try:
        return re.compile(translated)
    except re.error:
        return re.compile("")


def _is_date(value: str, form: str) -> bool:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return False
    return form == "date" or found.tzinfo is not None


def _number(value: float, schema: JSON, path: str) -> Iterator[FieldError]:
    most, least = schema.get("maximum"), schema.get("minimum")
    if most is not None:
        if schema.get("exclusiveMaximum") and value >= most:
            yield bad(path, value, f"{path} in body should be less than {_plain(most)}")
        elif value > most:
            yield bad(path, value, f"{path} in body should be less than or equal to {_plain(most)}")
    if least is not None:
        if schema.get("exclusiveMinimum") and value <= least:
            yield bad(path, value, f"{path} in body should be greater than {_plain(least)}")
        elif value < least:
            yield bad(path, value, f"{path} in body should be greater than or equal to {_plain(least)}")
    step = schema.get("multipleOf")
    if step and (value / step) % 1:
        yield bad(path, value, f"{path} in body should be a multiple of {_plain(step)}")
    form = schema.get("format")
    if form in ("int32", "int64") and not -(2 ** (int(form[3:]) - 1)) <= value < 2 ** (int(form[3:]) - 1):
        yield bad(path, value, f"{path} in body should be a valid {form}")


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _combined(value: Any, schema: JSON, path: str) -> Iterator[FieldError]:
    """allOf, anyOf, oneOf, not."""

    def fits(other: JSON) -> bool:
        return next(_value(value, other, path), None) is None

    for other in schema.get("allOf") or ():
        yield from _value(value, other, path)
    name = path or ""
    any_of, one_of, unwanted = schema.get("anyOf"), schema.get("oneOf"), schema.get("not")
    if any_of and not any(fits(other) for other in any_of):
        yield bad(path, "", f'"{name}" must validate at least one schema (anyOf)')
        yield from _value(value, any_of[0], path)
    if one_of:
        count = sum(fits(other) for other in one_of)
        if count != 1:
            found = "none valid" if count == 0 else f"{count} valid alternatives"
            yield bad(path, "", f'"{name}" must validate one and only one schema (oneOf). Found {found}')
            if count == 0:
                yield from _value(value, one_of[0], path)
    if isinstance(unwanted, dict) and fits(unwanted):
        yield bad(path, "", f'"{name}" must not validate the schema (not)')


# ── scale, lists ──────────────────────────────────────────────────────────────


def _scale(version: CustomVersion, obj: JSON) -> list[FieldError]:
    scale = version.scale
    if not scale:
        return []
    errors: list[FieldError] = []
    for field in ("specReplicasPath", "statusReplicasPath"):
        path = scale.get(field, "")
        value = _at(obj, path)
        if value is None:
            continue
        if type(value) is not int:
            kind = {str: "string", bool: "bool", float: "float64", dict: "map[string]interface {}"}.get(
                type(value), "[]interface {}"
            )
            text = f"{path} accessor error: {value} is of the type {kind}, expected int64"
            errors.append(bad(path, 0, text))
        elif value < 0:
            errors.append(bad(path, value, "should be a non-negative integer"))
        elif value >= 2**31:
            errors.append(bad(path, value, "should be less than or equal to 2147483647"))
    return errors


def _at(obj: Any, path: str) -> Any:
    for step in path.strip(".").split("."):
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj


def _lists(value: Any, schema: JSON, path: str) -> Iterator[FieldError]:
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            below = properties.get(key) or (extra if isinstance(extra, dict) else None)
            if below is not None:
                yield from _lists(item, below, _join(path, key))
    elif isinstance(value, list):
        yield from _unique(value, schema, path)
        items = schema.get("items")
        if isinstance(items, dict):
            for index, item in enumerate(value):
                yield from _lists(item, items, f"{path}[{index}]")


def _unique(value: list[Any], schema: JSON, path: str) -> Iterator[FieldError]:
    kind = schema.get("x-kubernetes-list-type")
    if kind not in ("set", "map"):
        return
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    for index, item in enumerate(value):
        mark = (
            {key: item[key] for key in keys if key in item}
            if kind == "map" and isinstance(item, dict)
            else item
        )
        if mark in seen:
            yield duplicate(f"{path}[{index}]", mark)
        seen.append(mark)
