"""The lab's own simulated cluster: one Python process for each, started beside us and outliving us.

The process is found again by the file that it writes when it is ready. A pid alone proves nothing (after a crash
or a restart of the machine it may be anybody's), so it counts only if that process runs the sandbox in that
folder. Nothing is ever sent to a process that is not ours.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from labkit.cluster.client import Cluster
from labkit.cluster.providers.processes import adopt, alive, command_line, wait_for_end
from labkit.cluster.providers.provider import ClusterState, checked_name
from labkit.errors import BadRequest, ClusterError, ClusterUnreachable, NotFound
from labkit.settings import FileLock, child_environment, explained

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.cluster.confirmation import Confirm

Rows = list[dict[str, Any]]

READY_SECONDS = 20.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.01
_TAIL_LINES = 12
_LOG_BYTES = 1 << 20
_MODULE = "labkit.sandbox"
_OWNER = "owner"  # its lock is held by whoever the process is not to outlive


class SandboxProvider:
    """Sandbox clusters, one folder each in ``directory``.

    ``ready_seconds`` bounds how long a start may take; ``arguments`` are added to the server's command line.
    """

    name = "sandbox"

    def __init__(
        self, directory: Path, *, ready_seconds: float = READY_SECONDS, arguments: tuple[str, ...] = ()
    ) -> None:
        self._directory = directory.absolute()
        self._ready_seconds = ready_seconds
        self._arguments = arguments

    def create(self, name: str) -> ClusterState:
        """Make the cluster if need be, and start it."""
        folder = self._folder(name)
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.start(name)

    def delete(self, name: str) -> None:
        """Stop the cluster and remove its folder."""
        folder = self._folder(name)
        if not folder.exists():
            return
        self.stop(name)
        with explained(folder):
            shutil.rmtree(folder)

    def start(self, name: str) -> ClusterState:
        """Start the cluster's process unless it runs; returns when its API answers.

        Raises `ClusterError` with the end of the process's log if it does not come up in time.
        """
        folder = self._existing(name)
        with FileLock(folder / "start.lock") as turn:
            if not turn.acquire(timeout=self._ready_seconds + STOP_SECONDS):
                raise ClusterError(
                    "another process has been starting this cluster for too long",
                    where=f"{folder} (pid {turn.holder()})",
                    fix="End that process, then try again.",
                )
            if self.status(name).state != "running":
                self._launch(folder)
        return self.status(name)

    def own(self, name: str) -> FileLock | None:
        """Let the cluster's process end some seconds after this one, however that ends; hold what comes back.

        A cluster that runs already, and that nobody owns, was started by a person: it is left to him (None).
        """
        folder = self._folder(name)
        owner = folder / _OWNER
        if folder.exists() and self.status(name).state == "running" and not owner.exists():
            return None
        lock = FileLock(owner)
        return lock if lock.acquire(timeout=STOP_SECONDS) else None

    def stop(self, name: str) -> None:
        """Ask the process to end, and end it if it does not."""
        folder = self._folder(name)
        pid = _pid(folder)
        if pid is None:
            return
        for sign in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            if wait_for_end(pid, STOP_SECONDS):
                (folder / "sandbox.json").unlink(missing_ok=True)
                return
        raise ClusterError(
            "the process does not end", where=f"pid {pid}", fix=f"End it by hand: kill -9 {pid}"
        )

    def list(self) -> list[ClusterState]:
        """The sandboxes in the lab's folder."""
        folders = sorted(path.parent for path in self._directory.glob("*/sandbox.log"))
        return [self.status(folder.name) for folder in folders]

    def status(self, name: str) -> ClusterState:
        """Whether its process runs."""
        folder = self._existing(name)
        pid = _pid(folder)
        url = str(_ready(folder).get("url", ""))
        return ClusterState(name, self.name, "running" if pid else "stopped", url, pid)

    def kubeconfig(self, name: str) -> Path:
        """The cluster's kubeconfig; its address holds while the cluster runs."""
        return self._existing(name) / "kubeconfig"

    def connect(self, name: str, *, confirm: Confirm | None = None) -> Cluster:
        """The cluster; it is the lab's own, so a write asks nobody."""
        return Cluster.from_kubeconfig(self.kubeconfig(name), own=True, confirm=confirm)

    def snapshots(self, name: str) -> Rows:
        """The cluster's snapshots, oldest first: ``name``, ``created``, ``bytes``."""
        found: Rows = self._snapshots(name, "GET")["items"]
        return found

    def snapshot(self, name: str, snapshot: str) -> dict[str, Any]:
        """Save the running cluster's state under a name; an older one of that name is replaced."""
        return self._snapshots(name, "PUT", _part(snapshot))

    def restore(self, name: str, snapshot: str) -> dict[str, Any]:
        """Make the running cluster's state what it was. Raises `ClusterError` for a snapshot that there is not."""
        return self._snapshots(name, "POST", f"{_part(snapshot)}/restore")

    def forget(self, name: str, snapshot: str) -> dict[str, Any]:
        """Delete a snapshot."""
        return self._snapshots(name, "DELETE", _part(snapshot))

    def _snapshots(self, name: str, method: str, path: str = "") -> dict[str, Any]:
        if self.status(name).state != "running":
            raise ClusterError(
                f"cluster {name} does not run, and only a running one saves and restores its state",
                where=name,
                fix=f"labkit up, or labkit cluster create {name}, starts it.",
            )
        with self.connect(name) as cluster:
            try:
                answer = cluster.raw(f"/sandbox/snapshots/{path}".rstrip("/"), method)
            except (BadRequest, NotFound) as error:
                fix = f"labkit cluster snapshot --cluster {name} lists them, and with a NAME makes one."
                raise ClusterError(error.problem, where=name, fix=fix) from error
        found: dict[str, Any] = orjson.loads(answer)
        return found

    def log(self, name: str) -> Path:
        """What the process wrote."""
        return self._folder(name) / "sandbox.log"

    def _folder(self, name: str) -> Path:
        return self._directory / checked_name(name)

    def _existing(self, name: str) -> Path:
        folder = self._folder(name)
        if not folder.is_dir():
            raise ClusterError(
                f"there is no cluster {name!r} in this lab",
                where=str(folder),
                fix=f"labkit cluster create {name}",
            )
        return folder

    def _launch(self, folder: Path) -> None:
        ready = folder / "sandbox.json"
        ready.unlink(missing_ok=True)
        if FileLock(folder / _OWNER).holder() is None:
            (folder / _OWNER).unlink(missing_ok=True)  # of a service that has ended
        log = folder / "sandbox.log"
        begin = _rotate(log)
        command = [sys.executable, "-m", _MODULE, "--dir", str(folder), *self._arguments]
        with explained(log), open(log, "ab", opener=_private) as output:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                env=child_environment(), **_detached(),
            )  # fmt: skip
        adopt(process)
        try:
            self._await(process, folder)
        except BaseException as error:
            process.kill()
            process.wait()
            ready.unlink(missing_ok=True)
            if isinstance(error, _NotReady):
                raise _failed(str(error), log, begin) from error
            raise

    def _await(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        until = time.monotonic() + self._ready_seconds
        while not _ready(folder):
            if process.poll() is not None:
                raise _NotReady(f"the sandbox ended with exit code {process.returncode} before it was ready")
            if time.monotonic() > until:
                raise _NotReady(f"the sandbox was not ready after {self._ready_seconds:g} s")
            time.sleep(_POLL_SECONDS)
        with Cluster.from_kubeconfig(
            folder / "kubeconfig", own=True, read_seconds=self._ready_seconds
        ) as cluster:
            try:
                cluster.raw("/readyz")
            except ClusterUnreachable as error:
                raise _NotReady(f"the sandbox does not answer: {error.problem}") from error


class _NotReady(Exception):
    """A start that failed; becomes a `ClusterError` with the log's tail, and never leaves this file."""


def _ready(folder: Path) -> dict[str, Any]:
    """What the process said when it was ready; empty where there is nothing (or half a line) yet."""
    try:
        found = orjson.loads((folder / "sandbox.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _pid(folder: Path) -> int | None:
    """The process that serves this folder; None if there is none, or if the pid is somebody else's by now."""
    pid = _ready(folder).get("pid")
    if not isinstance(pid, int) or pid <= 0 or not alive(pid):
        return None
    words = command_line(pid)
    return pid if words is None or (_MODULE in words and str(folder) in words) else None


def _failed(problem: str, log: Path, begin: int) -> ClusterError:
    with log.open("rb") as file:
        file.seek(begin)
        said = file.read().decode("utf-8", "replace").strip().splitlines()[-_TAIL_LINES:]
    tail = "\n".join(f"  | {line}" for line in said)
    return ClusterError(
        f"{problem}\n{tail}" if tail else problem,
        where=str(log),
        fix="labkit doctor says what is missing; labkit cluster delete and create begin anew.",
    )


def _rotate(log: Path) -> int:
    """Begin the log anew when it is large; hands back where this start's part begins."""
    size = log.stat().st_size if log.exists() else 0
    if size < _LOG_BYTES:
        return size
    log.replace(log.with_suffix(".log.1"))
    return 0


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _detached() -> dict[str, Any]:
    """A process that Ctrl-C at our terminal, and our own end, leave alone."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}


def _part(snapshot: str) -> str:
    """A snapshot's name as one part of a path. No slash is in one, and a server may read an escaped one as such."""
    if "/" in snapshot or not snapshot.strip("."):
        raise ClusterError(
            f"a snapshot cannot be called {snapshot!r}",
            where="name",
            fix="Use lower-case letters, digits, '-' and '.', at most 63.",
        )
    return quote(snapshot, safe="")
