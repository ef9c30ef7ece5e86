"""The real command line, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


def no_traceback(done: subprocess.CompletedProcess[Any]) -> bool:
    return "Traceback" not in done.stderr
