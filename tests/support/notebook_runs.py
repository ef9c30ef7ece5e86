"""How a notebook is run so that it shows the same each time; run as a program it stores what they show.

``make notebooks`` runs every notebook, or those that are named, in a fresh lab and stores the outputs, which are what
the tests compare with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_DATE = "2026-01-01T00:00:00+00:00"
# Commits made in a notebook have the same ids in every run: same time, and the identity of who has none.
REPEATABLE = {"GIT_AUTHOR_DATE": _DATE, "GIT_COMMITTER_DATE": _DATE, "GIT_CONFIG_GLOBAL": os.devnull}


def store(notebook: Path) -> None:
    """Run a notebook top to bottom in a fresh lab, and save it with its outputs."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(notebook, 4)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "lab"
        _labkit("init", str(home))
        os.environ["LABKIT_HOME"] = str(home)
        try:
            where = {"metadata": {"path": str(home / "notebooks")}}
            NotebookClient(book, timeout=120, kernel_name="python3", resources=where).execute()
        finally:
            _labkit("down", "--lab", str(home))
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            widget = output.get("data", {}).get("application/vnd.jupyter.widget-view+json")
            if widget:
                widget["model_id"] = ""  # another in each run
    book.metadata.pop("widgets", None)
    book.metadata["language_info"] = {"name": "python"}
    nbformat.write(book, notebook)


def _labkit(*arguments: str) -> None:
    command = [sys.executable, "-m", "labkit.cli", *arguments]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    os.environ.update(REPEATABLE)
    for path in [Path(name) for name in sys.argv[1:]] or sorted((ROOT / "notebooks").rglob("*.ipynb")):
        store(path)
