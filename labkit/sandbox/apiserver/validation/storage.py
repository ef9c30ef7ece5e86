"""PersistentVolumeClaim, PersistentVolume, StorageClass."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, unsupported
from labkit.sandbox.apiserver.validation.basics import choice, immutable, label_selector
from labkit.sandbox.apiserver.validation.placement import node_selector
from labkit.sandbox.apiserver.validation.volumes import SOURCES as POD_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
# Where a volume's data can be: in what a pod's volume can be, and on a node's disk.
SOURCES: Final = {**POD_SOURCES, "local": ("path",)}
_FIXED: Final = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def claim(obj: JSON) -> Iterator[FieldError]:
    """A PersistentVolumeClaim."""
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), "spec.selector")
    yield from _access(spec)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required("spec.resources[storage]")
    elif parse(storage) <= 0:
        yield bad("spec.resources[storage]", storage, "must be greater than zero")
    yield from _class_name(spec)
    yield from choice(spec.get("volumeMode"), "spec.volumeMode", ("Block", "Filesystem"))


def _access(spec: JSON) -> Iterator[FieldError]:
    modes = spec.get("accessModes") or []
    for mode in modes:
        yield from choice(mode, "spec.accessModes", _MODES, needed=True)
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        yield forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes")


def _class_name(spec: JSON) -> Iterator[FieldError]:
    name = spec.get("storageClassName")
    if name:
        yield from (bad("spec.storageClassName", name, text) for text in names.dns1123_subdomain(name))


def claim_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """Of a claim only the size may grow, and the volume be filled in."""
    spec, before = dict(new["spec"]), dict(old["spec"])
    if not before.get("volumeName"):
        spec.pop("volumeName", None)
    if before.get("storageClassName") is None:
        spec.pop("storageClassName", None)
    now, then = spec.pop("resources", {}), before.pop("resources", {})
    if spec != before:
        yield forbidden("spec", _FIXED)
        return
    wanted, had = ((one or {}).get("requests") or {} for one in (now, then))
    size, was = wanted.get("storage"), had.get("storage")
    if size != was:
        if (old.get("status") or {}).get("phase") != "Bound":
            yield forbidden("spec", _FIXED)
        elif size is not None and parse(size) < parse(was or "0"):
            text = "field can not be less than status.capacity"
            yield forbidden("spec.resources.requests.storage", text)


def volume(obj: JSON) -> Iterator[FieldError]:
    """A PersistentVolume."""
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    yield from _access(spec)
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield required("spec.capacity")
    if set(capacity) != {"storage"}:
        yield unsupported("spec.capacity", dict(sorted(capacity.items())) or None, ("storage",))
    for name, value in sorted(capacity.items()):
        if parse(value) < 0:
            yield bad(f"spec.capacity[{name}]", value, "must be a valid resource quantity")
        if parse(value) <= 0:
            yield bad(f"spec.capacity[{name}]", value, "must be greater than zero")
    policy = spec.get("persistentVolumeReclaimPolicy")
    yield from choice(policy, "spec.persistentVolumeReclaimPolicy", ("Delete", "Recycle", "Retain"))
    wanted = (spec.get("nodeAffinity") or {}).get("required")
    if wanted is not None:
        yield from node_selector(wanted, "spec.nodeAffinity.required")
    yield from _source(spec)
    yield from _class_name(spec)
    yield from choice(spec.get("volumeMode"), "spec.volumeMode", ("Block", "Filesystem"))


def _source(spec: JSON) -> Iterator[FieldError]:
    """Exactly one place where the data is."""
    said = [kind for kind in SOURCES if spec.get(kind) is not None]
    for kind in said[:1]:
        needed = SOURCES[kind] if kind in ("hostPath", "nfs", "csi", "local") else ()
        yield from (required(f"spec.{kind}.{field}") for field in needed if not spec[kind].get(field))
    yield from (forbidden(f"spec.{kind}", "may not specify more than 1 volume type") for kind in said[1:])
    if not said:
        yield required("spec", "must specify a volume type")
    path = (spec.get("hostPath") or {}).get("path", "")
    if path and posixpath.normpath(path) == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        text = "may not be 'recycle' for a hostPath mount of '/'"
        yield forbidden("spec.persistentVolumeReclaimPolicy", text)


def volume_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A PersistentVolume stays where it is."""
    spec, before = new["spec"], old["spec"]
    if any(spec.get(kind) != before.get(kind) for kind in SOURCES):
        yield forbidden(
            "spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"
        )
    yield from immutable(spec, before, "spec", "volumeMode")


def storage_class(obj: JSON) -> Iterator[FieldError]:
    """A StorageClass."""
    provisioner = obj.get("provisioner", "")
    if not provisioner:
        yield required("provisioner")
    else:
        problems = names.qualified_name(provisioner.lower())
        yield from (bad("provisioner", provisioner, text) for text in problems)
    yield from choice(obj.get("reclaimPolicy"), "reclaimPolicy", ("Delete", "Retain"))
    yield from choice(
        obj.get("volumeBindingMode"), "volumeBindingMode", ("Immediate", "WaitForFirstConsumer"), needed=True
    )


def storage_class_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A StorageClass keeps its way of providing."""
    for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if new.get(field) != old.get(field):
            yield forbidden(field, f"updates to {field} are forbidden.")
