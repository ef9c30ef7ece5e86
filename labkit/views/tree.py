"""The resource tree: an Application, what it asked for, and what the cluster's controllers made of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from labkit.views import words
from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Sequence


class Node(Protocol):
    """What the picture needs of a resource. ``sync`` is empty for one that Git does not name."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sync(self) -> str: ...
    @property
    def health(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def children(self) -> Sequence[Node]: ...


def tree(root: Node) -> View:
    """The tree with sync, health and, where something is wrong, the message that says what."""
    return View("\n".join(_text(root, "", "")), render("tree.html", root=root))


def _text(node: Node, first: str, rest: str) -> list[str]:
    marks = "  ".join(filter(None, [words.status(node.sync), words.status(node.health)]))
    lines = [f"{first}{node.kind} {node.name}  {marks}".rstrip()]
    if node.message and node.health not in {"Healthy", ""}:
        lines.append(f"{rest}{'│ ' if node.children else '  '}{node.message}")
    for number, child in enumerate(node.children, start=1):
        last = number == len(node.children)
        lines += _text(child, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))
    return lines
