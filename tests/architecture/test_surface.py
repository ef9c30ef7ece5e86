"""What each room offers to the others, pinned: a public name comes and goes on purpose, not by accident.

``LABKIT_UPDATE=1`` writes the list anew.
"""

import ast
import os

from .source import ROOT, modules

PINNED = ROOT / "tests" / "architecture" / "surface.txt"


def offered():
    """``room: name name …`` for every room, from the ``__all__`` of its ``__init__.py``."""
    rooms = {}
    for name, tree in modules().items():
        folder, _, file = name.rpartition("/")
        if file == "__init__.py" and folder.count("/") == 0:
            rooms[folder or "labkit"] = sorted(_all(tree))
    return "".join(f"{room}: {' '.join(names)}\n" for room, names in sorted(rooms.items()) if names)


def _all(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            return ast.literal_eval(node.value)
    return []


def test_rooms_offer_what_is_pinned_and_nothing_else():
    if os.environ.get("LABKIT_UPDATE"):
        PINNED.write_text(offered(), encoding="utf-8", newline="\n")
    assert offered() == PINNED.read_text(encoding="utf-8")


def test_everything_that_is_offered_is_there():
    import importlib

    missing = []
    for line in offered().splitlines():
        room, _, names = line.partition(": ")
        module = importlib.import_module("labkit" if room == "labkit" else f"labkit.{room}")
        missing += [f"{module.__name__}.{name}" for name in names.split() if not hasattr(module, name)]
    assert missing == []
