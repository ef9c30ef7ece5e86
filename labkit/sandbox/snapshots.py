"""Snapshots: the whole state of a cluster under a name, saved and restored in a moment while it runs.

A snapshot is a copy of the SQLite file in ``snapshots/``. Restoring one does not turn time back: what it changes are
writes of now, with resource versions that nobody has seen before, so that no client can take an old object for a new
one. Whoever watches is told 410 Gone and lists again, as after a restore of etcd; controllers and the kubelet begin
anew, as after a restart of the process.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import ApiError, BadRequest, NotFound, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labkit.sandbox.store import Store

JSON = dict[str, Any]

ROOT: Final = "/sandbox/snapshots"
"""Where the API serves them; no resource of Kubernetes, so that access to it is a matter of nonResourceURLs."""

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


class Snapshots:
    """The snapshots of one cluster, in a folder; ``quietly`` runs a function while nothing else works on the store."""

    def __init__(self, store: Store, folder: Path, quietly: Callable[[Callable[[], int]], int]) -> None:
        self._store, self._folder, self._quietly = store, folder, quietly

    def answer(self, method: str, path: str) -> JSON:
        """``GET`` lists, ``PUT NAME`` saves, ``POST NAME/restore`` restores, ``DELETE NAME`` forgets.

        Raises `BadRequest`, `NotFound`, and what the store raises.
        """
        parts = path.removeprefix(ROOT).strip("/").split("/")
        match method, parts:
            case "GET", [""]:
                return {"items": self.list()}
            case "PUT", [name] if name:
                return self.save(name)
            case "POST", [name, "restore"]:
                return self.restore(name)
            case "DELETE", [name] if name:
                return self.delete(name)
        raise NotFound(f"there is nothing at {path}")

    def list(self) -> list[JSON]:
        """All of them, oldest first."""
        found = [_described(path) for path in self._folder.glob("*.db")]
        return sorted(found, key=lambda one: (one["created"], one["name"]))

    def save(self, name: str) -> JSON:
        """Save the state as it is now; ``replaced`` says when the one was saved whose place it takes."""
        path = self._path(name)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        before = {"replaced": _described(path)["created"]} if path.exists() else {}
        self._store.save(path)
        return _described(path) | before

    def restore(self, name: str) -> JSON:
        """Make the state what it was; says how many objects that changed."""
        path = self._existing(name)
        try:
            changed = self._quietly(lambda: self._store.restore(path))
        except SettingsError as error:
            raise BadRequest(
                f"the snapshot {name} cannot be restored: {error.problem}; {error.fix}"
            ) from error
        return {**_described(path), "changed": changed}

    def delete(self, name: str) -> JSON:
        """Forget it."""
        path = self._existing(name)
        found = _described(path)
        path.unlink()
        return found

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f'a snapshot cannot be called "{name}": use lower-case letters, digits, "-" and ".", at most 63'
            )
        return self._folder / f"{name}.db"

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.exists():
            known = ", ".join(one["name"] for one in self.list()) or "none"
            raise NotFound(f'there is no snapshot "{name}"; there are: {known}')
        return path


def _described(path: Path) -> JSON:
    try:
        found = path.stat()
    except OSError as error:
        raise ApiError(f"the snapshot {path.stem} cannot be read: {error.strerror}") from error
    moment = datetime.fromtimestamp(found.st_mtime, UTC)
    return {"name": path.stem, "created": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "bytes": found.st_size}
