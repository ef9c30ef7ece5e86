"""Manifests from files that a person names, or from standard input."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def manifests(files: Iterable[Path], kind: str) -> list[dict[str, Any]]:
    """The objects of one kind in these files; an error where a file has none. ``-`` is standard input."""
    from labkit.k8s.yaml import load_documents

    found: list[dict[str, Any]] = []
    for path in files:
        shown = "standard input" if str(path) == "-" else str(path)
        mine = [d.obj for d in load_documents(_text(path), file=shown) if d.obj.get("kind") == kind]
        if not mine:
            raise LabError(f"there is no {kind} in it", where=shown, fix=f"It needs `kind: {kind}`.")
        found += mine
    return found


def _text(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LabError("not a text file", where=str(path), fix="Give a YAML file.") from error
