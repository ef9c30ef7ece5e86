"""JupyterLab on the lab folder, as a child process.

Its settings, workspaces and log are kept in the lab folder, so that it neither sees nor changes a JupyterLab
that the person uses for something else. The token is the lab's and stays the same, so a bookmark goes on
working after a restart.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from labkit.errors import LabError, PortTaken, ServiceError
from labkit.settings import Settings, child_environment, explained, write_private

if TYPE_CHECKING:
    from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 10.0
_NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


@dataclass
class Jupyter:
    """A running JupyterLab: ``url`` opens it on the first notebook, and carries the token."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def wait(self) -> None:
        """Until it ends by itself, which is an error unless somebody shut it down from its own menu."""
        if self.process.wait() not in (0, -signal.SIGTERM):
            raise _ended(self.log)

    def stop(self) -> None:
        """End it and its kernels."""
        _stop(self.process)


def start(settings: Settings, *, port: int = 0) -> Jupyter:
    """Start JupyterLab for the lab folder; returns when it answers.

    ``port`` is the only one to use; 0 means the one of last time, or any that is free.
    """
    folder = settings.state / "jupyter"
    token = settings.token("jupyter-token")
    chosen = _port(port, settings.remembered().get("jupyter_port", 0))
    write_private(folder / "config" / "labconfig" / "page_config.json", json.dumps(_NO_NEWS))
    write_private(folder / "config" / "jupyter_server_config.json", json.dumps(_proxied(settings)))
    first = first_notebook(settings)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    command += [
        f"--ServerApp.port={chosen}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={settings.home}",
    ]
    command += ["--LabApp.extension_manager=readonly", "--LabApp.news_url="]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container, most often; on loopback with a token
        command.append("--allow-root")
    environment = child_environment(
        JUPYTER_TOKEN=token,  # not on the command line: every user of the machine can read those
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_DATA_DIR=str(folder / "data"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        LABKIT_HOME=str(settings.home),
    )
    log = settings.state / "jupyter.log"
    with explained(log), log.open("wb") as output:
        process = _launch(command, settings.home, environment, output)
    try:
        _wait_until_it_answers(process, chosen, log)
    except BaseException:  # Ctrl-C too
        _stop(process)
        raise
    settings.remember(jupyter_port=chosen)
    page = f"/lab/tree/{quote(first)}" if first else "/lab"
    return Jupyter(process, f"http://127.0.0.1:{chosen}{page}?token={token}", log)


def first_notebook(settings: Settings) -> str:
    """The first notebook by name, relative to the lab folder; empty if there is none."""
    found = sorted(settings.notebooks.glob("*.ipynb"))
    return found[0].relative_to(settings.home).as_posix() if found else ""


def _proxied(settings: Settings) -> dict[str, Any]:
    """The live picture inside JupyterLab, at ``/labkit/dashboard/``: its proxy opens it, the browser needs no token."""
    from labkit.dashboard.access import PROXY_HEADER, proxy_key

    record = settings.service()
    if record is None:
        return {}
    entry = {"enabled": True, "title": "Live picture", "path_info": "labkit/dashboard/", "category": "Other"}
    server = {
        "command": [],  # it runs already
        "port": record.port,
        "absolute_url": False,
        "new_browser_tab": False,
        "request_headers_override": {PROXY_HEADER: proxy_key(settings.token())},
        "launcher_entry": entry,
    }
    return {"ServerProxy": {"servers": {"labkit": server}}}


def _launch(
    command: list[str], home: Path, environment: dict[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    # Of its own session: Ctrl-C reaches us only, and we end it in good order.
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **detached
    )


def _port(asked: int, remembered: int) -> int:
    for candidate in (asked,) if asked else (remembered, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", candidate)) as server:
            return int(server.getsockname()[1])
    raise PortTaken(
        "another program listens there",
        where=f"127.0.0.1:{asked}",
        fix="Choose another port, or leave --port out and a free one is chosen.",
    )


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise _ended(log)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise ServiceError("JupyterLab does not answer", where=str(log), fix="The log says why.")


def _ended(log: Path) -> LabError:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    return ServiceError(
        f"JupyterLab ended: {last}", where=str(log), fix="The log says why; labkit doctor may too."
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
