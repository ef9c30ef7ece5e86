"""When a sandbox's process has to end by itself, so that no process is left that nobody knows of.

Two ends that nobody announces: the cluster's folder is deleted, or the service that started the process is killed with
``kill -9``.  Such an owner holds the lock of the file ``owner`` in the folder, which the system lets go of with the
process.  Where there is no such file, a person started the cluster, and it goes on until it is told to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labkit.settings import FileLock

if TYPE_CHECKING:
    from pathlib import Path

OWNER: Final = "owner"
LOOK_SECONDS: Final = 1.0
ORPHAN_SECONDS: Final = 15.0
"""Time for a service that is started again to take over what the killed one has left."""


class Life:
    """Why the process of a folder has to end, if it has; ``moment`` is a monotonic clock's."""

    def __init__(self, folder: Path, orphan_seconds: float) -> None:
        self._mark, self._owner = folder / "lock", folder / OWNER
        self._number = self._mark.stat().st_ino
        self._orphan_seconds = orphan_seconds
        self._alone_since: float | None = None

    def ended(self, moment: float) -> str:
        """The reason, or nothing."""
        try:
            if self._mark.stat().st_ino != self._number:
                return "its folder is another one now"
        except FileNotFoundError:
            return "its folder was deleted"
        except OSError:
            return ""  # nobody can say
        if not self._owner.exists() or FileLock(self._owner).holder() is not None:
            self._alone_since = None
            return ""
        if self._alone_since is None:
            self._alone_since = moment
        return "its owner was killed" if moment - self._alone_since >= self._orphan_seconds else ""
