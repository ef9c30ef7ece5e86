"""Volumes: exactly one source, and what that source needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, unsupported
from labkit.sandbox.apiserver.validation import containers, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_MODE_SAYS: Final = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_PATHS: Final = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
_PROJECTIONS: Final = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle")

# The sources in the order in which Kubernetes looks at them, with the fields that each needs.
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "emptyDir": (),
    "hostPath": ("path",),
    "gitRepo": ("repository",),
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "secret": ("secretName",),
    "nfs": ("server", "path"),
    "iscsi": ("targetPortal", "iqn"),
    "glusterfs": ("endpoints", "path"),
    "flocker": (),
    "persistentVolumeClaim": ("claimName",),
    "rbd": ("monitors", "image"),
    "cinder": ("volumeID",),
    "cephfs": ("monitors",),
    "quobyte": ("registry", "volume"),
    "downwardAPI": (),
    "fc": (),
    "configMap": ("name",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "storageos": (),
    "projected": (),
    "scaleIO": ("gateway", "system"),
    "csi": ("driver",),
    "ephemeral": ("volumeClaimTemplate",),
    "image": ("reference",),
}


def volume(one: JSON, path: str) -> Iterator[FieldError]:
    """One volume of a pod."""
    said = [kind for kind in SOURCES if one.get(kind) is not None]
    if not said:
        yield required(path, "must specify a volume type")
        return
    yield from _source(one[said[0]], f"{path}.{said[0]}", SOURCES[said[0]])
    yield from (forbidden(f"{path}.{kind}", "may not specify more than 1 volume type") for kind in said[1:])


def _source(source: JSON, path: str, needed: tuple[str, ...]) -> Iterator[FieldError]:
    yield from (required(f"{path}.{field}") for field in needed if not source.get(field))
    kind = path.rpartition(".")[2]
    if kind == "hostPath":
        yield from _host_path(source, path)
    if kind == "emptyDir" and parse(source.get("sizeLimit") or "0") < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        yield bad(f"{path}.defaultMode", mode, _MODE_SAYS)
    if kind == "downwardAPI":
        yield from _downward(source, path)
    elif kind == "projected":
        for index, part in enumerate(source.get("sources") or ()):
            yield from _projection(part, f"{path}.sources[{index}]")
    elif isinstance(source.get("items"), list):
        yield from _items(source, path)


def _host_path(source: JSON, path: str) -> Iterator[FieldError]:
    if ".." in str(source.get("path", "")).split("/"):
        yield bad(f"{path}.path", source["path"], "must not contain '..'")
    kind = source.get("type") or ""
    if kind not in _HOST_PATHS:
        yield unsupported(f"{path}.type", kind, _HOST_PATHS)


def _items(source: JSON, path: str) -> Iterator[FieldError]:
    for index, item in enumerate(source.get("items") or ()):
        place = f"{path}.items[{index}]"
        if not item.get("key"):
            yield required(f"{place}.key")
        yield from _target(item, place)
        if item.get("mode") is not None and not 0 <= item["mode"] <= 0o777:
            yield bad(f"{place}.mode", item["mode"], _MODE_SAYS)


def _target(item: JSON, path: str) -> Iterator[FieldError]:
    """The file's place below the mount."""
    target = item.get("path", "")
    if not target:
        yield required(f"{path}.path")
        return
    yield from containers.descending_path(target, f"{path}.path")
    if target.startswith("..") and not target.startswith("../"):
        yield bad(f"{path}.path", target, "must not start with '..'")


def _downward(source: JSON, path: str) -> Iterator[FieldError]:
    for index, item in enumerate(source.get("items") or ()):
        # The real server, too, names no index for these.
        yield from _target(item, path)
        field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
        if field is not None:
            place = f"{path}.fieldRef"
            yield from environment.field_reference(field, place, environment.VOLUME_FIELDS)
            if resource is not None:
                text = "fieldRef and resourceFieldRef can not be specified simultaneously"
                yield bad(path, "resource", text)
        elif resource is not None:
            yield from environment.resource_reference(resource, f"{path}.resourceFieldRef", volume=True)
        else:
            yield required(path, "one of fieldRef and resourceFieldRef is required")
        if item.get("mode") is not None and not 0 <= item["mode"] <= 0o777:
            yield bad(f"{path}.items[{index}].mode", item["mode"], _MODE_SAYS)


def _projection(part: JSON, path: str) -> Iterator[FieldError]:
    said = [kind for kind in _PROJECTIONS if part.get(kind) is not None]
    for kind in said[:1]:
        place, what = f"{path}.{kind}", part[kind]
        if kind in ("secret", "configMap"):
            if not what.get("name"):
                yield required(f"{place}.name")
            yield from _items(what, place)
        elif kind == "downwardAPI":
            yield from _downward(what, place)
        elif kind == "serviceAccountToken":
            seconds = what.get("expirationSeconds", 3600)
            if seconds < 600:
                text = "may not specify a duration less than 10 minutes"
                yield bad(f"{place}.expirationSeconds", seconds, text)
            elif seconds > 2**32:
                text = "may not specify a duration larger than 2^32 seconds"
                yield bad(f"{place}.expirationSeconds", seconds, text)
            if not what.get("path"):
                yield required(f"{place}.path")
            else:
                yield from containers.descending_path(what["path"], f"{place}.path")
    text = "may not specify more than 1 volume type"
    yield from (forbidden(f"{path}.{kind}", text) for kind in said[1:])
    if not said:
        yield required(path, "must specify a volume type")
