"""A lock between processes that the system lets go of when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from typing import IO, TYPE_CHECKING, Self

from labkit.settings.files import explained

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> None:
        file.seek(0x7FFF_0000)  # far behind the holder's number, which others may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """One holder at a time; the file says which process that is (or was)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock, waiting up to ``timeout`` seconds; says whether it was got."""
        with explained(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("a+", encoding="utf-8")
        until = time.monotonic() + timeout
        while True:
            try:
                _try_lock(file)
            except OSError:
                if time.monotonic() >= until:
                    file.close()
                    return False
                time.sleep(0.02)  # there is no portable way to wait for another process's lock with a limit
            else:
                break
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        """Let go; nothing happens if this is not the holder."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process that holds the lock now, if any does."""
        probe = FileLock(self.path)
        if not self.path.exists():
            return None
        known = self._number()
        if probe.acquire():
            probe.release()
            return None
        return self._number() or known

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _number(self) -> int | None:
        try:
            return int(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
