"""kubectl top and get on metrics.k8s.io, against a sandbox that runs, at thirty times the speed of time."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest

from .conftest import Server


@pytest.fixture
def kubectl(tmp_path):
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    folder = tmp_path / "cluster"
    folder.mkdir()
    server = Server(folder, "--clock-speed", "30").start()

    def run(*arguments, fails=False):
        command = ["kubectl", "--kubeconfig", str(server.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode != 0) is fails, done.stderr or done.stdout
        return done.stderr if fails else done.stdout

    yield run
    server.stop()


def wait_for_metrics(kubectl):
    """Until the pod has run long enough for an average."""
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = json.loads(kubectl("get", "podmetrics", "-o", "json"))
        if found["items"]:
            return
        time.sleep(0.1)
    raise AssertionError("no metrics within a minute")


def test_top_shows_pods_containers_and_nodes(kubectl):
    kubectl("run", "web", "--image=nginx")
    wait_for_metrics(kubectl)
    assert kubectl("top", "pods").splitlines()[1].split() == ["web", "1m", "8Mi"]
    assert kubectl("top", "pods", "--containers", "--sort-by=cpu").splitlines()[1].split()[:2] == [
        "web",
        "web",
    ]
    assert "web" in kubectl("top", "pods", "-l", "run=web")
    node = kubectl("top", "nodes").splitlines()[1].split()
    assert node[2].endswith("%")
    assert int(node[1].removesuffix("m")) >= 80
    assert kubectl("get", "podmetrics").splitlines()[0].split() == ["NAME", "CPU", "MEMORY", "WINDOW"]
    assert "not found" in kubectl("top", "pod", "gone", fails=True)
