"""The package's own source, as the tests of this folder look at it."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "labkit"


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every module by its path under ``labkit/``."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {
        str(f.relative_to(PACKAGE).as_posix()): ast.parse(f.read_text(encoding="utf-8"), filename=str(f))
        for f in files
    }


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a chain of attributes, empty for anything else."""
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return node.id if isinstance(node, ast.Name) else ""


def places(words: set[str], *, allowed: tuple[str, ...] = ()) -> list[str]:
    """Where one of the dotted ``words`` is said (``file:line word``), outside the allowed files and folders."""
    return [
        f"labkit/{name}:{node.lineno} {dotted(node)}"
        for name, tree in modules().items()
        if not name.startswith(allowed)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and dotted(node) in words
    ]
