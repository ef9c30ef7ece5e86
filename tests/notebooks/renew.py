"""Makes the lessons' notebooks from their texts, and stores what the solutions show: ``make lessons``.

``python -m tests.notebooks.renew [01 …]``: the lessons named, or all of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from labkit.lessons.notebooks import Reader, notebook
from labkit.settings import child_environment

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
DATE = "2026-01-01T00:00:00+00:00"
# Commits made in a notebook have the same ids in every run: same time, and the identity of who has none.
REPEATABLE = {"GIT_AUTHOR_DATE": DATE, "GIT_COMMITTER_DATE": DATE, "GIT_CONFIG_GLOBAL": os.devnull}
# Two seconds between two waves show nothing, and a course's tests wait for many.
REPEATABLE["LABKIT_WAVE_SECONDS"] = "0.2"
STYLE = re.compile(r"<style>[^<]*</style>")
FOLDERS = {Reader.TRAINEE: ".", Reader.SOLUTION: "solutions", Reader.INSTRUCTOR: "instructors"}


def texts() -> list[Path]:
    """The lessons' texts, in order."""
    return sorted(NOTEBOOKS.glob("[0-9]*.md"))


def place(text: Path, reader: Reader) -> Path:
    """Where the notebook of a text lies."""
    return NOTEBOOKS / FOLDERS[reader] / f"{text.stem}.ipynb"


def written(content: dict) -> str:
    """A notebook as a file, the same on every machine."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def executed(content: dict, home: Path) -> dict:
    """The notebook with what its cells show in the lab folder ``home``; a cell that raises ends it."""
    import nbformat
    from nbclient import NotebookClient

    run = nbformat.reads(json.dumps(content), as_version=4)
    environment = child_environment(LABKIT_HOME=str(home), **REPEATABLE)
    client = NotebookClient(
        run, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(home / "notebooks")}}
    )
    client.execute(env=environment)
    shown = json.loads(nbformat.writes(run))
    shown["metadata"] = content["metadata"]
    for cell in shown["cells"]:
        cell["metadata"].pop("execution", None)
        if "outputs" in cell:
            cell["outputs"] = _joined(cell["outputs"])
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:  # so that a change of the style sheet changes no notebook
                data["text/html"] = STYLE.sub("<style></style>", "".join(data["text/html"])).splitlines(True)
            widget = data.get("application/vnd.jupyter.widget-view+json")
            if widget:
                widget["model_id"] = ""
    return shown


def _joined(outputs: list[dict]) -> list[dict]:
    """What a cell printed in one piece: in how many the kernel sent it is chance."""
    found: list[dict] = []
    for output in outputs:
        if output["output_type"] == "stream" and found and found[-1].get("name") == output["name"]:
            found[-1]["text"] = [*found[-1]["text"], *output["text"]]
        else:
            found.append(output)
    return found


def main(wanted: list[str]) -> None:
    """Write all notebooks; run the solutions of ``wanted`` (empty: all)."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "lab"
        labkit = [sys.executable, "-m", "labkit.cli"]
        subprocess.run([*labkit, "init", str(home)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            _renew(wanted, home)
        finally:
            subprocess.run(
                [*labkit, "down", "--lab", str(home)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL
            )


def _renew(wanted: list[str], home: Path) -> None:
    glossary = NOTEBOOKS / "glossary.md"
    made = notebook(glossary.read_text(encoding="utf-8"), Reader.TRAINEE)
    place(glossary, Reader.TRAINEE).write_text(written(made), encoding="utf-8", newline="\n")
    for text in texts():
        if wanted and text.name[:2] not in wanted:
            continue
        for reader in Reader:
            made = notebook(text.read_text(encoding="utf-8"), reader)
            if reader is Reader.SOLUTION:
                made = executed(made, home)
            file = place(text, reader)
            file.parent.mkdir(exist_ok=True)
            file.write_text(written(made), encoding="utf-8", newline="\n")
            sys.stdout.write(f"{file.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
