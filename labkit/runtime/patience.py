"""Who waits for a host that takes long: a few, and not everybody.

The engine has a handful of workers for all applications. Without a rule, a single host that takes connections and
says nothing would soon have all of them waiting. So only so many requests to a host may take long at a time, and
whoever comes then is told `RepositoryBusy` at once, to come again. A host that used up its time once is asked by one
caller at a time until it answers, and left alone for a while between.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.errors import LabError, RepositoryBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = 1.0
"""Seconds after which a request takes long. Nobody waits longer than this for another's."""

AT_ONCE = 2
"""Requests to one host that may take long at the same time."""

AWAY = 20.0
"""Seconds for which a host that used up its time is not asked again."""

_ADVICE = "It is asked again by itself; check the network and the host if this stays."


class Turn:
    """A lock on one repository; who finds it taken by a request that takes long gets `RepositoryBusy`."""

    def __init__(self, where: str, monotonic: Callable[[], float]) -> None:
        self._where, self._monotonic = where, monotonic
        self._lock = threading.Lock()
        self._since = 0.0

    def __enter__(self) -> None:
        while not self._lock.acquire(blocking=False):
            # A queue of quick ones is waited for; the clock is that of whoever has the turn now.
            left = LONG - (self._monotonic() - self._since)
            if left > 0 and self._lock.acquire(timeout=left):
                break
            if LONG - (self._monotonic() - self._since) <= 0:
                problem = "Another request to this repository is under way and takes long."
                raise RepositoryBusy(problem, where=self._where, fix=_ADVICE)
        self._since = self._monotonic()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@dataclass(slots=True)
class _Host:
    """What is under way to one host, by when it began; and how it failed, if it took long to."""

    began: dict[int, float] = field(default_factory=dict)
    failure: LabError | None = None
    failed: float = 0.0


class Patience:
    """Watches over the requests to all hosts; ``away`` is the error of one that does not answer. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float], away: type[LabError]) -> None:
        self._monotonic, self._away = monotonic, away
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._visits = 0

    @contextmanager
    def visit(self, name: str, where: str) -> Iterator[None]:
        """Around a request to the host of that name. `RepositoryBusy` or its last failure where it is not asked."""
        began = self._monotonic()
        with self._lock:
            host = self._hosts.setdefault(name, _Host())
            self._refuse(host, began, where)
            self._visits += 1
            visit = self._visits
            host.began[visit] = began
        failure: LabError | None = None
        try:
            yield
        except self._away as error:
            failure = error if type(error) is self._away else None  # that something is not there is an answer
            raise
        finally:
            with self._lock:
                del host.began[visit]
                now = self._monotonic()
                if failure is None:
                    host.failure = None
                elif now - began > LONG:  # one that fails quickly keeps nobody waiting
                    host.failure, host.failed = failure, now

    def _refuse(self, host: _Host, now: float, where: str) -> None:
        known = host.failure
        if known is not None and now - host.failed < AWAY:
            raise type(known)(known.problem, where=where, fix=known.fix)
        late = sum(now - began > LONG for began in host.began.values())
        if late >= AT_ONCE or (known is not None and host.began):
            problem = f"{len(host.began)} requests to this host are under way and take long."
            raise RepositoryBusy(problem, where=where, fix=_ADVICE)
