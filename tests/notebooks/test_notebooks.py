"""Every notebook runs as it is stored, top to bottom, in a fresh lab and once more in the same one.

What its cells show is compared with what is stored in it (nbval). So the stored outputs are the reference, and a
notebook without them would pass without being looked at: that is an error here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from notebook_runs import REPEATABLE

from labkit.settings import child_environment

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.relative_to(ROOT / "notebooks") for path in (ROOT / "notebooks").rglob("*.ipynb"))
SANITIZE = Path(__file__).with_name("sanitize.cfg")
SECONDS = 600

each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=str)


@pytest.fixture
def lab(tmp_path):
    """A lab folder of its own, laid out as ``labkit init`` does it; stopped at the end."""
    home = tmp_path / "lab"
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


def compare(notebook, home):
    """Run the stored notebook where the trainee's lies, and hold what it shows against what is stored in it."""
    shutil.copy(ROOT / "notebooks" / notebook, home / "notebooks" / notebook)
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "--rootdir", str(home)]
    command += ["-c", str(SANITIZE.with_name("nbval.ini")), "--nbval", "--nbval-current-env"]
    command += ["--nbval-sanitize-with", str(SANITIZE), str(home / "notebooks" / notebook)]
    run(command, cwd=home, env=child_environment(LABKIT_HOME=str(home), **REPEATABLE))


@each_notebook
def test_a_notebook_is_stored_as_it_was_run(notebook):
    cells = json.loads((ROOT / "notebooks" / notebook).read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), (
        "run it from top to bottom"
    )
    assert any(cell["outputs"] for cell in code), "save it with its outputs"
    failed = [o["ename"] for cell in code for o in cell["outputs"] if o["output_type"] == "error"]
    assert failed == [] or "raises-exception" in str([cell["metadata"].get("tags") for cell in code])


@each_notebook
def test_a_trainee_gets_it_without_its_outputs(notebook, tmp_path):
    labkit("init", str(tmp_path))
    cells = json.loads((tmp_path / "notebooks" / notebook).read_text(encoding="utf-8"))["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@each_notebook
@pytest.mark.timeout(2 * SECONDS)
def test_a_notebook_shows_what_is_stored_in_a_fresh_lab_and_again(notebook, lab):
    compare(notebook, lab)
    compare(notebook, lab)
