"""ConfigMap, Secret, Event, Node."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, too_long
from labkit.sandbox.apiserver.validation import placement
from labkit.sandbox.apiserver.validation.basics import immutable

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_LARGEST: Final = 1024 * 1024
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_SAYS: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',"
    "  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_FROZEN: Final = "field is immutable when `immutable` is set"

# What a Secret's type asks of its data: all of these keys, or (for "any") one of them.
_SECRET_KEYS: Final = {
    "kubernetes.io/tls": ("all", ("tls.crt", "tls.key")),
    "kubernetes.io/dockercfg": ("all", (".dockercfg",)),
    "kubernetes.io/dockerconfigjson": ("all", (".dockerconfigjson",)),
    "kubernetes.io/ssh-auth": ("all", ("ssh-privatekey",)),
    "kubernetes.io/basic-auth": ("any", ("username", "password")),
}


def _key(key: str) -> list[str]:
    if len(key) > 253:
        return ["must be no more than 253 characters"]
    if not _KEY.fullmatch(key):
        return [_KEY_SAYS]
    if key == ".":
        return ["must not be '.'"]
    if key == ".." or key.startswith(".."):
        return ["must not be '..'" if key == ".." else "must not start with '..'"]
    return []


def config_map(obj: JSON) -> Iterator[FieldError]:
    """A ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in sorted(data.items()):
        yield from (bad(f"data[{key}]", key, text) for text in _key(key))
        if key in binary:
            yield bad(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in sorted(binary.items()):
        yield from (bad(f"binaryData[{key}]", key, text) for text in _key(key))
        size += len(value) * 3 // 4
    if size > _LARGEST:
        yield too_long("[]", _LARGEST)


def config_map_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A ConfigMap that says it is immutable is."""
    yield from _frozen(new, old, "data", "binaryData")


def _frozen(new: JSON, old: JSON, *fields: str) -> Iterator[FieldError]:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _FROZEN)
    for field in fields:
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, _FROZEN)


def secret(obj: JSON) -> Iterator[FieldError]:
    """A Secret, by its type."""
    data, kind = obj.get("data") or {}, obj.get("type", "")
    size = 0
    for key, value in sorted(data.items()):
        yield from (bad(f"data[{key}]", key, text) for text in _key(key))
        size += len(value) * 3 // 4
    if size > _LARGEST:
        yield too_long("data", _LARGEST)
    if kind == "kubernetes.io/service-account-token":
        name = "kubernetes.io/service-account.name"
        if not (obj["metadata"].get("annotations") or {}).get(name):
            yield required(f"metadata.annotations[{name}]")
    how, keys = _SECRET_KEYS.get(kind, ("all", ()))
    missing = [key for key in keys if key not in data]
    if how == "all":
        yield from (required(f"data[{key}]") for key in missing)
    elif len(missing) == len(keys):
        yield from (required(f"data[{key}]") for key in keys)
    if kind == "kubernetes.io/dockerconfigjson" and not missing:
        yield from _docker_config(data[".dockerconfigjson"])


def _docker_config(value: str) -> Iterator[FieldError]:
    from labkit.sandbox.apiserver.bodies import json_problem

    content = base64.b64decode(value)
    try:
        json.loads(content)
    except ValueError as error:
        yield bad("data[.dockerconfigjson]", "<secret contents redacted>", json_problem(content, error))


def event(obj: JSON) -> Iterator[FieldError]:
    """An Event stands in the namespace of what it is about."""
    namespace = (obj.get("involvedObject") or {}).get("namespace", "")
    if namespace and namespace != obj["metadata"].get("namespace", ""):
        yield bad("involvedObject.namespace", namespace, "does not match event.namespace")


def secret_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A Secret keeps its type."""
    yield from immutable(new, old, "", "type")
    yield from _frozen(new, old, "data")


def node(obj: JSON) -> Iterator[FieldError]:
    """A Node's taints (whose place the real server, too, names so)."""
    yield from placement.taints((obj.get("spec") or {}).get("taints") or [], "metadata.taints")
