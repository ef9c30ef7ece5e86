"""The control loop: a queue of keys, and a ``reconcile(key)`` that brings one a step nearer to what is wanted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from labkit.errors import Conflict, Forbidden, LabError
from labkit.runtime.queue import WorkQueue

if TYPE_CHECKING:
    from labkit.k8s.objects import Object
    from labkit.runtime.clock import Clock
    from labkit.runtime.informer import Informer

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Result:
    """What a reconcile asks for beyond "done": to be called again after so many seconds."""

    requeue_after: float | None = None


class Controller(Generic[Key]):
    """Calls ``reconcile(key)`` for each key that something happened to, one at a time per key.

    A reconcile that raises is tried again with growing delays; a `Conflict` (somebody wrote first) is no error but a
    reason to look again. It may be hosted by threads (`start`) or stepped by an event loop (`step`).
    """

    def __init__(self, name: str, reconcile: Callable[[Key], Result | None], clock: Clock) -> None:
        self.name = name
        self.queue: WorkQueue[Key] = WorkQueue(clock)
        self.wake: Callable[[], None] = lambda: None
        self._reconcile = reconcile
        self._threads: list[threading.Thread] = []
        self._log = logging.getLogger(f"{__name__}.{name}")

    def enqueue(self, key: Key) -> None:
        """Something happened to the object of that key."""
        self.queue.add(key)
        self.wake()

    def enqueue_after(self, key: Key, seconds: float) -> None:
        """Look at the key again in ``seconds``."""
        self.queue.add_after(key, seconds)
        self.wake()

    def watch(self, informer: Informer, keys: Callable[[Object], Iterable[Key]]) -> None:
        """Reconcile the keys of each object that changes, as it is and as it was before."""

        def changed(_event: str, obj: Object, old: Object | None) -> None:
            for key in dict.fromkeys([*keys(obj), *(keys(old) if old is not None else ())]):
                self.enqueue(key)

        informer.on_change(changed)

    def step(self) -> bool:
        """Reconcile one key if one is ready; says whether one was."""
        key = self.queue.get(timeout=0)
        if key is None:
            return False
        self._work(key)
        return True

    def start(self, workers: int = 1) -> None:
        """Host the controller in threads."""
        for number in range(workers):
            thread = threading.Thread(target=self._run, name=f"{self.name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Hand out no more keys and wait for those in work."""
        self.queue.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(seconds)

    def _run(self) -> None:
        while (key := self.queue.get()) is not None:
            self._work(key)

    def _work(self, key: Key) -> None:
        try:
            result = self._reconcile(key)
        except Conflict:
            self.queue.add_rate_limited(key)
        except Forbidden as error:  # a rule of the cluster, a quota say, which the object itself tells
            self._log.debug("%s: %s", key, error)
            self.queue.add_rate_limited(key)
        except LabError as error:
            self._log.warning("%s: %s", key, error)
            self.queue.add_rate_limited(key)
        except Exception:  # a defect of ours must not end the loop for every other key
            self._log.exception("%s: reconcile failed", key)
            self.queue.add_rate_limited(key)
        else:
            self.queue.forget(key)
            if result is not None and result.requeue_after is not None:
                self.queue.add_after(key, result.requeue_after)
        finally:
            self.queue.done(key)
