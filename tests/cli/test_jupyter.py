from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from labkit.lab.background import Background
from labkit.lab.layout import lay_out

pytestmark = pytest.mark.timeout(180)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path):
    return lay_out(tmp_path / "lab").settings


def test_lab_prints_an_address_that_opens_and_ctrl_c_stops_everything(settings, clean_environment):
    command = [sys.executable, "-m", "labkit.cli", "--lab", str(settings.home), "lab", "--no-browser"]
    environment = clean_environment | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            address = process.stdout.readline().removeprefix("JupyterLab: ").strip()
            base, _, token = address.partition("?token=")
            with urllib.request.urlopen(
                f"{base.split('/lab')[0]}/api/contents?token={token}", timeout=20
            ) as answer:
                names = {entry["name"] for entry in json.load(answer)["content"]}
            assert {"charts", "work"} <= names
            assert ".lab" not in names
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "Traceback" not in out + errors
    assert Background(settings).running() is None
    with pytest.raises(OSError, match=r"refused|unreachable"):
        urllib.request.urlopen(base, timeout=5)


def test_a_lab_that_was_up_before_goes_on_when_jupyterlab_is_stopped(settings, clean_environment, labkit):
    home = str(settings.home)
    assert labkit("--lab", home, "up").returncode == 0
    command = [sys.executable, "-m", "labkit.cli", "--lab", home, "lab", "--no-browser"]
    environment = clean_environment | {"PYTHONPATH": str(ROOT)}
    try:
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            process.stdout.readline()
            process.terminate()
            errors = ""
            while "Stopping JupyterLab" not in errors:
                line = process.stderr.readline()
                assert line, errors
                errors += line
            process.send_signal(signal.SIGINT)  # pressed once more: it ends in good order all the same
            _, rest = process.communicate(timeout=60)
            errors += rest
        assert process.returncode == 0
        assert "goes on running" in errors
        assert labkit("--lab", home, "status").returncode == 0
    finally:
        labkit("--lab", home, "down")
