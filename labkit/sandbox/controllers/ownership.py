"""Whose pod is it: owner references, and how a controller adopts what its selector means and lets go of the rest.

Source of the rules: ``controller_ref_manager.go`` in Kubernetes' pkg/controller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import Invalid, NotFound
from labkit.k8s.objects import (
    Object,
    controller_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    owner_references,
    uid_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.k8s.selectors import LabelSelector
    from labkit.runtime.informer import Informer
    from labkit.sandbox.client import LocalClient


def controller_reference(owner: Object) -> Object:
    """The owner reference that makes ``owner`` an object's controller."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claimed(client: LocalClient, owner: Object, selector: LabelSelector, informer: Informer) -> list[Object]:
    """The objects that the owner controls, after it took in the orphans that it selects and let go of strangers."""
    namespace, going = namespace_of(owner), "deletionTimestamp" in metadata(owner)
    kept: list[Object] = []
    for obj in informer.owned_by(uid_of(owner)):
        if (controller_of(obj) or {}).get("uid") != uid_of(owner) or namespace_of(obj) != namespace:
            continue
        if selector.matches(labels_of(obj)):
            kept.append(obj)
        elif not going:
            _release(client, owner, obj)
    if not going:
        orphans = [obj for obj in _orphans(informer, namespace) if selector.matches(labels_of(obj))]
        kept += [adopted for obj in orphans if (adopted := _adopt(client, owner, obj)) is not None]
    return kept


def _orphans(informer: Informer, namespace: str) -> Iterable[Object]:
    for obj in informer.list(namespace):
        if controller_of(obj) is None and "deletionTimestamp" not in metadata(obj):
            yield obj


def _adopt(client: LocalClient, owner: Object, obj: Object) -> Object | None:
    reference = controller_reference(owner)
    others = [ref for ref in owner_references(obj) if ref["uid"] != uid_of(owner)]
    return _write(client, obj, [*others, reference])


def _release(client: LocalClient, owner: Object, obj: Object) -> None:
    _write(client, obj, [ref for ref in owner_references(obj) if ref["uid"] != uid_of(owner)])


def _write(client: LocalClient, obj: Object, references: list[Object]) -> Object | None:
    patch = {"metadata": {"uid": uid_of(obj), "ownerReferences": references or None}}
    try:
        return client.patch(
            obj["apiVersion"], obj["kind"], name_of(obj), namespace_of(obj), patch=patch,
            field_manager="kube-controller-manager",
        )  # fmt: skip
    except (NotFound, Invalid):  # gone meanwhile, or it may not have a second owner: either way not ours
        return None
