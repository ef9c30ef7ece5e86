"""A real server: uvicorn in a thread, on a port of its own, serving a forge in a temporary folder."""

from __future__ import annotations

import queue
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from serving import run_server

from labkit.forge import Forge, ForgeApp, PushEvent, app
from labkit.git import Credential, WorkingCopy

CREDENTIAL = Credential("lab", "s3cret-t0ken/with:odd@signs")


@dataclass
class Server:
    forge: Forge
    app: ForgeApp
    url: str
    credential: Credential = CREDENTIAL
    events: queue.Queue[PushEvent] = field(default_factory=queue.Queue)

    def clone(self, name: str, path: Path) -> WorkingCopy:
        return WorkingCopy.clone(self.forge.get(name).clone_url(self.credential), path)

    def next_event(self) -> PushEvent:
        return self.events.get(timeout=10)


@pytest.fixture
def serve():
    """Serves an application until the test ends; returns the port."""
    stops = []

    def start(application):
        port, stop = run_server(application)
        stops.append(stop)
        return port

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def server(tmp_path, serve):
    events: queue.Queue[PushEvent] = queue.Queue()
    forge = Forge(tmp_path / "repos")
    application = app(forge, credentials=CREDENTIAL, on_push=events.put)
    port = serve(application)
    forge.base_url = f"http://127.0.0.1:{port}"
    return Server(forge, application, forge.base_url, events=events)


@pytest.fixture
def sh(tmp_path):
    """Runs plain git as a person would, with a home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "no_proxy": "127.0.0.1",
    }  # fmt: skip

    def run(*args, cwd=tmp_path, check=True, **more):
        return subprocess.run(
            ["git", *args], cwd=cwd, env=env | more, check=check, capture_output=True, text=True, timeout=60
        )

    return run
