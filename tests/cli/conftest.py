"""The real command line, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.cli import frame
from labkit.cli.session import session

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """A person's environment with nothing of ours, or of this machine's clusters, in it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LABKIT_")}
    return environment | {
        "HOME": str(tmp_path / "home"),
        "KUBECONFIG": str(tmp_path / "none"),
        "COLUMNS": "100",
    }


@pytest.fixture
def labkit(clean_environment: dict[str, str], tmp_path: Path) -> Run:
    """``labkit("app", "list")`` runs it and returns what it did."""

    def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "labkit.cli", *arguments],
            cwd=cwd or tmp_path,
            env=clean_environment | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
            capture_output=True,
            text=True,
            timeout=100,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


@pytest.fixture
def here(
    clean_environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """The same command line in this process: for tests of what is done and said, of which there are many."""

    def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch:
            patch.setattr(session, "lab", None)
            patch.chdir(cwd or tmp_path)
            for name in [name for name in os.environ if name.startswith("LABKIT_")]:
                patch.delenv(name)
            for name, value in (clean_environment | environment).items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = frame.run(list(arguments))
            said = capsys.readouterr()
        return subprocess.CompletedProcess(list(arguments), code, said.out, said.err)

    return run


def no_traceback(done: subprocess.CompletedProcess[Any]) -> bool:
    return "Traceback" not in done.stderr
