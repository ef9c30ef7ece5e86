"""Objects on disk, and the order in which they changed.

What etcd is to Kubernetes: a map from (resource, namespace, name) to bytes in which every write gets the next
*revision* of one counter, the ``resourceVersion`` that clients see.  The last writes are kept as a history, so
that a watch can go on where it was and a long list can be read page by page as it was at its start.

SQLite in WAL mode, one writer.  A write is in the file before memory or a subscriber hears of it: what was
answered is still there after ``kill -9``, and a full disk is an error, not a loss.
"""

from __future__ import annotations

import contextlib
import sqlite3
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from labkit.errors import ApiError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Object = dict[str, Any]
Listed = list[tuple["Key", "Entry"]]
Changes = list["Change"]
Resources = list[str]

FORMAT: Final = 1
HISTORY: Final = 4096  # revisions kept at least; twice as many at most

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"

_SCHEMA = """
CREATE TABLE object (resource TEXT, namespace TEXT, name TEXT, revision INTEGER NOT NULL, value BLOB NOT NULL,
                     PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
CREATE TABLE history (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL,
                      name TEXT NOT NULL, value BLOB, previous BLOB);
CREATE TABLE counter (revision INTEGER NOT NULL, compacted INTEGER NOT NULL);
INSERT INTO counter VALUES (1, 1);
"""


class Key(NamedTuple):
    """Where an object is: the resource (``deployments.apps``, ``configmaps``), its namespace or "", its name."""

    resource: str
    namespace: str
    name: str


class StorageFull(ApiError):
    """507: the disk has no room for this write; nothing was written."""

    code, reason = 507, "InsufficientStorage"


class Entry(NamedTuple):
    """An object as it is kept: its JSON without ``kind`` and ``apiVersion``, and its labels for selectors."""

    revision: int
    value: bytes
    labels: dict[str, str]

    def decode(self) -> Object:
        """A copy of the object that the caller may change."""
        decoded: Object = orjson.loads(self.value)
        return decoded


@dataclass(frozen=True)
class Change:
    """One write.  `new` and `old` are decoded once and shared by all who look: read them, never change them."""

    revision: int
    key: Key
    value: bytes | None
    previous: bytes | None

    @property
    def type(self) -> str:
        """ADDED, MODIFIED or DELETED."""
        if self.value is None:
            return DELETED
        return ADDED if self.previous is None else MODIFIED

    @cached_property
    def new(self) -> Object | None:
        """The object after the write; None when it deleted it."""
        return orjson.loads(self.value) if self.value is not None else None

    @cached_property
    def old(self) -> Object | None:
        """The object before the write; None when it created it."""
        return orjson.loads(self.previous) if self.previous is not None else None

    @cached_property
    def last(self) -> Object:
        """The object after the write or, of one that is gone, its last state with the deletion's revision."""
        if self.new is not None:
            return self.new
        gone: Object = orjson.loads(self.previous or b"{}")
        gone.setdefault("metadata", {})["resourceVersion"] = str(self.revision)
        return gone


class Store:
    """The objects of one cluster, in one SQLite file.

    Raises `SettingsError` for a file that a newer version wrote or that is not a database.
    """

    def __init__(self, path: Path, *, history: int = HISTORY) -> None:
        self.path = path
        self._keep = history
        self._entries: dict[str, dict[tuple[str, str], Entry]] = {}
        self._order: dict[str, list[tuple[str, str]]] = {}
        self._subscribers: list[Callable[[Change], None]] = []
        self._db = _open(path)
        self.revision, self.compacted = self._db.execute("SELECT revision, compacted FROM counter").fetchone()
        for resource, namespace, name, revision, value in self._db.execute(
            "SELECT resource, namespace, name, revision, value FROM object ORDER BY resource, namespace, name"
        ):
            self._remember(
                Key(resource, namespace, name), Entry(revision, value, _labels(orjson.loads(value)))
            )

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._subscribers.clear()
        self._db.close()

    # ── reading ───────────────────────────────────────────────────────────────

    def get(self, key: Key) -> Entry | None:
        """The entry at `key`, or None."""
        return self._entries.get(key.resource, {}).get((key.namespace, key.name))

    def list(
        self, resource: str, namespace: str = "", *, after: tuple[str, str] | None = None
    ) -> Iterator[tuple[Key, Entry]]:
        """The resource's entries by namespace and name; of one namespace if named, and only those `after`."""
        order, entries = self._order.get(resource, []), self._entries.get(resource, {})
        start = bisect_left(order, (namespace, ""))
        if after is not None:
            start = max(start, bisect_right(order, after))
        for place in order[start:]:
            if namespace and place[0] != namespace:
                return
            yield Key(resource, *place), entries[place]

    def list_at(self, resource: str, namespace: str, revision: int) -> Listed:
        """The resource's entries as they were at `revision`.  Raises LookupError when that is compacted away."""
        if revision < self.compacted:
            raise LookupError(revision)
        then: dict[Key, Entry | None] = dict(self.list(resource, namespace))
        rows = self._db.execute(
            "SELECT namespace, name, previous FROM history WHERE revision > ? AND resource = ? ORDER BY revision DESC",
            (revision, resource),
        )
        for place_namespace, name, previous in rows:
            if namespace in ("", place_namespace):
                then[Key(resource, place_namespace, name)] = _entry(previous)
        return sorted((key, entry) for key, entry in then.items() if entry is not None)

    def readable(self) -> bool:
        """Whether the file still answers."""
        try:
            self._db.execute("SELECT revision FROM counter").fetchone()
        except sqlite3.Error:
            return False
        return True

    def count(self, resource: str) -> int:
        """How many objects the resource has."""
        return len(self._order.get(resource, ()))

    def resources(self) -> Resources:
        """The resources that have objects."""
        return [resource for resource, order in self._order.items() if order]

    def changes_since(self, revision: int, resource: str) -> Changes:
        """The resource's writes after `revision`, in order.  Raises LookupError when they are compacted away."""
        if revision < self.compacted:
            raise LookupError(revision)
        rows = self._db.execute(
            "SELECT revision, namespace, name, value, previous FROM history"
            " WHERE revision > ? AND resource = ? ORDER BY revision",
            (revision, resource),
        )
        return [
            Change(rev, Key(resource, ns, name), value, previous) for rev, ns, name, value, previous in rows
        ]

    # ── writing ───────────────────────────────────────────────────────────────

    def put(self, key: Key, obj: Object) -> Object:
        """Write `obj` (without kind and apiVersion) and give it the next revision; return it.

        Raises `StorageFull` when the disk is full; then nothing has changed.
        """
        revision = self.revision + 1
        obj["metadata"]["resourceVersion"] = str(revision)
        value = orjson.dumps(obj)
        before = self.get(key)
        change = Change(revision, key, value, before.value if before else None)
        self._commit(change)
        self._remember(key, Entry(revision, value, _labels(obj)))
        self._tell(change)
        return obj

    def delete(self, key: Key) -> Change:
        """Remove the object at `key`.  Raises KeyError when there is none, `StorageFull` on a full disk."""
        before = self._entries[key.resource][key.namespace, key.name]
        change = Change(self.revision + 1, key, None, before.value)
        self._commit(change)
        self._forget(key)
        self._tell(change)
        return change

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every write, in order; return what ends that.

        It is called in the middle of the write's own call: it takes note, and never writes.
        """
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def compact(self, revision: int) -> None:
        """Forget the history up to and including `revision`; watches from before it are told to list again."""
        with _transaction(self._db):
            self._db.execute("DELETE FROM history WHERE revision <= ?", (revision,))
            self._db.execute("UPDATE counter SET compacted = ?", (revision,))
        self.compacted = revision

    # ── snapshots ─────────────────────────────────────────────────────────────

    def save(self, path: Path) -> None:
        """Write a copy of everything to a file, in the place of an older one.  Raises `StorageFull`."""
        made = path.with_suffix(".new")
        made.unlink(missing_ok=True)
        try:
            self._db.execute("VACUUM INTO ?", (str(made),))
        except sqlite3.OperationalError as error:
            made.unlink(missing_ok=True)
            raise _storage_error(error) from error
        made.chmod(0o600)
        made.replace(path)

    def restore(self, path: Path) -> int:
        """Make the objects those of a copy; return how many that changed.

        Each change is a write of now, all of them are one transaction, and the history before it is forgotten.
        Raises `SettingsError` for a file that is no copy, `StorageFull` on a full disk; then nothing has changed.
        """
        changes = self._difference(_objects(path))
        last = self.revision + max(1, len(changes))
        with _transaction(self._db):
            for change in changes:
                self._write(change)
            self._db.execute("DELETE FROM history")
            self._db.execute("UPDATE counter SET revision = ?, compacted = ?", (last, last))
        self.revision = self.compacted = last
        for change in changes:
            if change.value is None:
                self._forget(change.key)
            else:
                self._remember(change.key, Entry(change.revision, change.value, _labels(change.last)))
        for change in changes:
            self._tell(change)
        return len(changes)

    def _difference(self, wanted: dict[Key, bytes]) -> Changes:
        """The writes that lead to the wanted objects: definitions of kinds are there before their objects."""
        there = {
            Key(r, *place): entry for r, found in self._entries.items() for place, entry in found.items()
        }
        gone = sorted((key for key in there if key not in wanted), key=_definitions_last)
        kept = sorted((key for key in wanted), key=_definitions_last, reverse=True)
        changes: Changes = []
        for key in gone:
            revision = self.revision + len(changes) + 1
            changes.append(Change(revision, key, None, there[key].value))
        for key in kept:
            before = there[key].value if key in there else None
            if before is not None and _same(before, wanted[key]):
                continue
            revision = self.revision + len(changes) + 1
            obj = orjson.loads(wanted[key])
            obj["metadata"]["resourceVersion"] = str(revision)
            changes.append(Change(revision, key, orjson.dumps(obj), before))
        return changes

    def _write(self, change: Change) -> None:
        key = change.key
        if change.value is None:
            self._db.execute("DELETE FROM object WHERE resource = ? AND namespace = ? AND name = ?", key)
        else:
            self._db.execute(
                "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)", (*key, change.revision, change.value)
            )

    def _forget(self, key: Key) -> None:
        place = (key.namespace, key.name)
        del self._entries[key.resource][place]
        order = self._order[key.resource]
        order.pop(bisect_left(order, place))

    # ── inside ────────────────────────────────────────────────────────────────

    def _commit(self, change: Change) -> None:
        key, revision = change.key, change.revision
        with _transaction(self._db):
            self._write(change)
            self._db.execute(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)",
                (revision, *key, change.value, change.previous),
            )
            self._db.execute("UPDATE counter SET revision = ?", (revision,))
        self.revision = revision
        if revision - self.compacted >= 2 * self._keep:
            self.compact(revision - self._keep)

    def _remember(self, key: Key, entry: Entry) -> None:
        place, entries = (key.namespace, key.name), self._entries.setdefault(key.resource, {})
        if place not in entries:
            order = self._order.setdefault(key.resource, [])
            if order and order[-1] > place:
                insort(order, place)
            else:
                order.append(place)
        entries[place] = entry

    def _tell(self, change: Change) -> None:
        for callback in tuple(self._subscribers):
            callback(change)


class _transaction:  # noqa: N801 - reads as a statement
    """BEGIN … COMMIT, or ROLLBACK; a full disk becomes `StorageFull`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self._run("COMMIT")
            return
        self._rollback()
        if isinstance(error, sqlite3.OperationalError):
            raise _storage_error(error) from error

    def _run(self, statement: str) -> None:
        try:
            self._db.execute(statement)
        except sqlite3.OperationalError as error:
            self._rollback()
            raise _storage_error(error) from error

    def _rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _storage_error(error: sqlite3.OperationalError) -> ApiError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StorageFull(
            f"the cluster's state could not be written: {error}; make room on the disk and try again"
        )
    return ApiError(f"the cluster's state could not be written: {error}")


def _check_format(version: int, path: Path) -> None:
    if version > FORMAT:
        raise SettingsError(
            f"this cluster's state has format {version}; this version of the sandbox reads up to {FORMAT}",
            where=str(path),
            fix="upgrade GitOps Lab, or delete the cluster and create it anew",
        )


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        _check_format(version, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            "PRAGMA synchronous = NORMAL"
        )  # survives a killed process; the disk is told at checkpoints
        if version == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
    except sqlite3.DatabaseError as error:
        db.close()
        raise SettingsError(
            f"not a usable database: {error}",
            where=str(path),
            fix="restore it, or delete the cluster and create it anew",
        ) from error
    except SettingsError:
        db.close()
        raise
    return db


def _objects(path: Path) -> dict[Key, bytes]:
    """What a copy holds, by key.  Raises `SettingsError`."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            _check_format(db.execute("PRAGMA user_version").fetchone()[0], path)
            rows = db.execute("SELECT resource, namespace, name, value FROM object").fetchall()
    except sqlite3.DatabaseError as error:
        raise SettingsError(
            f"not a usable snapshot: {error}", where=str(path), fix="delete it, and save another"
        ) from error
    return {Key(resource, namespace, name): value for resource, namespace, name, value in rows}


def _definitions_last(key: Key) -> tuple[bool, Key]:
    return key.resource == "customresourcedefinitions.apiextensions.k8s.io", key


def _same(one: bytes, other: bytes) -> bool:
    """Whether two objects differ in their resourceVersion at most."""
    if one == other:
        return True
    found, wanted = orjson.loads(one), orjson.loads(other)
    for obj in (found, wanted):
        obj["metadata"].pop("resourceVersion", None)
    return bool(found == wanted)


def _labels(obj: Object) -> dict[str, str]:
    return obj.get("metadata", {}).get("labels") or {}


def _entry(value: bytes | None) -> Entry | None:
    if value is None:
        return None
    obj = orjson.loads(value)
    return Entry(int(obj["metadata"]["resourceVersion"]), value, _labels(obj))
