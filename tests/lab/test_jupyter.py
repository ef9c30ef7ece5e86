from __future__ import annotations

import os
import signal
import socket
import stat
import urllib.error
import urllib.request

import pytest

from labkit.errors import PortTaken, ServiceError
from labkit.lab import jupyter
from labkit.settings import Settings


@pytest.fixture
def lab(tmp_path):
    settings = Settings.create(tmp_path / "lab")
    settings.notebooks.mkdir()
    (settings.notebooks / "01-next.ipynb").write_text("{}", encoding="utf-8")
    (settings.notebooks / "00-tour.ipynb").write_text("{}", encoding="utf-8")
    return settings


def test_the_first_notebook_is_the_first_by_name(lab):
    assert jupyter.first_notebook(lab) == "notebooks/00-tour.ipynb"


def test_without_notebooks_there_is_no_first(tmp_path):
    assert jupyter.first_notebook(Settings.create(tmp_path)) == ""


def test_a_port_that_was_asked_for_and_is_taken_is_said(lab):
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(PortTaken) as caught:
        jupyter.start(lab, port=server.getsockname()[1])
    assert "free one" in caught.value.fix


def test_jupyterlab_starts_on_the_first_notebook_and_stops_cleanly(lab):
    running = jupyter.start(lab)
    try:
        address, _, token = running.url.partition("?token=")
        assert address.endswith("/lab/tree/notebooks/00-tour.ipynb")
        with urllib.request.urlopen(
            f"{address.split('/lab')[0]}/api/status?token={token}", timeout=20
        ) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address.split('/lab')[0]}/api/status", timeout=20)
        caught.value.close()
        assert caught.value.code == 403
        command_line = " ".join(map(str, running.process.args))
        assert token not in command_line
        if os.name == "posix":
            assert stat.S_IMODE((lab.state / "jupyter-token").stat().st_mode) == 0o600
    finally:
        running.stop()
    assert running.process.returncode in (0, -signal.SIGTERM)
    port = lab.remembered()["jupyter_port"]
    with socket.create_server(("127.0.0.1", port)):
        pass  # it has let go of its port


def test_a_jupyterlab_that_does_not_start_says_where_its_log_is(lab, monkeypatch):
    monkeypatch.setattr(jupyter, "_launch", lambda *_: _ended())
    with pytest.raises(ServiceError, match="JupyterLab ended") as caught:
        jupyter.start(lab)
    assert caught.value.where.endswith("jupyter.log")


def _ended():
    import subprocess
    import sys

    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    return process
