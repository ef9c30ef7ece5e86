"""Namespace: one that is deleted is emptied first, and goes when nothing is left in it.

Pods go before everything else, so that no container outlives the configuration and the network rules that it was
started with. What stays, and why, is written into the namespace's conditions: ``kubectl describe namespace`` tells
who holds it.

Source: pkg/controller/namespace/deletion in Kubernetes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from labkit.errors import ApiError, NotFound
from labkit.k8s.objects import Object, metadata, name_of, uid_of
from labkit.runtime.controller import Result
from labkit.sandbox.controllers import conditions, pods
from labkit.sandbox.controllers.plane import AGAIN, ControlPlane, Key, own_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from labkit.sandbox.apiserver.resources import Resource

DELETIONS = 20
"""Objects that one call deletes before others have their turn."""

RETRY_SECONDS = 5.0

_ALL_WELL = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


class Namespaces:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("namespace-controller")
        self._namespaces = plane.informer("v1", "Namespace")
        self._controller = plane.controller("Namespace", self.reconcile)
        self._controller.watch(self._namespaces, own_key)
        self.stop: Callable[[], None] = self._client.subscribe_all(self._changed)

    def reconcile(self, key: Key) -> Result | None:
        """Delete what is left in a namespace that is going; let it go when there is nothing."""
        namespace = self._namespaces.get(*key)
        if namespace is None or not pods.is_deleting(namespace):
            return None
        left = [(resource, obj) for resource in self._kinds() for obj in self._in(resource, key.name)]
        only_pods = [(resource, obj) for resource, obj in left if resource.name == "pods"]
        waiting = [(r, obj) for r, obj in only_pods or left if not pods.is_deleting(obj)]
        problems = [text for r, obj in waiting[:DELETIONS] if (text := self._delete(r, obj))]
        if len(waiting) > DELETIONS and not problems:
            return AGAIN
        left = [(resource, obj) for resource in self._kinds() for obj in self._in(resource, key.name)]
        if left:
            self._write_status(key, left, problems)
            if problems:
                return Result(requeue_after=RETRY_SECONDS)
            return AGAIN if only_pods and not any(r.name == "pods" for r, _ in left) else None
        if (namespace["spec"].get("finalizers") or []) != []:
            self._client.finalize_namespace(key.name)
        return None

    def _kinds(self) -> Iterable[Resource]:
        """Every kind that has objects in namespaces, each in one version."""
        seen = set()
        for resource in self._client.kinds():
            if resource.namespaced and "delete" in resource.verbs and resource.storage not in seen:
                seen.add(resource.storage)
                yield resource

    def _in(self, resource: Resource, namespace: str) -> list[Object]:
        return self._client.list(resource.api_version, resource.kind, namespace).items

    def _delete(self, resource: Resource, obj: Object) -> str:
        """Delete an object; what was in the way, if anything."""
        try:
            self._client.delete(
                resource.api_version, resource.kind, name_of(obj), metadata(obj)["namespace"],
                propagation_policy="Background", uid=uid_of(obj),
            )  # fmt: skip
        except NotFound:
            return ""
        except ApiError as error:
            return error.message
        return ""

    def _changed(self, _resource: Resource, event: str, obj: Object, _old: Object | None) -> None:
        """Something in a namespace that is going is gone, or was let go of: look again."""
        meta = metadata(obj)
        home = meta.get("namespace")
        if home and (event == "DELETED" or "deletionTimestamp" in meta):
            namespace = self._namespaces.get("", home)
            if namespace is not None and pods.is_deleting(namespace):
                self._controller.enqueue(Key("", home))

    # ── status ────────────────────────────────────────────────────────────────

    def _write_status(self, key: Key, left: list[tuple[Resource, Object]], problems: list[str]) -> None:
        namespace = self._client.get("v1", "Namespace", key.name)
        status = namespace.get("status") or {}
        found = {name: ("False", *answer) for name, answer in _ALL_WELL.items()}
        found["NamespaceContentRemaining"] = ("True", "SomeResourcesRemain", _resources(left))
        if holders := _finalizers(left):
            found["NamespaceFinalizersRemaining"] = ("True", "SomeFinalizersRemain", holders)
        if problems:
            text = f"Failed to delete all resource types, {len(problems)} remaining: {', '.join(problems)}"
            found["NamespaceDeletionContentFailure"] = ("True", "ContentDeletionFailed", text)
        new = list(status.get("conditions") or [])
        for name, (state, reason, message) in found.items():
            before = conditions.find(new, name)
            if before is not None and before["message"] != message:
                new = [{**c, "message": message} if c is before else c for c in new]
            new = conditions.put(new, conditions.condition(name, state, reason, message, self._clock.now()))
        if new != status.get("conditions"):
            self._client.replace_status({**namespace, "status": {**status, "conditions": new}})


def _resources(left: list[tuple[Resource, Object]]) -> str:
    counts = Counter(f"{resource.plural}.{resource.group}" for resource, _ in left)
    lines = [f"{name} has {count} resource instances" for name, count in sorted(counts.items())]
    return f"Some resources are remaining: {', '.join(lines)}"


def _finalizers(left: list[tuple[Resource, Object]]) -> str:
    counts = Counter(name for _, obj in left for name in metadata(obj).get("finalizers") or [])
    lines = [f"{name} in {count} resource instances" for name, count in sorted(counts.items())]
    return f"Some content in the namespace has finalizers remaining: {', '.join(lines)}" if lines else ""
