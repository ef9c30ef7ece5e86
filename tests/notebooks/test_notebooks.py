"""Every notebook runs as it is stored, top to bottom, in a lab that others have been worked in, and once more.

What its cells show is compared with what is stored in it (nbval). So the stored outputs are the reference, and a
notebook without them would pass without being looked at: that is an error here. The solutions are stored with
outputs; the trainees' and instructors' notebooks are made from the same texts.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.lessons import find
from labkit.lessons.notebooks import Reader, notebook
from labkit.lessons.structure import complaints
from labkit.settings import child_environment

from .renew import NOTEBOOKS, REPEATABLE, ROOT, executed, place, texts, written

SANITIZE = Path(__file__).with_name("sanitize.cfg")
SECONDS = 600
TEXTS = texts()
STORED = [place(text, Reader.SOLUTION) for text in TEXTS]
LAID_OUT = [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))]

each_stored = pytest.mark.parametrize("stored", STORED, ids=lambda path: path.stem)
each_text = pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A lab folder of its own, laid out as ``labkit init`` does it; stopped at the end."""
    home = tmp_path_factory.mktemp("notebooks") / "lab"
    labkit("init", str(home))
    yield home
    labkit("down", "--lab", str(home))


def labkit(*arguments):
    run([sys.executable, "-m", "labkit.cli", *arguments], cwd=ROOT, env=child_environment())


def run(command, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=SECONDS, **options
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def compare(stored, home):
    """Run stored notebooks, in this order, where a trainee's lie, and hold what they show against what is stored."""
    copies = [shutil.copy(path, home / "notebooks" / path.name) for path in stored]
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "--rootdir", str(home)]
    command += ["-c", str(SANITIZE.with_name("nbval.ini")), "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", str(SANITIZE), *map(str, copies)]
    run(command, cwd=home, env=child_environment(LABKIT_HOME=str(home), **REPEATABLE))


@each_stored
def test_a_notebook_is_stored_as_it_was_run(stored):
    cells = json.loads(stored.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "make lessons"
    assert any(cell["outputs"] for cell in code), "save it with its outputs"
    failed = [o["ename"] for cell in code for o in cell["outputs"] if o["output_type"] == "error"]
    assert failed == [] or "raises-exception" in str([cell["metadata"].get("tags") for cell in code])


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_trainee_gets_it_without_outputs(name, lab):
    cells = json.loads((lab / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_a_trainee_gets_no_solutions(lab):
    labkit("init", str(lab))
    laid = sorted(path.relative_to(lab / "notebooks").as_posix() for path in (lab / "notebooks").rglob("*"))
    assert laid == LAID_OUT


@each_text
def test_the_three_notebooks_are_what_the_text_says(text):
    source = text.read_text(encoding="utf-8")
    for reader in (Reader.TRAINEE, Reader.INSTRUCTOR):
        assert place(text, reader).read_text(encoding="utf-8") == written(notebook(source, reader)), (
            "make lessons"
        )
    stored = json.loads(place(text, Reader.SOLUTION).read_text(encoding="utf-8"))
    made = notebook(source, Reader.SOLUTION)
    assert [c["source"] for c in stored["cells"]] == [c["source"] for c in made["cells"]], "make lessons"


def test_the_glossary_is_what_its_text_says():
    text = NOTEBOOKS / "glossary.md"
    made = written(notebook(text.read_text(encoding="utf-8"), Reader.TRAINEE))
    assert place(text, Reader.TRAINEE).read_text(encoding="utf-8") == made, "make lessons"


@each_stored
def test_a_notebook_keeps_to_what_all_lessons_keep_to(stored):
    assert complaints(json.loads(stored.read_text(encoding="utf-8"))) == []


@each_text
@pytest.mark.timeout(SECONDS)
def test_a_trainee_who_does_nothing_gets_to_the_end_and_each_exercise_says_not_yet(text, lab):
    shown = executed(notebook(text.read_text(encoding="utf-8"), Reader.TRAINEE), lab)
    assert complaints(shown) == []
    checks = [cell for cell in shown["cells"] if ".check()" in "".join(cell["source"])]
    assert len(checks) >= len(find(text.name[:2]).tasks)
    for cell in checks:
        assert "".join(cell["outputs"][-1]["data"]["text/plain"]).startswith("✗ not yet: ")


@pytest.mark.timeout(2 * SECONDS)
def test_all_notebooks_show_what_is_stored_in_any_order_and_again_in_the_same_lab(lab):
    seed = random.randrange(10_000)
    shuffled = random.Random(seed).sample(STORED, len(STORED))
    compare(shuffled, lab)
    compare(STORED, lab)
