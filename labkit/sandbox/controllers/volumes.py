"""Binds claims to volumes, and makes volumes for claims of the sandbox's own storage class.

A claim is bound to the smallest volume that is free and big enough. Where its class says that the sandbox provisions
it, or it names no class, a volume is made for it. Nothing is stored in it: containers here do not write files.

Source: pkg/controller/volume/persistentvolume in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, Conflict, NotFound
from labkit.k8s import quantities
from labkit.k8s.objects import (
    Object,
    annotations_of,
    get_path,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
)
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.controllers import pods
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key
from labkit.sandbox.controllers.storage_protection import claims_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

PROVISIONER = "labkit.sandbox/volumes"
_BY_US, _DONE = "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/bind-completed"
_PROVISIONED, _MANAGER = "pv.kubernetes.io/provisioned-by", "kube-controller-manager"


class Volumes:
    """The controller of claims and of volumes."""

    def __init__(self, plane: ControlPlane) -> None:
        self._client = plane.client_of("persistent-volume-binder")
        self._events = plane.recorder("persistentvolume-controller")
        self._claims = plane.informer("v1", "PersistentVolumeClaim")
        self._volumes = plane.informer("v1", "PersistentVolume")
        self._classes = plane.informer("storage.k8s.io/v1", "StorageClass")
        self._pods = plane.informer("v1", "Pod")
        claims = plane.controller("claims", self._claim)
        claims.watch(self._claims, own_key)
        claims.watch(self._pods, lambda pod: [Key(namespace_of(pod), name) for name in claims_of(pod)])
        claims.watch(self._volumes, self._waiting)
        claims.watch(self._classes, self._waiting)
        volumes = plane.controller("volumes", self._volume)
        volumes.watch(self._volumes, own_key)
        volumes.watch(
            self._claims, lambda c: [Key("", c["spec"]["volumeName"])] if c["spec"].get("volumeName") else []
        )

    def _waiting(self, _obj: Object) -> Iterable[Key]:
        return [
            Key(namespace_of(claim), name_of(claim))
            for claim in self._claims.list()
            if pods.phase(claim) != "Bound"
        ]

    # ── claims ────────────────────────────────────────────────────────────────

    def _claim(self, key: Key) -> None:
        claim = self._claims.get(*key)
        if claim is None or pods.is_deleting(claim):
            return
        bound = claim["spec"].get("volumeName")
        if bound:
            volume = self._volumes.get("", bound)
            self._finish(claim, volume) if volume is not None else self._lost(claim)
            return
        volume = self._matching(claim) or self._provisioned(claim)
        if volume is not None:
            self._bind(claim, volume)

    def _matching(self, claim: Object) -> Object | None:
        """The smallest free volume that does, the one that names this claim first."""
        selector = claim["spec"].get("selector")
        free = [
            volume for volume in self._volumes.list() if not pods.is_deleting(volume) and _fits(volume, claim)
        ]
        if selector is not None:
            free = [v for v in free if LabelSelector.from_object(selector).matches(labels_of(v))]
        free.sort(key=lambda v: (not _is_for(v, claim), _capacity(v), name_of(v)))
        return free[0] if free else None

    def _provisioned(self, claim: Object) -> Object | None:
        found = self._class_of(claim)
        if found is None or found.get("provisioner") != PROVISIONER:
            return None
        if found.get("volumeBindingMode") == "WaitForFirstConsumer" and not self._has_consumer(claim):
            self._say_once(
                claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
            )
            return None
        name = f"pvc-{uid_of(claim)}"
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {_PROVISIONED: PROVISIONER}},
            "spec": {
                "accessModes": claim["spec"]["accessModes"],
                "capacity": {"storage": get_path(claim, "spec", "resources", "requests", "storage")},
                "claimRef": _reference(claim),
                "hostPath": {"path": f"/var/lib/volumes/{name}"},
                "persistentVolumeReclaimPolicy": found.get("reclaimPolicy", "Delete"),
                "storageClassName": name_of(found) or None,
                "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
            },
        }
        try:
            made = self._client.create(volume)
        except AlreadyExists:
            return self._volumes.get("", name)
        self._events.normal(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
        return made

    def _class_of(self, claim: Object) -> Object | None:
        """The claim's class. One that names none gets a volume as from a default class, without there being one."""
        name = claim["spec"].get("storageClassName")
        return {"provisioner": PROVISIONER} if name is None else self._classes.get("", name)

    def _has_consumer(self, claim: Object) -> bool:
        there = self._pods.list(namespace_of(claim))
        return any(name_of(claim) in claims_of(p) and get_path(p, "spec", "nodeName") for p in there)

    def _bind(self, claim: Object, volume: Object) -> None:
        if get_path(volume, "spec", "claimRef", "uid") != uid_of(claim):
            patch = {"spec": {"claimRef": _reference(claim)}, "metadata": {"annotations": {_BY_US: "yes"}}}
            self._patch(volume, patch)
        annotations = {**annotations_of(claim), _DONE: "yes", _BY_US: "yes"}
        self._patch(
            claim, {"metadata": {"annotations": annotations}, "spec": {"volumeName": name_of(volume)}}
        )

    def _finish(self, claim: Object, volume: Object) -> None:
        if get_path(volume, "spec", "claimRef", "uid") not in (None, uid_of(claim)):
            self._lost(claim)
            return
        if get_path(volume, "spec", "claimRef", "uid") is None:  # the claim named the volume by itself
            self._patch(volume, {"spec": {"claimRef": _reference(claim)}})
        status = {
            **(claim.get("status") or {}),
            "phase": "Bound",
            "accessModes": volume["spec"]["accessModes"],
        }
        self._write(claim, status | {"capacity": volume["spec"]["capacity"]})

    def _lost(self, claim: Object) -> None:
        if pods.phase(claim) == "Bound":
            self._write(claim, {**claim["status"], "phase": "Lost"})
            self._events.warning(
                claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            )

    def _say_once(self, claim: Object, reason: str, message: str) -> None:
        there = self._client.list("v1", "Event", namespace_of(claim)).items
        if not any(
            e.get("reason") == reason and get_path(e, "involvedObject", "uid") == uid_of(claim) for e in there
        ):
            self._events.normal(claim, reason, message)

    # ── volumes ───────────────────────────────────────────────────────────────

    def _volume(self, key: Key) -> None:
        volume = self._volumes.get("", key.name)
        if volume is None:
            return
        reference = get_path(volume, "spec", "claimRef")
        if reference is None or "uid" not in reference:
            self._write(volume, {**(volume.get("status") or {}), "phase": "Available"})
            return
        claim = self._claims.get(reference["namespace"], reference["name"])
        if claim is not None and uid_of(claim) == reference["uid"]:
            self._write(volume, {**(volume.get("status") or {}), "phase": "Bound"})
            return
        self._write(volume, {**(volume.get("status") or {}), "phase": "Released"})
        ours = annotations_of(volume).get(_PROVISIONED) == PROVISIONER and not pods.is_deleting(volume)
        if ours and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._client.delete("v1", "PersistentVolume", key.name, uid=uid_of(volume))

    def _patch(self, obj: Object, patch: Object) -> None:
        try:
            self._client.patch(
                "v1",
                obj["kind"],
                name_of(obj),
                namespace_of(obj) or None,
                patch=patch,
                field_manager=_MANAGER,
            )
        except (NotFound, Conflict):
            return

    def _write(self, obj: Object, status: Object) -> None:
        if status == (obj.get("status") or {}):
            return
        try:
            self._client.replace_status({**obj, "status": status})
        except (NotFound, Conflict):
            return


def _fits(volume: Object, claim: Object) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    reference = spec.get("claimRef")
    if reference is not None and not _is_for(volume, claim):
        return False
    asked = quantities.parse(str(get_path(wanted, "resources", "requests", "storage", default="0")))
    return (
        set(wanted["accessModes"]) <= set(spec["accessModes"])
        and (spec.get("storageClassName") or "") == (wanted.get("storageClassName") or "")
        and spec.get("volumeMode", "Filesystem") == wanted.get("volumeMode", "Filesystem")
        and _capacity(volume) >= asked
    )


def _is_for(volume: Object, claim: Object) -> bool:
    reference = get_path(volume, "spec", "claimRef", default={})
    same = (reference.get("namespace"), reference.get("name")) == (namespace_of(claim), name_of(claim))
    return same and reference.get("uid") in (None, uid_of(claim))


def _capacity(volume: Object) -> Decimal:
    return quantities.parse(str(get_path(volume, "spec", "capacity", "storage", default="0")))


def _reference(claim: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": namespace_of(claim),
        "name": name_of(claim),
        "uid": uid_of(claim),
        "resourceVersion": metadata(claim).get("resourceVersion", ""),
    }
