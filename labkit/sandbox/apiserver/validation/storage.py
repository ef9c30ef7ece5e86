"""PersistentVolumeClaim, PersistentVolume, StorageClass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required
from labkit.sandbox.apiserver.validation.basics import choice

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_FIXED: Final = (
    "spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def claim(obj: JSON) -> Iterator[FieldError]:
    """A PersistentVolumeClaim."""
    spec = obj["spec"]
    yield from _access(spec)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required("spec.resources[storage]")
    elif parse(storage) <= 0:
        yield bad("spec.resources[storage]", storage, "must be greater than zero")
    yield from choice(spec.get("volumeMode"), "spec.volumeMode", ("Block", "Filesystem"))


def _access(spec: JSON) -> Iterator[FieldError]:
    modes = spec.get("accessModes") or []
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        yield from choice(mode, "spec.accessModes", _MODES)


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
    yield from _access(spec)
    if not (spec.get("capacity") or {}).get("storage"):
        yield required("spec.capacity")
    policy = spec.get("persistentVolumeReclaimPolicy")
    yield from choice(policy, "spec.persistentVolumeReclaimPolicy", ("Delete", "Recycle", "Retain"))
    yield from choice(spec.get("volumeMode"), "spec.volumeMode", ("Block", "Filesystem"))


def storage_class(obj: JSON) -> Iterator[FieldError]:
    """A StorageClass."""
    if not obj.get("provisioner"):
        yield required("provisioner")
    yield from choice(obj.get("reclaimPolicy"), "reclaimPolicy", ("Delete", "Retain"))
    yield from choice(
        obj.get("volumeBindingMode"), "volumeBindingMode", ("Immediate", "WaitForFirstConsumer"), needed=True
    )


def storage_class_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A StorageClass keeps its way of providing."""
    for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if new.get(field) != old.get(field):
            yield forbidden(field, f"updates to {field} are forbidden.")
