"""From what the controller answers (Argo CD's forms: flat lists with references) to what a person looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.yaml import dump
from labkit.lab.facts import AppStatus, Difference, FieldDifference, Resource
from labkit.views.tree import TreeNode

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]
Key = tuple[str, str, str, str]


def tree_of(application: JSON, nodes: list[JSON]) -> TreeNode:
    """The tree below an Application, of ``nodes`` that name their parents (``parentRefs``).

    What Git wants and the cluster does not have is there too, as ``Missing``. Order: as the application lists
    its resources, then by kind and name.
    """
    status = AppStatus.of(application)
    asked = [Resource.of(item) for item in (application.get("status") or {}).get("resources") or []]
    order = {_key(vars(resource)): number for number, resource in enumerate(asked)}
    below: dict[str, list[JSON]] = {}
    for node in nodes:
        parents = node.get("parentRefs") or [{}]
        below.setdefault(parents[0].get("uid") or "", []).append(node)
    sync = {_key(vars(resource)): resource for resource in asked}

    def grow(node: JSON) -> TreeNode:
        wanted, health = sync.get(_key(node)), node.get("health") or {}
        children = sorted(below.get(node.get("uid") or "?", []), key=lambda n: (n["kind"], n["name"]))
        return TreeNode(
            kind=node["kind"],
            name=node["name"],
            group=node.get("group") or "",
            namespace=node.get("namespace") or "",
            sync=wanted.sync if wanted else "",
            health=health.get("status") or (wanted.health if wanted else ""),
            message=health.get("message") or "",
            images=tuple(node.get("images") or ()),
            children=tuple(grow(child) for child in children),
        )

    live = {_key(node) for node in nodes}
    roots = [(order.get(_key(node), len(order)), grow(node)) for node in below.get("", [])]
    roots += [(order[_key(vars(r))], _missing(r)) for r in asked if _key(vars(r)) not in live]
    roots.sort(key=lambda root: (root[0], root[1].kind, root[1].name))
    return TreeNode(
        kind="Application",
        name=application["metadata"]["name"],
        group="argoproj.io",
        namespace=application["metadata"].get("namespace") or "",
        sync=status.sync,
        health=status.health,
        message=status.message,
        children=tuple(root for _, root in roots),
    )


def differences_of(items: list[JSON]) -> list[Difference]:
    """What a sync would change: live objects beside what they would be afterwards. Hooks are not compared."""
    found = [_difference(item) for item in items if not item.get("hook") and item.get("status") != "Synced"]
    return [difference for difference in found if difference.live != difference.desired]


def _difference(item: JSON) -> Difference:
    after = item.get("predictedLiveState") or item.get("targetState") if item.get("targetState") else None
    resource = Resource.of(item | {"health": None})
    fields = tuple(FieldDifference.of(each) for each in item.get("differences") or [])
    return Difference(resource, live=_text(item.get("liveState")), desired=_text(after), fields=fields)


def pods(root: TreeNode, *, kind: str = "", name: str = "") -> Iterator[TreeNode]:
    """The Pods of a tree; only those at or below a node of this kind and name, if they are given."""
    if (not kind or root.kind == kind) and (not name or root.name == name):
        yield from _below(root, "Pod")
        return
    for child in root.children:
        yield from pods(child, kind=kind, name=name)


def _below(node: TreeNode, kind: str) -> Iterator[TreeNode]:
    if node.kind == kind:
        yield node
    for child in node.children:
        yield from _below(child, kind)


def _missing(resource: Resource) -> TreeNode:
    return TreeNode(
        kind=resource.kind,
        name=resource.name,
        group=resource.group,
        namespace=resource.namespace,
        sync=resource.sync,
        health=resource.health or "Missing",
        message=resource.message,
    )


def _key(item: JSON) -> Key:
    return (item.get("group") or "", item["kind"], item.get("namespace") or "", item["name"])


def _text(obj: JSON | None) -> str:
    """As YAML, without what no person writes and no sync changes."""
    if not obj:
        return ""
    unwanted = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation")
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name not in unwanted}
    shown = {name: value for name, value in obj.items() if name != "status"} | {"metadata": metadata}
    return dump(_sorted(shown))


def _sorted(value: Any) -> Any:
    """With all keys in one order, so that two texts differ only where their values do."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value
