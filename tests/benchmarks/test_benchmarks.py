"""The benchmarks work. What they measure is for people to read: no time is asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_the_table_has_a_ratio_for_each_thing_that_has_a_target():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heading, *rows = done.stdout.splitlines()
    assert heading.split() == ["what", "median", "beside", "ratio", "target"]
    for what in (
        "sandbox ready, new",
        "API: create",
        "API: list of 1,000",
        "watches",
        "a Deployment of",
        "render a chart",
        "push → Synced",
        "push → Healthy",
        "memory",
        "applications",
    ):
        assert any(what in row for row in rows), what
