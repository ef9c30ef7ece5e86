"""Garbage collector: deletes what has lost all its owners, and makes deletions wait for, or spare, the dependents.

How an owner is deleted decides what becomes of the objects that name it in ``metadata.ownerReferences``:

- *Background*: the owner goes at once; the collector finds dependents without an owner and deletes them.
- *Foreground*: the finalizer ``foregroundDeletion`` keeps the owner until those that block it are gone.
- *Orphan*: the finalizer ``orphan`` keeps it until no dependent names it any more.

Source: pkg/controller/garbagecollector in Kubernetes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import Conflict, NotFound
from labkit.k8s.objects import Object, metadata, name_of, namespace_of, owner_references, uid_of
from labkit.runtime.controller import Controller, Result
from labkit.sandbox.controllers.plane import AGAIN, BATCH

if TYPE_CHECKING:
    from labkit.runtime.clock import Clock
    from labkit.runtime.loop import LoopHost
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.client import LocalClient

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True)
class Node:
    """What the collector keeps of an object."""

    api_version: str
    kind: str
    namespace: str
    name: str
    owners: tuple[Object, ...]
    finalizers: tuple[str, ...]
    deleting: bool


class Garbage:
    """The collector: a graph of who belongs to whom, over every kind, by uid."""

    def __init__(self, client: LocalClient, clock: Clock, host: LoopHost) -> None:
        self._client = client
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, set[str]] = {}
        self._controller: Controller[str] = Controller("garbage collector", self.reconcile, clock)
        self.stop = client.subscribe_all(self._changed)
        for resource in _one_version_each(client.kinds()):
            for obj in client.list(resource.api_version, resource.kind).items:
                self._changed(resource, "ADDED", obj, None)
        host.add(self._controller)

    def reconcile(self, uid: str) -> Result | None:
        """Look at one object: as an owner that waits, and as a dependent that may have nobody left."""
        node = self._nodes.get(uid)
        if node is None:
            return None
        if node.deleting and ORPHAN in node.finalizers:
            return self._let_go(uid, node)
        if node.deleting and FOREGROUND in node.finalizers:
            return self._wait_for_dependents(uid, node)
        if node.owners and not node.deleting:
            self._look_for_owners(uid, node)
        return None

    # ── as an owner ───────────────────────────────────────────────────────────

    def _let_go(self, uid: str, node: Node) -> Result | None:
        dependents = sorted(self._dependents.get(uid, ()))
        for dependent in dependents[:BATCH]:
            self._remove_references(dependent, {uid})
        if len(dependents) > BATCH:
            return AGAIN
        self._remove_finalizer(node, ORPHAN)
        return None

    def _wait_for_dependents(self, uid: str, node: Node) -> Result | None:
        blocking = [d for d in sorted(self._dependents.get(uid, ())) if _blocks(self._nodes[d], uid)]
        if not blocking:
            self._remove_finalizer(node, FOREGROUND)
            return None
        going = [dependent for dependent in blocking if not self._nodes[dependent].deleting]
        for dependent in going[:BATCH]:
            self._look_for_owners(dependent, self._nodes[dependent])
        return AGAIN if len(going) > BATCH else None

    # ── as a dependent ────────────────────────────────────────────────────────

    def _look_for_owners(self, uid: str, node: Node) -> None:
        gone, waiting = set(), set()
        for owner in node.owners:
            there = self._nodes.get(owner["uid"])
            if there is None or not _may_own(there, node):
                if self._is_known(owner):
                    gone.add(owner["uid"])
            elif there.deleting and FOREGROUND in there.finalizers:
                waiting.add(owner["uid"])
        solid = [o for o in node.owners if o["uid"] not in gone | waiting]
        if solid:
            if gone | waiting:
                self._remove_references(uid, gone | waiting)
        elif waiting:
            self._delete(uid, node, "Foreground" if self._dependents.get(uid) else "Background")
        elif gone:
            self._delete(uid, node, _policy(node))

    def _is_known(self, owner: Object) -> bool:
        """Whether the owner's kind is served: of one that is not, nobody can say that the owner is gone."""
        try:
            self._client.resource_for(owner["apiVersion"], owner["kind"])
        except NotFound:
            return False
        return True

    def _delete(self, uid: str, node: Node, policy: str) -> None:
        try:
            self._client.delete(
                node.api_version,
                node.kind,
                node.name,
                node.namespace or None,
                propagation_policy=policy,
                uid=uid,
            )
        except (NotFound, Conflict):
            return  # gone, or another of that name is there now

    def _remove_references(self, uid: str, owners: set[str]) -> None:
        node = self._nodes[uid]
        kept = [dict(owner) for owner in node.owners if owner["uid"] not in owners]
        self._patch(node, {"metadata": {"uid": uid, "ownerReferences": kept or None}})

    def _remove_finalizer(self, node: Node, finalizer: str) -> None:
        kept = [name for name in node.finalizers if name != finalizer]
        self._patch(node, {"metadata": {"finalizers": kept or None}})

    def _patch(self, node: Node, patch: Object) -> None:
        try:
            self._client.patch(
                node.api_version, node.kind, node.name, node.namespace or None, patch=patch,
                field_manager="kube-controller-manager",
            )  # fmt: skip
        except (NotFound, Conflict):
            return

    # ── the graph ─────────────────────────────────────────────────────────────

    def _changed(self, resource: Resource, event: str, obj: Object, _old: Object | None) -> None:
        uid, before = uid_of(obj), self._nodes.get(uid_of(obj))
        node = None if event == "DELETED" else _node(resource, obj)
        if node == before:
            return
        for owner in before.owners if before else ():
            self._dependents.get(owner["uid"], set()).discard(uid)
            self._controller.enqueue(owner["uid"])
        if node is None:
            self._nodes.pop(uid, None)
            for dependent in self._dependents.get(uid, ()):
                self._controller.enqueue(dependent)
            if not self._dependents.get(uid):
                self._dependents.pop(uid, None)
            return
        self._nodes[uid] = node
        for owner in node.owners:
            self._dependents.setdefault(owner["uid"], set()).add(uid)
        if node.owners or node.deleting:
            self._controller.enqueue(uid)


def _node(resource: Resource, obj: Object) -> Node:
    meta = metadata(obj)
    return Node(
        resource.api_version,
        resource.kind,
        namespace_of(obj),
        name_of(obj),
        tuple(owner_references(obj)),
        tuple(meta.get("finalizers") or ()),
        "deletionTimestamp" in meta,
    )


def _may_own(owner: Node, dependent: Node) -> bool:
    """A namespaced owner owns in its own namespace only."""
    return not owner.namespace or owner.namespace == dependent.namespace


def _blocks(dependent: Node, owner: str) -> bool:
    return any(ref["uid"] == owner and ref.get("blockOwnerDeletion") for ref in dependent.owners)


def _policy(node: Node) -> str:
    """An object that its user wanted deleted in a certain way is deleted in that way."""
    if ORPHAN in node.finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in node.finalizers else "Background"


def _one_version_each(resources: list[Resource]) -> list[Resource]:
    found: dict[str, Resource] = {}
    for resource in resources:
        if "list" in resource.verbs and (
            resource.storage not in found or resource.version == resource.storage_version
        ):
            found[resource.storage] = resource
    return list(found.values())
