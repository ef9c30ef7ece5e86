"""The resource tree: what an application asked for, and what the cluster's controllers made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.gitops import health
from labkit.k8s.objects import Object, get_path, gvk, metadata, name_of, namespace_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labkit.gitops.diff import Compared
    from labkit.gitops.live import LiveCluster
    from labkit.runtime.client import ObjectClient

DEPTH = 8


def nodes(items: Iterable[Compared], live: LiveCluster) -> list[dict[str, Any]]:
    """The tree as Argo CD's API lists it: one entry an object, with ``parentRefs`` to what owns it."""
    return below([item.live for item in items if item.live is not None], live)


def below(roots: Iterable[Object], live: LiveCluster) -> list[dict[str, Any]]:
    """These objects and what was made of them, as entries of a tree."""
    found: dict[str, dict[str, Any]] = {}
    for root in roots:
        for each in _descend(root, None, live, DEPTH):
            found.setdefault(each["uid"], each)
    return list(found.values())


def network(nodes: Iterable[dict[str, Any]], client: ObjectClient) -> list[Object]:
    """The Ingresses, Services and Pods of a tree, whole: who reaches whom stands in their specs and labels."""
    known = list(nodes)
    uids = {node["uid"] for node in known}
    found: list[Object] = []
    for version, kind in (("networking.k8s.io/v1", "Ingress"), ("v1", "Service"), ("v1", "Pod")):
        for space in sorted({node["namespace"] for node in known if node["kind"] == kind}):
            listed = client.list(version, kind, space).items
            found += [{"apiVersion": version, "kind": kind, **obj} for obj in listed if uid_of(obj) in uids]
    return found


def _descend(obj: Object, parent: Object | None, live: LiveCluster, depth: int) -> Iterator[dict[str, Any]]:
    yield node(obj, parent)
    if depth:
        for child in live.children(obj):
            yield from _descend(child, obj, live, depth - 1)


def node(obj: Object, parent: Object | None = None) -> dict[str, Any]:
    """One object as an entry of the tree."""
    state = health.assess(obj)
    found = reference(obj) | {"resourceVersion": metadata(obj).get("resourceVersion", "")}
    found["createdAt"] = metadata(obj).get("creationTimestamp", "")
    if parent is not None:
        found["parentRefs"] = [reference(parent)]
    if state is not None:
        found["health"] = {"status": state.status} | ({"message": state.message} if state.message else {})
    if pictures := images(obj):
        found["images"] = pictures
    return found


def reference(obj: Object) -> dict[str, Any]:
    """What names an object in the tree."""
    kind = gvk(obj)
    return {
        "group": kind.group,
        "version": kind.version,
        "kind": kind.kind,
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "uid": uid_of(obj),
    }


def images(obj: Object) -> list[str]:
    """The images of an object's pods: of a Pod, of a pod template, of a CronJob's job."""
    for path in (
        ("spec",),
        ("spec", "template", "spec"),
        ("spec", "jobTemplate", "spec", "template", "spec"),
    ):
        spec = get_path(obj, *path, default={})
        containers = (
            [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
            if isinstance(spec, dict)
            else []
        )
        found = [c["image"] for c in containers if isinstance(c, dict) and c.get("image")]
        if found:
            return list(dict.fromkeys(found))
    return []
