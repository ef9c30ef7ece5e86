"""A container's environment: variables, and where their values come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, required, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JSON = dict[str, Any]

_NAME: Final = re.compile(r"[ -<>-~]+")
_NAME_SAYS: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other than '='"
)
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")

# Fields of a pod that a variable, or a file of a downward API volume, can show.
ENV_FIELDS: Final = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS: Final = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
)  # fmt: skip
_READABLE: Final = frozenset(
    (*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase")
)
_RESOURCES: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip


def check(one: JSON, path: str) -> Iterator[FieldError]:
    """``env`` and ``envFrom`` of a container."""
    for index, variable in enumerate(one.get("env") or ()):
        place, name = f"{path}.env[{index}]", variable.get("name", "")
        if not name:
            yield required(f"{place}.name")
        elif not _NAME.fullmatch(name):
            yield bad(f"{place}.name", name, _NAME_SAYS)
        if variable.get("valueFrom") is not None:
            yield from _source(variable["valueFrom"], f"{place}.valueFrom", variable.get("value", ""))
    for index, source in enumerate(one.get("envFrom") or ()):
        yield from _from(source, f"{path}.envFrom", index)


def _from(source: JSON, path: str, index: int) -> Iterator[FieldError]:
    prefix, place = source.get("prefix", ""), f"{path}[{index}]"
    if prefix and not _NAME.fullmatch(prefix):
        yield bad(f"{place}.prefix", prefix, _NAME_SAYS)
    said = [field for field in ("configMapRef", "secretRef") if source.get(field) is not None]
    for field in said:
        name = source[field].get("name", "")
        if not name:
            yield required(f"{place}.{field}.name")
        else:
            yield from (bad(f"{place}.{field}.name", name, text) for text in names.dns1123_subdomain(name))
    if not said:
        yield bad(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(said) > 1:
        yield bad(path, "", "may not have more than one field specified at a time")


def _source(source: JSON, path: str, value: str) -> Iterator[FieldError]:
    said = [field for field in _SOURCES if source.get(field) is not None]
    for field in said:
        place, what = f"{path}.{field}", source[field]
        if field == "fieldRef":
            yield from field_reference(what, place, ENV_FIELDS)
        elif field == "resourceFieldRef":
            yield from resource_reference(what, place)
        elif field in ("configMapKeyRef", "secretKeyRef"):
            yield from _key(what, place)
    if not said:
        yield bad(
            path,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        )
    elif value:
        yield bad(path, "", "may not be specified when `value` is not empty")
    elif len(said) > 1:
        yield bad(path, "", "may not have more than one field specified at a time")


def _key(what: JSON, path: str) -> Iterator[FieldError]:
    name, key = what.get("name", ""), what.get("key", "")
    yield from (bad(f"{path}.name", name, text) for text in names.dns1123_subdomain(name))
    if not key:
        yield required(f"{path}.key")
    else:
        yield from (bad(f"{path}.key", key, text) for text in names.config_key(key))


def field_reference(what: JSON, path: str, allowed: Sequence[str]) -> Iterator[FieldError]:
    """A field of the pod, by its path."""
    said = what.get("fieldPath", "")
    if not said:
        yield required(f"{path}.fieldPath")
        return
    found = re.fullmatch(r"(.*)\['(.*)'\]", said)
    base = found[1] if found else said
    if base not in _READABLE and said != "spec.host":
        text = f"error converting fieldPath: field label not supported: {said}"
        yield bad(f"{path}.fieldPath", said, text)
    elif found is None:
        if said not in allowed:
            yield unsupported(f"{path}.fieldPath", said, sorted(allowed))
    elif base in ("metadata.annotations", "metadata.labels"):
        key = found[2].lower() if base == "metadata.annotations" else found[2]
        yield from (bad(path, key, text) for text in names.qualified_name(key))
    else:
        yield bad(path, base, "does not support subscript")


def resource_reference(what: JSON, path: str, *, volume: bool = False) -> Iterator[FieldError]:
    """An amount of a container's resources."""
    name = what.get("resource", "")
    if volume and not what.get("containerName"):
        yield required(f"{path}.containerName")
    elif not name:
        yield required(f"{path}.resource")
    elif name not in _RESOURCES and not name.startswith(("requests.hugepages-", "limits.hugepages-")):
        yield unsupported(f"{path}.resource", name, _RESOURCES)
    if name in ("limits.cpu", "requests.cpu") and what.get("divisor", "0") not in ("0", "1", "1m"):
        text = "only divisor's values 1m and 1 are supported with the cpu resource"
        yield bad(f"{path}.divisor", name, text)
