"""Objects in Kubernetes' protobuf form, read into plain JSON.

kubectl's ``create`` and ``auth can-i``, and Go programs with typed clients, send built-in kinds so.  Only reading is
here: every client takes JSON as the answer.  The field numbers are in ``protobuf.txt``, the types in the schemas.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from labkit.k8s.schemas.builtin import Schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

MAGIC = b"k8s\x00"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def decode(data: bytes) -> JSON:
    """The object in a protobuf body.  Raises `ValueError` for one that is damaged or of a kind that is not known."""
    if not data.startswith(MAGIC):
        raise ValueError("the body does not begin with k8s\\0")
    type_meta, raw = b"", b""
    for number, value in _fields(data[len(MAGIC) :]):
        if number == 1:
            type_meta = _expect_bytes(value)
        elif number == 2:
            raw = _expect_bytes(value)
    said = {number: _expect_bytes(value).decode() for number, value in _fields(type_meta)}
    api_version, kind = said.get(1, ""), said.get(2, "")
    name = Schemas.builtin().definition_name(api_version, kind)
    if not name:
        name = _same_in_every_group(kind)
    return {"apiVersion": api_version, "kind": kind, **_message(name, raw)}


def _same_in_every_group(kind: str) -> str:
    if kind == "DeleteOptions":
        return "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
    raise ValueError(f"no protobuf form is known for {kind}")


# ── the wire format ───────────────────────────────────────────────────────────


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
        elif kind == _BYTES:
            length, place = _varint(data, place)
            if place + length > len(data):
                raise ValueError("unexpected EOF")
            yield number, data[place : place + length]
            place += length
        elif kind in (_FIXED64, _FIXED32):
            width = 8 if kind == _FIXED64 else 4
            yield number, data[place : place + width]
            place += width
        else:
            raise ValueError(f"illegal wireType {kind}")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise ValueError("unexpected EOF")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _expect_bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("wrong wireType")  # noqa: TRY004 - the data is wrong, not the call
    return value


# ── messages by the schemas ───────────────────────────────────────────────────


Numbers = dict[int, str]

_TOKEN = re.compile(r"\+(?P<inlined>\d+)\((?P<fields>[^)]*)\)|(?P<name>[^\s:]+):(?P<number>\d+)")


@cache
def _numbers() -> dict[str, tuple[Numbers, dict[int, Numbers]]]:
    """By a definition's short name: its fields by number, and those of the messages inlined into it."""
    text = resources.files(__package__).joinpath("protobuf.txt").read_text(encoding="utf-8")
    found: dict[str, tuple[Numbers, dict[int, Numbers]]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition(" ")
            found[name] = (
                _own(rest),
                {int(m["inlined"]): _own(m["fields"]) for m in _TOKEN.finditer(rest) if m["inlined"]},
            )
    return found


def _own(text: str) -> Numbers:
    return {int(match["number"]): match["name"] for match in _TOKEN.finditer(text) if match["name"]}


def _message(definition: str, data: bytes) -> JSON:
    short = ".".join(definition.split(".")[-3:])
    if short not in _numbers():
        raise ValueError(f"no protobuf form is known for {short}")
    own, inlined = _numbers()[short]
    properties = Schemas.builtin().definitions[definition].get("properties", {})
    result: JSON = {}
    for number, value in _fields(data):
        if number in inlined:
            for inner, below in _fields(_expect_bytes(value)):
                _add(result, inlined[number].get(inner, ""), below, properties)
        else:
            _add(result, own.get(number, ""), value, properties)
    return result


def _add(result: JSON, name: str, value: bytes | int, properties: JSON) -> None:
    """One occurrence of a field: lists and maps come element by element."""
    schema = properties.get(name)
    if schema is None:
        return  # a field that this version of the kinds does not have
    kind = schema.get("type")
    if kind == "array":
        result.setdefault(name, []).append(_value(schema["items"], value))
    elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        entry = dict(_fields(_expect_bytes(value)))
        key = _expect_bytes(entry.get(1, b"")).decode()
        result.setdefault(name, {})[key] = _value(schema["additionalProperties"], entry.get(2, b""))
    else:
        result[name] = _value(schema, value)


def _value(schema: JSON, value: bytes | int) -> Any:
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference:
        return _referenced(reference, _expect_bytes(value))
    kind = schema.get("type")
    if kind == "integer":
        number = value if isinstance(value, int) else 0
        return number - 2**64 if number >= 2**63 else number
    if kind == "boolean":
        return bool(value)
    if kind == "array":  # a map's value that is a list: a message with the elements in field 1
        return [_value(schema["items"], one) for _, one in _fields(_expect_bytes(value))]
    if schema.get("format") == "byte":
        return base64.b64encode(_expect_bytes(value)).decode()
    return _expect_bytes(value).decode()


def _referenced(name: str, data: bytes) -> Any:
    kind = name.rpartition(".")[2]
    if kind in ("Time", "MicroTime"):
        return _time(data, micro=kind == "MicroTime")
    if kind == "Quantity":
        return next((_expect_bytes(value).decode() for _, value in _fields(data)), "0")
    if kind == "IntOrString":
        parts = dict(_fields(data))
        return (
            _expect_bytes(parts.get(3, b"")).decode()
            if parts.get(1)
            else _value({"type": "integer"}, parts.get(2, 0))
        )
    if kind in ("RawExtension", "FieldsV1"):
        return next((json.loads(_expect_bytes(value)) for _, value in _fields(data)), None)
    return _message(name, data)


def _time(data: bytes, *, micro: bool) -> str | None:
    parts = dict(_fields(data))
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or seconds == 0 or seconds >= 2**63:
        return None  # Go's zero time
    found = datetime.fromtimestamp(seconds, UTC)
    if micro:
        return found.replace(microsecond=nanos // 1000).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")
