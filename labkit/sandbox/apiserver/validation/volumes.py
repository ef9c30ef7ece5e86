"""Volumes: exactly one source, and what that source needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

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
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        yield bad(f"{path}.defaultMode", mode, "must be a number between 0 and 0777 (octal), both inclusive")
    for index, item in enumerate(source.get("items") or ()):
        place = f"{path}.items[{index}]"
        from_fields = "fieldRef" in item or "resourceFieldRef" in item
        if not from_fields and not item.get("key"):
            yield required(f"{place}.key")
        target = item.get("path", "")
        if not target:
            yield required(f"{place}.path")
        elif target.startswith("/"):
            yield bad(f"{place}.path", target, "must be a relative path")
        elif ".." in target.split("/"):
            yield bad(f"{place}.path", target, "must not contain '..'")
