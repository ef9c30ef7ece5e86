"""``labkit --help`` answers at once because nothing heavy is imported on the way."""

import subprocess
import sys

HEAVY = {
    "IPython", "casbin", "cryptography", "git", "helm_python", "httptools", "ipywidgets", "jinja2", "jupyterlab",
    "kubernetes", "sqlite3", "starlette", "urllib3", "uvicorn", "yaml",
}  # fmt: skip


def imported_by(code):
    """The libraries that a fresh Python has loaded after running ``code``."""
    program = f"import sys\n{code}\nprint('loaded', *sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_imports_nothing_heavy():
    code = (
        "sys.argv = ['labkit', '--help']\nfrom labkit.cli import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert imported_by(code) & HEAVY == set()


def test_the_package_itself_imports_nothing():
    assert imported_by("import labkit") & (HEAVY | {"typer", "rich", "orjson"}) == set()


def test_a_cluster_is_reached_without_the_official_client():
    assert "kubernetes" not in imported_by("import labkit.cluster")
