"""A chart's files, read by us and by nobody else.

Helm's own loader follows symbolic links wherever they lead, and a chart may come from anybody. So the lab reads
a chart itself: bounded in size, count and depth, never past its boundary; Helm gets a private copy of what was
read (`ChartFiles.stage`), which holds no link at all.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

from labkit.errors import ChartError

MOST_FILES = 10_000
MOST_BYTES = 64 * 2**20
MOST_DEPTH = 32
SKIPPED_FOLDERS = frozenset({".git"})


@dataclass(frozen=True)
class ChartFiles:
    """What a chart consists of: ``files`` by their path in the chart (``templates/service.yaml``).

    ``source`` is the folder or archive that they were read from, ``shown_as`` what error messages call it.
    """

    source: Path
    files: dict[str, bytes]
    shown_as: str

    @staticmethod
    def read(source: Path, *, inside: Path | None = None, shown_as: str = "") -> ChartFiles:
        """Read the chart in a folder or ``.tgz`` archive.

        Symbolic links may lead anywhere ``inside`` a folder (a repository's root), by default the chart's
        own; one that leads out is a `ChartError`, and so is what is too large, too many or too deep.
        """
        shown_as = shown_as or str(source)
        mode = _mode(source)
        if mode is None:
            raise ChartError(
                "there is no chart at this path", where=shown_as, fix="check the path; a chart is a folder"
            )
        boundary = Path(os.path.realpath(inside if inside is not None else source.parent / source.name))
        if stat.S_ISLNK(mode):
            boundary = boundary if inside is not None else Path(os.path.realpath(source.parent)) / source.name
            _check_inside(source, boundary)
        if Path(os.path.realpath(source)).is_file():
            return ChartFiles(source, _read_archive(source), shown_as)
        reader = _FolderReader(source, boundary)
        reader.read_folder(source, "", 0)
        return ChartFiles(source, reader.files, shown_as)

    @cached_property
    def digest(self) -> str:
        """One name for exactly these files, wherever they lie."""
        digest = hashlib.sha256(self.folder.encode())
        for name in sorted(self.files):
            digest.update(f"\0{name}\0{len(self.files[name])}\0".encode())
            digest.update(self.files[name])
        return digest.hexdigest()

    @property
    def folder(self) -> str:
        """The folder's own name, which lint compares with the chart's."""
        name = Path(os.path.abspath(self.source)).name  # noqa: PTH100 - resolve() would follow links
        return name if self.source.suffix != ".tgz" else name.removesuffix(".tgz").rsplit("-", 1)[0]

    def path(self, name: str) -> str:
        """Where one file is, as an error message says it."""
        return f"{self.shown_as}{'!' if self.source.suffix == '.tgz' else '/'}{name}"

    def text(self, name: str) -> str | None:
        """One file's text, None if the chart has no such file; a `ChartError` if it is not UTF-8."""
        data = self.files.get(name)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = data[: problem.start].count(b"\n") + 1
            raise ChartError(
                "the file is not UTF-8 text", where=f"{self.path(name)}:{line}", fix="save it as UTF-8"
            ) from None

    def stage(self, directory: Path) -> Path:
        """Write the files below ``directory``; returns the chart's folder there. Nothing in it is a link."""
        root = directory / self.folder
        root.mkdir(parents=True)
        made = {root}
        for name, data in self.files.items():
            target = root.joinpath(*PurePosixPath(name).parts)
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            target.write_bytes(data)
        return root


class _FolderReader:
    """One walk over a chart's folder, with what it has read so far."""

    def __init__(self, root: Path, boundary: Path) -> None:
        self.root, self.boundary = root, boundary
        self.files: dict[str, bytes] = {}
        self.budget = _Budget(root)

    def read_folder(self, folder: Path, prefix: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise ChartError(
                f"folders are nested more than {MOST_DEPTH} deep",
                where=str(folder),
                fix="move the chart's files up, or remove a link that leads back to a folder above it",
            )
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            self._read_entry(folder / name, prefix + name, depth)

    def _read_entry(self, path: Path, name: str, depth: int) -> None:
        mode = _mode(path)
        if mode is not None and stat.S_ISLNK(mode):
            path = _check_inside(path, self.boundary)
            mode = _mode(path)
        if mode is None:
            raise ChartError(
                "the link leads nowhere", where=str(path), fix="remove the link, or mend its target"
            )
        if stat.S_ISDIR(mode):
            if path.name not in SKIPPED_FOLDERS:
                self.read_folder(path, f"{name}/", depth + 1)
        elif stat.S_ISREG(mode):
            self.files[name] = self.budget.take(name, _read_regular(path, self.budget.left))
        else:
            raise ChartError(
                "this is neither a file nor a folder", where=str(path), fix="remove it from the chart"
            )


class _Budget:
    """How much more a chart may bring."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.left = MOST_BYTES
        self.count = 0

    def take(self, name: str, data: bytes) -> bytes:
        self.count += 1
        self.left -= len(data)
        if self.left < 0:
            raise ChartError(
                f"the chart is larger than {MOST_BYTES // 2**20} MB",
                where=f"{self.source}: {name}",
                fix="keep large files out of the chart's folder",
            )
        if self.count > MOST_FILES:
            raise ChartError(
                f"the chart has more than {MOST_FILES} files",
                where=str(self.source),
                fix="is this the chart's own folder, the one that holds Chart.yaml?",
            )
        return data


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise ChartError(
            f"the path cannot be read: {problem.strerror}", where=str(path), fix="check its permissions"
        ) from None


def _check_inside(link: Path, boundary: Path) -> Path:
    """Where a link leads in the end; refused unless that is within the boundary."""
    try:
        target = link.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        target = link.resolve()
        if target.is_relative_to(boundary):
            raise ChartError(
                "the symbolic link leads nowhere", where=str(link), fix="remove the link, or mend its target"
            ) from None
    except (OSError, RuntimeError):
        raise ChartError(
            "the symbolic link leads to itself", where=str(link), fix="remove the link"
        ) from None
    if not target.is_relative_to(boundary):
        raise ChartError(
            "the symbolic link leads out of the chart, and files outside a chart are never read",
            where=str(link),
            fix="put a copy of the file into the chart in place of the link",
        )
    return target


def _read_regular(path: Path, most: int) -> bytes:
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            return file.read(most + 1)
    except OSError as problem:
        raise ChartError(
            f"the file cannot be read: {problem.strerror}", where=str(path), fix="check its permissions"
        ) from None


def _read_archive(source: Path) -> dict[str, bytes]:
    packed = _read_regular(Path(os.path.realpath(source)), MOST_BYTES)
    try:
        # Unpacked in one bounded go: what a small archive blows up to is counted before it is looked at.
        unpacked = _inflate(packed)
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            return _read_members(source, archive)
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as problem:
        raise ChartError(
            f"this is not a packaged chart: {problem}",
            where=str(source),
            fix="`labkit chart package` makes a .tgz archive of a chart's folder",
        ) from None


def _inflate(packed: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    unpacked = reader.decompress(packed, MOST_BYTES * 2)
    if reader.unconsumed_tail:
        raise gzip.BadGzipFile(f"it unpacks to more than {MOST_BYTES * 2 // 2**20} MB")
    return unpacked


def _read_members(source: Path, archive: tarfile.TarFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    budget = _Budget(source)
    for member in archive:
        parts = PurePosixPath(member.name).parts
        outside = not parts or parts[0] == "/" or ".." in parts or PureWindowsPath(member.name).drive
        if outside or "\\" in member.name:
            raise ChartError(
                f"the archive has a member that leads out of it: {member.name!r}",
                where=str(source),
                fix="package the chart again from its folder",
            )
        if member.issym() or member.islnk():
            raise ChartError(
                f"the archive has a link among its members: {member.name!r}",
                where=str(source),
                fix="replace the link by a copy of its file and package the chart again",
            )
        if len(parts) > MOST_DEPTH:
            raise ChartError(f"folders are nested more than {MOST_DEPTH} deep", where=str(source))
        content = archive.extractfile(member) if member.isreg() else None
        if content is not None and len(parts) > 1:
            files["/".join(parts[1:])] = budget.take(member.name, content.read())
    return files
