"""What is committed works on any machine, and tells nothing about the one that it was written on."""

import re
import subprocess

import pytest

from .source import ROOT

MACHINE = re.compile(
    r"(?<![\w./-])/(?:home|Users|root|work|opt|mnt)/[\w.-]+"  # somebody's folders
    r"|[A-Z]:\\\\?Users\\"
    r"|https?://[\w.-]*(?:pypi|pythonhosted|npmjs|debian|ubuntu|conda)\.\w+"  # a package index
)
TEXT = {
    ".cfg", ".css", ".html", ".ini", ".ipynb", ".js", ".json", ".md", ".py", ".sh", ".toml", ".tpl", ".txt", ".yaml",
    ".yml", "",
}  # fmt: skip


@pytest.fixture(scope="module")
def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a Git checkout")
    paths = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_machines_paths_and_no_package_index(tracked):
    found = [
        f"{path.relative_to(ROOT)}:{number} {match.group()}"
        for path in tracked
        if path.suffix in TEXT and path.name != "test_tracked_files.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := MACHINE.search(line))
    ]
    assert found == []


def test_texts_end_their_lines_as_unix_does(tracked):
    assert [str(p.relative_to(ROOT)) for p in tracked if p.suffix in TEXT and b"\r\n" in p.read_bytes()] == []


def test_nothing_that_is_made_is_committed(tracked):
    made = re.compile(r"(^|/)(__pycache__|\.venv|\.lab|\.ipynb_checkpoints|\.pytest_cache|dist|build)/")
    assert [p for p in tracked if made.search(p.relative_to(ROOT).as_posix())] == []


def test_no_file_is_large(tracked):
    assert {str(p.relative_to(ROOT)): p.stat().st_size for p in tracked if p.stat().st_size > 2_000_000} == {}


def test_names_differ_by_more_than_case(tracked):
    """macOS and Windows keep one of two such files."""
    names = [p.relative_to(ROOT).as_posix().lower() for p in tracked]
    assert len(names) == len(set(names))
