"""From the JSON that somebody sent to the object that the API keeps.

A Go server decodes a body into a struct, and much of what clients see comes from that: a number where a string
belongs is "cannot unmarshal", unknown fields vanish (with a warning, or refused), nulls and empty values are
dropped or filled in, quantities come back in canonical form.  A `Codec` does the same from the schemas: for
each definition it compiles one small function per field, when the definition is first met.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labkit.sandbox.apiserver.go_values import ABSENT, ALWAYS, KEPT_ZEROS

JSON = dict[str, Any]
Definitions = Mapping[str, JSON]

_DROP: Final = object()  # what a field's decoder answers when the field is to vanish

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_TIMES = ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime")
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_ELIDED = (_OBJECT_META, *_TIMES)
_LIMITS = {"int32": 2**31, "int64": 2**63}


class WrongType(ValueError):
    """A value that its field cannot take; the text is the Go decoder's."""


@dataclass(slots=True)
class Problems:
    """What was odd about a body but can be lived with: paths of fields that the schema does not have."""

    unknown: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    """Where the decoder is, for messages: the struct it is in, and the way there without indexes."""

    struct: str
    path: str


Decode = Callable[[Any, _Place, str, Problems], Any]
Default = Callable[[JSON], None]


class Codec:
    """Decodes values by named definitions.

    `defaults` holds, by a definition's short name (``core.v1.Container``), what fills in one such object after
    its fields are decoded.
    """

    def __init__(self, definitions: Definitions, defaults: Mapping[str, Default] | None = None) -> None:
        self._definitions = definitions
        self._defaults = defaults or {}
        self._structs: dict[str, Decode] = {}

    def decode(self, definition: str, value: JSON) -> tuple[JSON, Problems]:
        """The canonical form of `value`, with defaults, and what was unknown.  Raises `WrongType`."""
        problems = Problems()
        return self._struct(definition)(value, _Place("", ""), "", problems), problems

    # ── compiling ─────────────────────────────────────────────────────────────

    def _struct(self, name: str) -> Decode:
        found = self._structs.get(name)
        if found is None:

            def later(value: Any, place: _Place, path: str, problems: Problems) -> Any:
                return self._structs[name](value, place, path, problems)

            self._structs[name] = later  # a definition may contain itself
            found = self._structs[name] = self._compile(name)
        return found

    def _compile(self, name: str) -> Decode:
        definition = self._definitions[name]
        short, go_name = short_name(name), name.rsplit(".", 1)[-1]
        properties: JSON = definition.get("properties", {})
        if not properties:
            return _anything  # JSON of any form
        required = set(definition.get("required", ()))
        kept = set(KEPT_ZEROS.get(short, "").split())
        fields = {
            key: self._field(schema, keep_zero=key in kept or key in required)
            for key, schema in properties.items()
        }
        always = self._always(definition, short, required)
        fill = self._defaults.get(short)

        def decode(value: Any, place: _Place, path: str, problems: Problems) -> Any:
            if not isinstance(value, dict):
                raise _wrong(value, place, f"{_package(name)}.{go_name}")
            result: JSON = {}
            for key, item in value.items():
                decoder = fields.get(key)
                below = f"{path}.{key}" if path else key
                if decoder is None:
                    problems.unknown.append(below)
                elif item is not None:
                    inner = _Place(go_name, f"{place.path}.{key}" if place.path else key)
                    decoded = decoder(item, inner, below, problems)
                    if decoded is not _DROP:
                        result[key] = decoded
            for key, zero in always:
                if key not in result:
                    result[key] = zero()
            if fill is not None:
                fill(result)
            return result

        return decode

    def _always(
        self, definition: JSON, short: str, required: set[str]
    ) -> list[tuple[str, Callable[[], Any]]]:
        names = required | set(ALWAYS.get(short, "").split())
        names -= set(ABSENT.get(short, "").split())
        properties: JSON = definition["properties"]
        is_kind = "x-kubernetes-group-version-kind" in definition and "kind" in properties
        names |= {key for key in ("spec", "status") if is_kind and key in properties}
        names |= {key for key, schema in properties.items() if _ref(schema) == _OBJECT_META}
        return [(key, self._zero(properties[key])) for key in properties if key in names]

    def _zero(self, schema: JSON) -> Callable[[], Any]:
        ref = _ref(schema)
        if ref == _QUANTITY:
            return lambda: "0"
        if ref == _INT_OR_STRING:
            return lambda: 0
        if ref in _TIMES:
            return lambda: None
        if ref and self._definitions[ref].get("properties"):
            return lambda: self._struct(ref)({}, _Place("", ""), "", Problems())
        zero: Any = {"string": "", "integer": 0, "number": 0, "boolean": False}.get(_type(schema))
        return lambda: zero

    def _field(self, schema: JSON, *, keep_zero: bool) -> Decode:
        decode, ref = self._value(schema), _ref(schema)
        if keep_zero or (
            ref and self._definitions[ref].get("type", "object") == "object" and ref not in _ELIDED
        ):
            return decode

        def omit_empty(value: Any, place: _Place, path: str, problems: Problems) -> Any:
            decoded = decode(value, place, path, problems)
            return decoded if decoded or decoded is _DROP else _DROP

        return decode if ref == _INT_OR_STRING else omit_empty  # a pointer wherever it is optional

    def _value(self, schema: JSON) -> Decode:
        ref = _ref(schema)
        if ref:
            return self._reference(ref)
        if schema.get("x-kubernetes-preserve-unknown-fields"):
            return _anything
        kind = _type(schema)
        if kind == "array":
            return _list_of(
                self._value(schema["items"]), self._zero(schema["items"]), _go_type(schema["items"])
            )
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            values = schema["additionalProperties"]
            return _map_of(self._value(values), self._zero(values), _go_type(values))
        if kind in _SCALARS:
            return _scalar(kind, schema.get("format", ""))
        return _anything

    def _reference(self, ref: str) -> Decode:
        if ref == _QUANTITY:
            return _quantity
        if ref == _INT_OR_STRING:
            return _int_or_string
        if ref in _TIMES:
            return _time
        target = self._definitions[ref]
        if target.get("properties"):
            return self._struct(ref)
        return self._value({key: value for key, value in target.items() if key != "$ref"})


# ── values ────────────────────────────────────────────────────────────────────

_SCALARS: Final = {"string", "integer", "number", "boolean"}


def _anything(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
    return value


def _list_of(decode: Decode, zero: Callable[[], Any], go_type: str) -> Decode:
    """A null in a list stands for the type's zero value, as it does for Go."""

    def decode_list(value: Any, place: _Place, path: str, problems: Problems) -> Any:
        if not isinstance(value, list):
            raise _wrong(value, place, f"[]{go_type}")
        return [
            zero() if item is None else decode(item, place, f"{path}[{index}]", problems)
            for index, item in enumerate(value)
        ]

    return decode_list


def _map_of(decode: Decode, zero: Callable[[], Any], go_type: str) -> Decode:
    def decode_map(value: Any, place: _Place, path: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, place, f"map[string]{go_type}")
        return {
            key: zero() if item is None else decode(item, place, f"{path}.{key}", problems)
            for key, item in value.items()
        }

    return decode_map


def _scalar(kind: str, form: str) -> Decode:
    go_type = _go_type({"type": kind, "format": form})
    if kind == "string" and form == "byte":
        return _base64
    if kind == "integer":
        return _integer(go_type, _LIMITS.get(form, 2**63))
    python: tuple[type, ...] = {"string": (str,), "boolean": (bool,), "number": (int, float)}[kind]

    def decode(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
        if not isinstance(value, python) or (kind == "number" and isinstance(value, bool)):
            raise _wrong(value, place, go_type)
        return value

    return decode


def _integer(go_type: str, limit: int) -> Decode:
    def decode(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
        if type(value) is not int:
            raise _wrong(value, place, go_type, exact=True)
        if not -limit <= value < limit:
            raise _wrong(value, place, go_type, exact=True)
        return value

    return decode


def _base64(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
    if not isinstance(value, str):
        raise _wrong(value, place, "[]uint8")
    compact = re.sub(r"[\r\n]", "", value)
    try:
        binascii.a2b_base64(compact, strict_mode=True)
    except binascii.Error as error:
        bad = re.search(r"[^A-Za-z0-9+/=]", compact)
        raise WrongType(
            f"illegal base64 data at input byte {bad.start() if bad else len(compact) // 4 * 4}"
        ) from error
    return compact


def _quantity(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
    from labkit.k8s import quantities

    text = value if isinstance(value, str) else _number_text(value)
    try:
        return quantities.canonical(text)
    except ValueError as error:
        raise WrongType(str(error)) from error


def _number_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise WrongType(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return str(value)


def _int_or_string(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
    if isinstance(value, str) or type(value) is int:
        return value
    raise _wrong(value, place, "int32" if isinstance(value, float) else "string")


_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)",
)


def _time(value: Any, place: _Place, path: str, problems: Problems) -> Any:  # noqa: ARG001
    if not isinstance(value, str):
        raise _wrong(value, place, "string")
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise WrongType(
            f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        )
    return value


# ── words ─────────────────────────────────────────────────────────────────────


def short_name(definition: str) -> str:
    """``io.k8s.api.core.v1.Container`` → ``core.v1.Container``."""
    return ".".join(definition.split(".")[-3:])


def _ref(schema: JSON) -> str:
    ref: str = schema.get("$ref", "")
    return ref.rsplit("/", 1)[-1]


def _type(schema: JSON) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "")
    return str(kind)


def _package(definition: str) -> str:
    return definition.rsplit(".", 2)[-2]


def _go_type(schema: JSON) -> str:
    ref = _ref(schema)
    if ref:
        return f"{_package(ref)}.{ref.rsplit('.', 1)[-1]}"
    kind, form = _type(schema), schema.get("format", "")
    if kind == "array":
        return "[]" + _go_type(schema.get("items", {}))
    if kind == "object":
        return "map[string]" + _go_type(schema.get("additionalProperties") or {"type": "string"})
    if kind == "string" and form == "byte":
        return "[]uint8"
    return {"integer": form or "int64", "boolean": "bool", "number": "float64"}.get(kind, "string")


def _wrong(value: Any, place: _Place, go_type: str, *, exact: bool = False) -> WrongType:
    kind = {bool: "bool", str: "string", dict: "object", list: "array"}.get(type(value), "number")
    if kind == "number" and exact:
        kind = f"number {value}"
    where = f"Go struct field {place.struct}.{place.path}" if place.struct else "Go value"
    return WrongType(f"json: cannot unmarshal {kind} into {where} of type {go_type}")
