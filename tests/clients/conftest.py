"""A sandbox with controllers and a node, and clients that know nothing of it but a kubeconfig."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import uuid

import pytest

from labkit.cluster import provider


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory):
    sandboxes = provider("sandbox", tmp_path_factory.mktemp("clients"))
    sandboxes.create("clients")
    yield sandboxes.kubeconfig("clients")
    sandboxes.delete("clients")


@pytest.fixture
def namespace():
    return f"client-{uuid.uuid4().hex[:8]}"


def _program(name, kubeconfig, *, cwd):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")

    def run(*arguments, fails=False, stdin=None):
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(cwd), "NO_PROXY": "127.0.0.1"}
        command = [shutil.which(name), "--kubeconfig", str(kubeconfig), *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=90,
            env=environment,
            cwd=cwd,
            input=stdin,
            check=False,
        )
        assert (done.returncode != 0) is fails, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture
def kubectl(kubeconfig, namespace, tmp_path):
    """kubectl in a namespace of the test's own."""
    run = _program("kubectl", kubeconfig, cwd=tmp_path)
    run("create", "namespace", namespace)
    run("config", "view")  # the file is left as it is: the namespace is named each time
    yield lambda *arguments, **options: run("--namespace", namespace, *arguments, **options)
    run("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def helm(kubeconfig, namespace, tmp_path):
    """helm with a namespace of the test's own."""
    run = _program("helm", kubeconfig, cwd=tmp_path)
    return lambda *arguments, **options: run("--namespace", namespace, *arguments, **options)


@pytest.fixture(scope="session")
def fast_cluster(tmp_path_factory):
    """A sandbox whose clock runs thirty times as fast: what takes minutes elsewhere can be watched."""
    folder = tmp_path_factory.mktemp("fast") / "cluster"
    command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(folder), "--clock-speed", "30"]
    with (folder.parent / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    until(lambda: (folder / "sandbox.json").exists() or process.poll() is not None)
    assert process.poll() is None, (folder.parent / "sandbox.log").read_text()
    yield folder / "kubeconfig"
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def fast_kubectl(fast_cluster, namespace, tmp_path):
    """kubectl on the fast cluster, in a namespace of the test's own."""
    run = _program("kubectl", fast_cluster, cwd=tmp_path)
    run("create", "namespace", namespace)
    yield lambda *arguments, **options: run("--namespace", namespace, *arguments, **options)
    run("delete", "namespace", namespace, "--wait=false")


def until(condition, seconds=90):
    """Wait until the condition gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)
    return found
