"""The resource tree: an Application, what it asked for, and what the cluster's controllers made of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.views import words
from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Iterator


_GENERATED = {"Pod", "EndpointSlice"}


@dataclass(frozen=True)
class TreeNode:
    """An object in an application's tree; ``sync`` is empty for what controllers made."""

    kind: str
    name: str
    group: str = ""
    namespace: str = ""
    sync: str = ""
    health: str = ""
    message: str = ""
    images: tuple[str, ...] = ()
    children: tuple[TreeNode, ...] = ()

    def __repr__(self) -> str:
        return tree(self).text

    def _repr_html_(self) -> str:
        return tree(self)._repr_html_()


@dataclass(frozen=True)
class Row:
    """A node as it is drawn: equal siblings with generated names are one row with their number."""

    kind: str
    name: str
    sync: str
    health: str
    message: str
    count: int
    below: tuple[Row, ...]


def tree(root: TreeNode) -> View:
    """The tree with sync, health and, where something is wrong, the message that says what.

    Pods of one ReplicaSet that are in the same state are drawn as one, ``Pod web-5d8f7-… ×3``: their random
    names tell nobody anything, and change with every run.
    """
    row = _row(root, [root], generated=False)
    return View("\n".join(_text(row, "", "")), render("tree.html", root=row))


def _rows(parent: TreeNode) -> Iterator[Row]:
    groups: dict[tuple[str, ...], list[TreeNode]] = {}
    for child in parent.children:
        generated = child.kind in _GENERATED and child.name.startswith(f"{parent.name}-")
        key = (child.kind, "" if generated else child.name, child.health, child.message)
        groups.setdefault(key, []).append(child)
    for (_, name, *_), nodes in groups.items():
        yield _row(nodes[0], nodes, generated=not name)


def _row(node: TreeNode, same: list[TreeNode], *, generated: bool) -> Row:
    name = node.name.rpartition("-")[0] + "-…" if generated else node.name
    message = "" if node.health == "Healthy" else node.message
    return Row(node.kind, name, node.sync, node.health, message, len(same), tuple(_rows(node)))


def _text(row: Row, first: str, rest: str) -> Iterator[str]:
    many = f" ×{row.count}" if row.count > 1 else ""
    marks = [f"{row.kind} {row.name}{many}", words.status(row.sync), words.status(row.health)]
    yield first + "  ".join(filter(None, marks))
    for line in filter(None, row.message.splitlines()):
        yield f"{rest}{'│ ' if row.below else '  '}{line}"
    for number, child in enumerate(row.below, start=1):
        last = number == len(row.below)
        yield from _text(child, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))
