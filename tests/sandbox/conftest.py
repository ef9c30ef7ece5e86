"""A sandbox process of the tests' own, and two ways to talk to it: bare HTTP, and real kubectl."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from simulation import simulation as simulated


class Server:
    """A running ``python -m labkit.sandbox``."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        ready = self.folder / "sandbox.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "labkit.sandbox", "--dir", str(self.folder), *self.options]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not ready.exists():
            assert self.process.poll() is None, "the sandbox ended before it was ready"
            assert time.monotonic() < deadline, "the sandbox did not become ready"
            time.sleep(0.01)
        return self

    def kill(self) -> None:
        """As the kernel would: no chance to say goodbye."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=10)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def http(self) -> Http:
        return Http(self.folder)


class Http:
    """Requests on one kept connection; `call` answers (status, body, headers)."""

    def __init__(self, folder: Path) -> None:
        state = json.loads((folder / "sandbox.json").read_text())
        context = ssl.create_default_context(cafile=folder / "tls" / "ca.crt")
        self.connection = http.client.HTTPSConnection("127.0.0.1", state["port"], context=context, timeout=20)
        self.token = (folder / "token").read_text().strip()

    def call(self, method, path, body=None, *, as_type="application/json", token=None, **headers):
        text = body if isinstance(body, (bytes, str, type(None))) else json.dumps(body)
        said = {"Content-Type": as_type} | {name.replace("_", "-"): value for name, value in headers.items()}
        if token != "":
            said["Authorization"] = f"Bearer {token or self.token}"
        self.connection.request(method, path, text, said)
        answer = self.connection.getresponse()
        data = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, json.loads(data) if "json" in kind else data.decode(), answer.headers

    def close(self) -> None:
        self.connection.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One API server without controllers for all tests that do not restart it."""
    folder = tmp_path_factory.mktemp("sandbox") / "cluster"
    folder.mkdir()
    server = Server(folder, "--without-controllers").start()
    yield server
    server.stop()


@pytest.fixture
def fresh(tmp_path):
    """Makes servers on a folder of the test's own; they end with the test."""
    made = []

    def start(name="cluster", *options):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        made.append(Server(folder, "--without-controllers", *options).start())
        return made[-1]

    yield start
    for server in made:
        server.stop()


@pytest.fixture
def api(server):
    client = server.http()
    yield client
    client.close()


@pytest.fixture
def namespace(api):
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    status, _, _ = api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert status == 201
    return name


@pytest.fixture
def config_maps(namespace):
    """The path of the namespace's ConfigMaps."""
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def kubectl(server, namespace):
    """Real kubectl in the test's namespace; answers its output, or the error's text."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")

    def run(*arguments, stdin=None, fails=False):
        command = ["kubectl", "--kubeconfig", str(server.kubeconfig), "--namespace", namespace, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30)
        assert (done.returncode != 0) is fails, done.stderr or done.stdout
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture
def simulation(tmp_path):
    """A cluster on a clock that the test turns."""
    with simulated(tmp_path) as made:
        yield made
