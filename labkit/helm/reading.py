"""Reads folders and archives that somebody else made: bounded in size, count and depth, never past a boundary."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from labkit.errors import ChartError

MOST_ENTRIES = 10_000
MOST_BYTES = 64 * 2**20
MOST_DEPTH = 32
SKIPPED_FOLDERS = frozenset({".git"})


def is_archive(name: str) -> bool:
    """Whether a file's name is that of a packaged chart."""
    return name.endswith((".tgz", ".tar.gz"))


class Budget:
    """How much more a chart may bring: entries and bytes."""

    def __init__(self, shown_as: str) -> None:
        self.shown_as = shown_as
        self.bytes_left, self.entries_left = MOST_BYTES, MOST_ENTRIES

    def entry(self) -> None:
        """One more file or folder."""
        self.entries_left -= 1
        if self.entries_left < 0:
            raise ChartError(
                f"the chart has more than {MOST_ENTRIES} files and folders",
                where=self.shown_as,
                fix="is this the chart's own folder, the one that holds Chart.yaml?",
            )

    def take(self, name: str, data: bytes) -> bytes:
        """One more file's content."""
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise ChartError(
                f"the chart is larger than {MOST_BYTES // 2**20} MB",
                where=f"{self.shown_as}/{name}",
                fix="keep large files out of the chart's folder",
            )
        return data


def read_folder(root: Path, boundary: Path, shown_as: str) -> dict[str, bytes]:
    """Every file below ``root`` by its path; links are followed within ``boundary`` and refused beyond."""
    return _Folder(root, boundary, shown_as).read()


class _Folder:
    """One walk over a chart's folder, with what it has read so far."""

    def __init__(self, root: Path, boundary: Path, shown_as: str) -> None:
        self.root, self.boundary, self.shown_as = root, boundary, shown_as
        self.files: dict[str, bytes] = {}
        self.budget = Budget(shown_as)

    def read(self) -> dict[str, bytes]:
        self._walk(self.root, "", 0)
        return self.files

    def _walk(self, folder: Path, prefix: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise self._refused(
                prefix.rstrip("/"),
                f"folders are nested more than {MOST_DEPTH} deep",
                "move the files up, or remove a link that leads back to a folder above it",
            )
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as problem:
            raise self._refused(
                prefix, f"the folder cannot be read: {problem.strerror}", "check its permissions"
            ) from None
        for name in names:
            self.budget.entry()
            self._entry(folder / name, prefix + name, depth)

    def _entry(self, path: Path, name: str, depth: int) -> None:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            path = self._target(path, name)
            mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            if path.name not in SKIPPED_FOLDERS:
                self._walk(path, f"{name}/", depth + 1)
        elif stat.S_ISREG(mode):
            data = read_regular(path, f"{self.shown_as}/{name}", self.budget.bytes_left)
            self.files[name] = self.budget.take(name, data)
        else:
            raise self._refused(name, "this is neither a file nor a folder", "remove it from the chart")

    def _target(self, link: Path, name: str) -> Path:
        """Where a link leads in the end; refused unless that is there, and within the boundary."""
        target = Path(os.path.realpath(link))
        if not target.is_relative_to(self.boundary):
            raise self._refused(
                name,
                "the symbolic link leads out of the chart, and files outside a chart are never read",
                "put a copy of the file into the chart in place of the link",
            )
        if link.parent.is_relative_to(target):
            raise self._refused(name, "the symbolic link leads back to a folder above it", "remove the link")
        if not target.exists():
            raise self._refused(
                name, "the symbolic link leads nowhere", "remove the link, or mend its target"
            )
        return target

    def _refused(self, name: str, problem: str, fix: str) -> ChartError:
        return ChartError(problem, where=f"{self.shown_as}/{name}", fix=fix)


def read_regular(path: Path, where: str, most: int = MOST_BYTES) -> bytes:
    """A regular file's bytes, at most one more than ``most``; a link, put there meanwhile, is not followed."""
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # what the system has of these
        flags |= getattr(os, name, 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            return file.read(most + 1)
    except OSError as problem:
        raise ChartError(
            f"the file cannot be read: {problem.strerror}",
            where=where,
            fix="check the path" if isinstance(problem, FileNotFoundError) else "check its permissions",
        ) from None


def read_archive(packed: bytes, where: str, budget: Budget) -> dict[str, bytes]:
    """The files of a packaged chart by their path below its one folder."""
    try:
        # Unpacked in one bounded go: what a small archive blows up to is counted before it is looked at.
        inflater = zlib.decompressobj(wbits=31)
        unpacked = inflater.decompress(packed, MOST_BYTES * 2)
        if inflater.unconsumed_tail:
            raise ChartError(f"the archive unpacks to more than {MOST_BYTES * 2 // 2**20} MB", where=where)
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            return _read_members(archive, where, budget)
    except (tarfile.TarError, zlib.error, EOFError) as problem:
        raise ChartError(
            f"this is not a packaged chart: {problem}",
            where=where,
            fix="`labkit chart package` makes a .tgz archive of a chart's folder",
        ) from None


def _read_members(archive: tarfile.TarFile, where: str, budget: Budget) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for member in archive:
        budget.entry()
        parts = PurePosixPath(member.name).parts
        outside = not parts or parts[0] == "/" or ".." in parts or PureWindowsPath(member.name).drive
        if outside or "\\" in member.name:
            raise ChartError(
                f"the archive has a member that leads out of it: {member.name!r}",
                where=where,
                fix="package the chart again from its folder",
            )
        if member.issym() or member.islnk():
            raise ChartError(
                f"the archive has a link among its members: {member.name!r}",
                where=where,
                fix="replace the link by a copy of its file and package the chart again",
            )
        if len(parts) > MOST_DEPTH:
            raise ChartError(f"folders are nested more than {MOST_DEPTH} deep", where=where)
        content = archive.extractfile(member) if member.isreg() else None
        if content is not None and len(parts) > 1:
            files["/".join(parts[1:])] = budget.take(member.name, content.read())
    return files
