"""Request bodies: from bytes to an object of the kind that the path says.

Every sentence here is the API server's own; people and programs know them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from labkit.errors import BadRequest, TooLarge, UnsupportedMediaType
from labkit.sandbox.apiserver.codec import Problems, WrongType

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.requests import WriteOptions
    from labkit.sandbox.apiserver.resources import Registry, Resource

JSON = dict[str, Any]

MAX_BODY: Final = 3 * 1024 * 1024
_SCHEME: Final = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
VERSION_AND_KIND: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)
_FORMATS: Final = f"application/json, application/yaml, {PROTOBUF}"


@dataclass(slots=True)
class Body:
    """A parsed body, and the keys that it has twice (``data.a``), or YAML's words about them."""

    value: Any
    duplicates: list[str] = field(default_factory=list)


def parse(data: bytes, media_type: str, kind: str) -> Body:
    """Read JSON or YAML.  Raises `BadRequest`, `TooLarge` or `UnsupportedMediaType`; `kind` is for the message."""
    if len(data) > MAX_BODY:
        raise TooLarge(f"limit is {MAX_BODY}", details={})
    if media_type in ("application/json", ""):
        return _parse_json(data, kind)
    if media_type in ("application/yaml", "text/yaml", "text/x-yaml", "application/x-yaml"):
        body = parse_yaml(data)
        _require_object(body.value, kind, data)
        return body
    if media_type == PROTOBUF:
        return Body(protobuf(data))
    raise UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {_FORMATS}"
    )


def _parse_json(data: bytes, kind: str) -> Body:
    repeated = False

    def pairs(items: list[tuple[str, Any]]) -> JSON:
        nonlocal repeated
        found = dict(items)
        repeated = repeated or len(found) != len(items)
        return found

    try:
        value = json.loads(data, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
            f"json parse error: {json_problem(data, error)} ({_summary(data)})"
        ) from error
    value = {} if value is None else value
    _require_object(value, kind, data)
    return Body(value, _repeated_keys(data) if repeated else [])


def _require_object(value: Any, kind: str, data: bytes) -> None:
    if not isinstance(value, dict):
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
            f"json parse error: json: cannot unmarshal {go_name(value)} into Go value of type {VERSION_AND_KIND} "
            f"({_summary(data)})"
        )
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key, ""), str | None):
            raise BadRequest(
                f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
                f"json parse error: json: cannot unmarshal {go_name(value[key])} into Go struct field .{key} of "
                f"type string ({_summary(data)})"
            )


def go_name(value: Any) -> str:
    """What Go's JSON decoder calls a value."""
    names = {list: "array", dict: "object", str: "string", bool: "bool", type(None): "null"}
    return names.get(type(value), "number")


def protobuf(data: bytes) -> JSON:
    """Read Kubernetes' protobuf form.  Raises `BadRequest`."""
    from labkit.k8s.schemas.protobuf import decode as decode_protobuf

    try:
        return decode_protobuf(data)
    except (ValueError, IndexError) as error:
        raise BadRequest(f"the object provided is unrecognized: {error}") from error


def parse_yaml(data: bytes) -> Body:
    """Read one YAML document."""
    from labkit.k8s.yaml import load_lenient

    try:
        value, duplicates = load_lenient(data.decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise BadRequest(f"error converting YAML to JSON: {error}") from error
    except Exception as error:
        raise BadRequest(f"error converting YAML to JSON: {getattr(error, 'problem', error)}") from error
    return Body(
        value if value is not None else {}, [f"yaml: unmarshal errors:\n  {text}" for text in duplicates]
    )


def json_problem(data: bytes, error: Exception) -> str:
    """Go's words for what Python found wrong."""
    if isinstance(error, RecursionError):
        return "exceeded max depth"
    position = getattr(error, "pos", 0)
    text = data.decode(errors="replace")
    if not text[position:].strip() or "Unterminated" in str(error):
        return "unexpected end of JSON input"
    character = text[position:].lstrip()[0]
    place = "after top-level value" if "Extra data" in str(error) else "looking for beginning of value"
    if "property name" in str(error):
        place = "looking for beginning of object key string"
    if "delimiter" in str(error):
        place = "after object key" if ":" in str(error) else "after object key:value pair"
    return f"invalid character {_rune(character)} {place}"


def _rune(character: str) -> str:
    return "'\\''" if character == "'" else f"'{character}'"


def _summary(data: bytes) -> str:
    if not data:
        return "<empty>"
    short = data[:30]
    text = short.decode(errors="replace") if data.startswith(b"{") else short.hex()
    return text if len(data) <= len(short) else text + " ..."


def _repeated_keys(data: bytes) -> list[str]:
    found: list[str] = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, _Pairs):
            seen: set[str] = set()
            for key, value in node.items:
                below = f"{path}.{key}" if path else key
                if key in seen and below not in found:
                    found.append(below)
                seen.add(key)
                walk(value, below)
        elif isinstance(node, list):
            for index, value in enumerate(node):
                walk(value, f"{path}[{index}]")

    walk(json.loads(data, object_pairs_hook=_Pairs), "")
    return found


@dataclass(slots=True)
class _Pairs:
    items: list[tuple[str, Any]]


# ── the object in the body ────────────────────────────────────────────────────


def decode(body: Body, resource: Resource, options: WriteOptions, registry: Registry) -> JSON:
    """The object in its canonical form with defaults, without kind and apiVersion.

    Warns of fields that the schema does not have, or raises `BadRequest` for them, as the options say.
    """
    obj = dict(body.value)
    api_version, kind = (
        obj.pop("apiVersion", "") or resource.api_version,
        obj.pop("kind", "") or resource.kind,
    )
    check_kind(api_version, kind, resource, registry)
    return canonical(obj, resource, options, duplicates=body.duplicates)


def canonical(
    obj: JSON, resource: Resource, options: WriteOptions, *, duplicates: list[str] | None = None
) -> JSON:
    """`decode` for an object whose kind has been checked."""
    try:
        decoded, problems = decode_stored(resource, obj)
    except WrongType as error:
        raise BadRequest(_cannot(resource.version, resource.kind, resource.kind, str(error))) from error
    if options.field_validation == "Ignore":
        return decoded
    complaints = [
        text if text.startswith("yaml:") else f'duplicate field "{text}"' for text in duplicates or ()
    ]
    complaints += [f'unknown field "{path}"' for path in problems.unknown]
    if complaints and options.field_validation == "Strict":
        text = f"strict decoding error: {', '.join(complaints)}"
        raise BadRequest(_cannot(resource.version, resource.kind, resource.kind, text))
    options.warnings.extend(complaints)
    return decoded


def decode_stored(resource: Resource, obj: JSON) -> tuple[JSON, Problems]:
    """Decode an object of the resource into the form that the store keeps.  Raises `WrongType`."""
    decoded, problems = resource.model.decode(obj)
    if resource.conversion is not None and resource.stored is not None:
        decoded, _ = resource.stored.model.decode(resource.conversion.to_storage(decoded))
    return decoded, problems


def check_kind(api_version: str, kind: str, resource: Resource, registry: Registry) -> None:
    """Raise `BadRequest` unless an object of that kind belongs to the resource."""
    if (api_version, kind) == (resource.api_version, resource.kind):
        return
    group = api_version.rpartition("/")[0]
    if resource.custom is not None:
        if api_version != resource.api_version:
            raise BadRequest(
                f"the API version in the data ({api_version}) does not match the expected API version"
                f" ({resource.api_version})"
            )
        raise BadRequest(f"the kind in the data ({kind}) does not match the expected kind ({resource.kind})")
    known = registry.of_kind(api_version, kind)
    if (group, kind) == (resource.group, resource.kind) and known is not None and known.custom is None:
        return  # another version of the same kind is converted
    raise _wrong_kind(api_version, kind, f"{_package(resource.group)}.{resource.kind}", registry)


def check_part(body: Any, group: str, kind: str, registry: Registry) -> None:
    """The same for the body of a subresource, whose kind is not the object's: a Scale, an Eviction, a Binding."""
    if not isinstance(body, dict):
        return  # whoever reads it says so
    said_kind, said_version = body.get("kind") or kind, str(body.get("apiVersion") or "")
    said_group = said_version.rpartition("/")[0] if said_version else group
    if (said_group, said_kind) != (group, kind):
        raise _wrong_kind(said_version or "v1", str(said_kind), f"{_package(group)}.{kind}", registry)


def _wrong_kind(api_version: str, kind: str, wanted: str, registry: Registry) -> WrongKind:
    """``wanted`` is a package and a kind of it: ``apps.Deployment``."""
    version = api_version.rpartition("/")[2]
    known = registry.of_kind(api_version, kind)
    if known is None or known.custom is not None:
        problem = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"'
    else:
        problem = f"converting ({version}.{kind}) to ({wanted}): unknown conversion"
    return WrongKind(_cannot(version, kind, wanted.rpartition(".")[2], problem), problem)


class WrongKind(BadRequest):
    """An object of a built-in kind that is not the resource's; ``cause`` says so without naming the body."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


def _cannot(version: str, kind: str, wanted: str, problem: str) -> str:
    return f'{kind} in version "{version}" cannot be handled as a {wanted}: {problem}'


def _package(group: str) -> str:
    return group.split(".", 1)[0] or "core"


def fast_parse(data: bytes) -> Any:
    """JSON without its niceties, for bodies that the API does not check field by field."""
    return orjson.loads(data) if data else {}
