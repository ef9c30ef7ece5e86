"""The sandbox against recorded answers of a real kube-apiserver, where the kit with the recordings is at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parents[3] / "shared" / "conformance" / "run"


@pytest.mark.skipif(not KIT.exists(), reason=f"the conformance kit is not at {KIT}")
@pytest.mark.timeout(300)
def test_the_api_answers_as_the_real_one_was_recorded(tmp_path):
    folder = tmp_path / "cluster"
    command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(folder)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        while not (folder / "sandbox.json").exists():
            assert server.poll() is None, (tmp_path / "log").read_text()
        kit = [sys.executable, str(KIT), "--kubeconfig", str(folder / "kubeconfig")]
        done = subprocess.run(kit, capture_output=True, text=True, timeout=240)
    finally:
        server.terminate()
        server.wait()
    assert done.returncode == 0, "\n".join(
        line for line in done.stdout.splitlines() if line.startswith("FAIL")
    )
