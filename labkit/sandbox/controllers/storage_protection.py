"""Claims that a pod uses, and volumes that are bound, do not go before that is over.

Admission puts a finalizer on each; it is taken off here, once the object is deleted and nobody needs it.

Source: pkg/controller/volume/pvcprotection and pvprotection in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import Conflict, NotFound
from labkit.k8s.objects import Object, get_path, metadata, name_of, namespace_of
from labkit.sandbox.controllers import pods
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key

if TYPE_CHECKING:
    from collections.abc import Iterator

CLAIM_FINALIZER, VOLUME_FINALIZER = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"


class StorageProtection:
    """The controllers of both."""

    def __init__(self, plane: ControlPlane) -> None:
        self._client = plane.client_of("pvc-protection-controller")
        self._claims = plane.informer("v1", "PersistentVolumeClaim")
        self._volumes = plane.informer("v1", "PersistentVolume")
        self._pods = plane.informer("v1", "Pod")
        claims = plane.controller("claim protection", self._claim)
        claims.watch(self._claims, own_key)
        claims.watch(self._pods, lambda pod: [Key(namespace_of(pod), name) for name in claims_of(pod)])
        plane.controller("volume protection", self._volume).watch(self._volumes, own_key)

    def _claim(self, key: Key) -> None:
        claim = self._claims.get(*key)
        if claim is None or not pods.is_deleting(claim):
            return
        users = [
            p for p in self._pods.list(key.namespace) if key.name in claims_of(p) and not pods.is_finished(p)
        ]
        if not users:
            self._let_go(claim, CLAIM_FINALIZER)

    def _volume(self, key: Key) -> None:
        volume = self._volumes.get(*key)
        if volume is not None and pods.is_deleting(volume) and pods.phase(volume) != "Bound":
            self._let_go(volume, VOLUME_FINALIZER)

    def _let_go(self, obj: Object, finalizer: str) -> None:
        there = metadata(obj).get("finalizers") or []
        if finalizer not in there:
            return
        kept = [name for name in there if name != finalizer]
        try:
            self._client.patch(
                "v1", obj["kind"], name_of(obj), namespace_of(obj) or None,
                patch={"metadata": {"finalizers": kept or None}}, field_manager="kube-controller-manager",
            )  # fmt: skip
        except (NotFound, Conflict):
            return


def claims_of(pod: Object) -> Iterator[str]:
    """The names of the claims that a pod mounts."""
    for volume in get_path(pod, "spec", "volumes", default=[]):
        name = get_path(volume, "persistentVolumeClaim", "claimName")
        if name is not None:
            yield name
        elif "ephemeral" in volume:
            yield f"{name_of(pod)}-{volume['name']}"
