"""Real repositories in a temporary folder, and a home folder of the test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from labkit.git import Mirror, WorkingCopy


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """Nobody's own configuration or identity takes part."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return folder


@pytest.fixture
def git():
    """Plain git, as a person runs it; returns what it prints."""

    def run(*args: str, cwd: Path, stdin: bytes = b"", **env: str) -> str:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        done = subprocess.run(
            ["git", *who, *args], cwd=cwd, input=stdin, env=os.environ | env, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    return run


@pytest.fixture
def origin(tmp_path, git):
    """A bare repository with one commit on main: values.yaml and charts/web/Chart.yaml."""
    path = tmp_path / "origin.git"
    git("init", "--bare", "-b", "main", str(path), cwd=tmp_path)
    seed = tmp_path / "seed"
    git("clone", "-q", str(path), str(seed), cwd=tmp_path)
    (seed / "charts" / "web").mkdir(parents=True)
    (seed / "values.yaml").write_text("replicas: 1\n")
    (seed / "charts" / "web" / "Chart.yaml").write_text("name: web\n")
    git("add", ".", cwd=seed)
    git("commit", "-qm", "Begin\n\nWith one replica.", cwd=seed)
    git("push", "-q", "origin", "main", cwd=seed)
    return path


@pytest.fixture
def copy(origin, tmp_path):
    return WorkingCopy.clone(str(origin), tmp_path / "copy")


@pytest.fixture
def mirror(tmp_path):
    return Mirror(tmp_path / "cache", allow_files=True)


@pytest.fixture
def change(copy):
    """Writes a file in the working copy, commits and pushes it; returns the commit."""

    def write(path: str, text: str, message: str = "Change", *, push: bool = True):
        file = copy.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        commit = copy.add().commit(message)
        if push:
            copy.push(force=True)
        return commit

    return write
