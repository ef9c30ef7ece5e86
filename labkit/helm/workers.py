"""Worker processes kept warm: the near end of ``worker.py``.

A render costs a millisecond, starting the process that does it a quarter of a second. So a worker stays for the
next render and ends by itself when none comes. Whatever happens to it (a limit, a crash, the system's
out-of-memory killer) happens to it alone: the caller gets an error, and the next render a new worker.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from labkit.errors import HelmError

if TYPE_CHECKING:
    from collections.abc import Callable

Message = dict[str, Any]

PROGRAM = Path(__file__).with_name("worker.py")
IDLE_SECONDS = 60.0
START_SECONDS = 30.0  # how long Helm's library may take to load on a busy machine
GRACE_SECONDS = 1.0  # the worker ends itself at the limit; if it cannot, we end it a little later
MOST_WORKERS = 2


@dataclass(frozen=True)
class Limits:
    """What one render may use: ``seconds`` of time and ``megabytes`` of the worker's memory (70 when idle)."""

    seconds: float = 10.0
    megabytes: int = 512


class LimitMet(Exception):
    """The worker was ended by a limit: ``time`` or ``memory``."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class _Gone(Exception):
    """The worker ended without an answer."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Worker:
    """One process, used by one thread at a time. ``charts`` are the digests of those that it has loaded."""

    def __init__(self) -> None:
        self.charts: frozenset[str] = frozenset()
        self._process = subprocess.Popen(
            [_named_helm(), "-P", str(PROGRAM), str(IDLE_SECONDS)],
            executable=sys.executable,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._ended = threading.Event()
        self._answers: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True, name="helm-worker")
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether the process can still be asked."""
        return not self._ended.is_set()

    def ask(self, request: Message, limits: Limits, *, patience: float = 0.0) -> Message:
        """Send one request and wait for its answer, at most the limit's time plus ``patience`` seconds."""
        body = json.dumps(request | {"seconds": limits.seconds, "megabytes": limits.megabytes}).encode()
        try:
            self._requests.write(len(body).to_bytes(4, "big") + body)
            self._requests.flush()
            reply = self._answers.get(timeout=limits.seconds + GRACE_SECONDS + patience)
        except queue.Empty:
            self.end()
            raise LimitMet("time") from None
        except (OSError, ValueError):  # the other end, or our own, is closed: it has ended
            reply = None
        if reply is None:
            self.end()
            raise _Gone(self._process.returncode)
        if "limit" in reply:
            self.end()
            raise LimitMet(reply["limit"])
        self.charts = frozenset(reply.pop("charts"))
        return reply

    def end(self) -> None:
        """End the process now, and wait until it is gone."""
        self._process.kill()
        self._reader.join(timeout=5)

    def _read(self) -> None:
        with cast("IO[bytes]", self._process.stdout) as source:
            while len(head := source.read(4)) == 4:
                body = source.read(int.from_bytes(head, "big"))
                try:
                    self._answers.put(json.loads(body))
                except ValueError:
                    break  # cut off in the middle: the process died while it wrote
        self._process.wait()
        self._ended.set()
        with contextlib.suppress(OSError):
            self._requests.close()
        self._answers.put(None)


class Workers:
    """At most `MOST_WORKERS` workers, shared by all threads; started when needed."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WORKERS)

    def ask(self, request: Callable[[Worker], Message], limits: Limits) -> Message:
        """Have one request answered: ``request(worker)`` makes it for the worker that will do it.

        Raises `LimitMet` when it took too much. A worker that had ended by itself is replaced, once.
        """
        with self._places:
            for attempt in (1, 2):
                worker, new = self._take()
                try:
                    answer = worker.ask(request(worker), limits, patience=START_SECONDS if new else 0.0)
                except _Gone as gone:
                    self._drop(worker)
                    if attempt == 2 or gone.exit_code != 0:
                        raise _death(gone.exit_code) from None
                    continue  # it had been idle for too long, and ended a moment before we asked
                except BaseException:
                    self._drop(worker)
                    worker.end()
                    raise
                with self._lock:
                    self._idle.append(worker)
                return answer
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End every worker; the next request starts a new one."""
        with self._lock:
            workers, self._idle, self._all = self._all, [], set()
        for worker in workers:
            worker.end()

    def forget(self) -> None:
        """Begin anew without touching the workers there are: they belong to somebody else."""
        self._idle, self._all = [], set()
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WORKERS)

    def _take(self) -> tuple[Worker, bool]:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker, False
                self._all.discard(worker)
            worker = Worker()
            self._all.add(worker)
            return worker, True

    def _drop(self, worker: Worker) -> None:
        with self._lock:
            self._all.discard(worker)


def _named_helm() -> str:
    """The interpreter's path as if it were called ``helm``: its files are found from the folder that it is in.

    Helm's library takes the program's name for the name of the writer of a field (``kube.ManagedFieldsManager``).
    Under another name, the ``helm`` command could not change what the lab has applied, nor the lab what it has.
    """
    in_venv = sys.prefix != sys.base_prefix
    own = Path(sys.executable) if in_venv else Path(sys.executable).resolve()
    return str(own.with_name("helm"))


def _death(exit_code: int | None) -> Exception:
    """What the end of a worker means. Go aborts (signal 6, or 2) when the system's wall refuses it memory."""
    if exit_code in (-6, -9, 2, 134, 137):
        return LimitMet("memory")
    return HelmError(
        f"the process that renders charts ended unexpectedly (exit code {exit_code})",
        where="helm",
        fix="try again; if it stays, `labkit doctor` says whether Helm's library works on this machine",
    )


shared = Workers()
atexit.register(shared.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared.forget)  # a forked child must not share its parent's pipes
