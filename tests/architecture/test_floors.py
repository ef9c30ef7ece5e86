"""The contracts of ``[tool.importlinter]``: who may import whom, and which library lives in which room."""

import subprocess
import sys

from .source import PACKAGE, ROOT


def test_rooms_import_from_lower_floors_and_libraries_stay_in_their_rooms():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_says_why_it_exists():
    silent = [room.name for room in PACKAGE.iterdir() if room.is_dir() and _docstring(room) is None]
    assert silent == []


def test_no_room_is_called_after_nothing():
    names = {path.stem for path in PACKAGE.rglob("*") if path.suffix in ("", ".py")}
    assert not names & {"utils", "util", "common", "helpers", "helper", "core", "manager", "misc"}


def _docstring(room):
    import ast

    init = room / "__init__.py"
    if room.name == "__pycache__" or not any(room.glob("*.py")):
        return "no room"
    return ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) if init.exists() else None
