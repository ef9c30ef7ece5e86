"""The lab's service as a background process: start it, find it, stop it.

It runs detached, so that it outlives the notebook or shell that started it. Three facts keep this simple at
any crash: the service holds ``.lab/service.lock`` for its life (so a stale ``service.json`` cannot deceive),
whoever starts it holds ``.lab/up.lock`` meanwhile (so two starts make one service), and the new service
says on its standard output how far it is (so nobody sleeps and polls).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

from labkit import errors
from labkit.errors import ServiceError, ServiceNotRunning
from labkit.lab.service_client import ServiceClient
from labkit.settings import ServiceRecord, Settings, child_environment, explained

if TYPE_CHECKING:
    from collections.abc import Callable

START_SECONDS = 60.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Started:
    """The running service, and what a person should know about its start."""

    record: ServiceRecord
    already: bool = False
    notices: list[str] = field(default_factory=list)


class Background:
    """The service process of one lab folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = settings.lock("service")

    def running(self) -> ServiceRecord | None:
        """The service, if it runs and answers."""
        record = self.settings.service()
        if record is None or self._lock.holder() != record.pid:
            return None  # the token is shown to nobody but our own service: that port may be another's by now
        return record if _answers(record) else None

    def client(self, token: str = "") -> ServiceClient:
        """The running service's API, with a token or as the lab's owner; `ServiceNotRunning` if there is none."""
        record = self.running()
        if record is None:
            raise ServiceNotRunning(
                "the lab is not running",
                where=str(self.settings.home),
                fix=f"Start it: {self._command('up')}",
            )
        return ServiceClient(record.url, token or self.settings.token())

    def start(
        self,
        *,
        cluster: str = "",
        port: int = 0,
        agreed: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> Started:
        """Make sure that the service runs; returns when it is ready.

        ``cluster`` is ``sandbox``, ``kind`` or ``context:NAME`` (empty: as last time), ``port`` the one port
        to use (0: as last time, or any that is free). ``agreed`` says that the person agreed to the use of a
        cluster that is not the lab's. ``progress`` is told each stage. Raises what made the
        start fail, or `ServiceError` after a minute.
        """
        tell = progress or (lambda _: None)
        Settings.create(self.settings.home)
        with self.settings.lock("up") as lock:
            if not lock.acquire(timeout=START_SECONDS):
                raise ServiceError(
                    "another `labkit up` has been starting this lab for a minute",
                    where=str(self.settings.home),
                    fix=f"Look into {self.settings.log}; then {self._command('down')}",
                )
            if record := self.running():
                return Started(record, already=True)
            if self._lock.holder() is not None and (record := self._other()):
                return Started(record, already=True)
            return self._launch(cluster, port, tell, agreed=agreed)

    def stop(self) -> bool:
        """End the service and wait until it has ended; says whether one ran."""
        pid = self._lock.holder()
        if pid is None:
            self.settings.forget_service()
            return False
        record = self.running()
        if record is not None:
            with contextlib.suppress(errors.LabError):
                ServiceClient(record.url, self.settings.token(), timeout=5).post("/api/v1/shutdown")
        else:
            _signal(pid, signal.SIGTERM)
        if not self._ended(STOP_SECONDS):
            _signal(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            if not self._ended(STOP_SECONDS):
                raise ServiceError(
                    f"process {pid} does not end", where=str(self.settings.log), fix=f"kill {pid}"
                )
        self.settings.forget_service()
        return True

    def _launch(self, cluster: str, port: int, tell: Callable[[str], None], *, agreed: bool) -> Started:
        command = [sys.executable, "-m", "labkit.service", "--lab", str(self.settings.home), "--announce"]
        command += ["--cluster", cluster] if cluster else []
        command += ["--port", str(port)] if port else []
        command += ["--agreed"] if agreed else []
        with explained(self.settings.log), self.settings.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.settings.home,
                env=child_environment(),
                **_detached(),
            )
        stream = cast("IO[bytes]", process.stdout)
        try:
            return _await_ready(stream, tell, self.settings)
        except BaseException:  # Ctrl-C too: what was started only halfway is not left behind
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            raise
        finally:
            stream.close()
            _let_go(process)

    def _other(self) -> ServiceRecord | None:
        """A service whose starter was killed is on its way; nobody tells us when it is ready.

        ``None`` if it ends before: what we saw may have been the last moment of one that was killed.
        """
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if record := self.running():
                return record
            if self._lock.holder() is None:
                return None
            time.sleep(0.05)
        raise ServiceError(
            "the lab's service does not answer",
            where=str(self.settings.log),
            fix=f"{self._command('down')}, then {self._command('up')}",
        )

    def _ended(self, seconds: float) -> bool:
        with self.settings.lock("service") as lock:
            return lock.acquire(timeout=seconds)

    def _command(self, verb: str) -> str:
        return f"labkit --lab {self.settings.home} {verb}"


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """It goes on without us; but while we live, as a notebook does for hours, its end leaves no zombie."""
    if process.returncode is not None:
        return
    process.returncode = 0  # else Python would warn that nobody waited
    if os.name == "posix":
        threading.Thread(target=_reap, args=(process.pid,), daemon=True).start()


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _detached() -> dict[str, Any]:
    """How a child outlives the terminal that started it, on this system."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _await_ready(stream: IO[bytes], tell: Callable[[str], None], settings: Settings) -> Started:
    notices: list[str] = []
    for line in stream:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # some library printed
        if "stage" in said:
            tell(said["stage"])
        elif "notice" in said:
            notices.append(said["notice"])
        elif "error" in said:
            raise _started_error(said["error"])
        elif "ready" in said:
            record = settings.service()
            if record is not None:
                return Started(record, notices=notices)
    raise ServiceError(
        "the service ended while it started",
        where=str(settings.log),
        fix="The log says why; labkit doctor may too.",
    )


def _started_error(facts: dict[str, str]) -> errors.LabError:
    kind = getattr(errors, facts.get("kind", ""), ServiceError)
    if not (isinstance(kind, type) and issubclass(kind, errors.LabError)):
        kind = ServiceError
    return kind(facts["problem"], where=facts.get("where", ""), fix=facts.get("fix", ""))


def _answers(record: ServiceRecord) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
