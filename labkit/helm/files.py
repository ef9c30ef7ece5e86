"""A chart's files, read by us and by nobody else.

Helm's own loader follows symbolic links wherever they lead, and a chart may come from anybody. So the lab reads
a chart itself, bounded and never past its boundary (`reading`); Helm gets a private copy of what was read
(`ChartFiles.stage`), which holds no link and no archive.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from labkit.errors import ChartError
from labkit.helm.reading import Budget, is_archive, read_archive, read_folder, read_regular

MOST_NESTED_ARCHIVES = 5


@dataclass(frozen=True)
class ChartFiles:
    """What a chart consists of: ``files`` by their path in the chart (``templates/service.yaml``).

    ``source`` is the folder or archive that they were read from, ``shown_as`` what error messages call it.
    ``unpacked`` says which folders came out of which archives (``charts/redis-1.0.0`` of …``.tgz``).
    """

    source: Path
    files: dict[str, bytes]
    shown_as: str
    unpacked: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def read(source: Path, *, inside: Path | None = None, shown_as: str = "") -> ChartFiles:
        """Read the chart in a folder or ``.tgz`` archive.

        Symbolic links may lead anywhere ``inside`` a folder (a repository's root), by default the chart's
        own; one that leads out is a `ChartError`, and so is what is too large, too many or too deep.
        """
        shown_as = shown_as or str(source)
        real = Path(os.path.realpath(source))
        parent = Path(os.path.realpath(source.parent))
        own = Path(os.path.normpath(parent / source.name))
        boundary = own if inside is None else Path(os.path.realpath(inside))
        try:
            mode = real.stat().st_mode
        except OSError:
            raise ChartError(
                "there is no chart at this path", where=shown_as, fix="check the path; a chart is a folder"
            ) from None
        if not real.is_relative_to(boundary):
            raise ChartError(
                "the chart's own folder is a symbolic link that leads out, and such links are not followed",
                where=shown_as,
                fix="give the path that the link leads to, or put the chart there in place of the link",
            )
        if stat.S_ISDIR(mode):
            return ChartFiles(source, read_folder(real, boundary, shown_as), shown_as)
        budget = Budget(shown_as)
        return ChartFiles(source, read_archive(read_regular(real, shown_as), shown_as, budget), shown_as)

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
        return _stem(name).rpartition("-")[0] if is_archive(name) else name or "chart"

    def path(self, name: str) -> str:
        """Where one file is, as an error message says it: ``charts/web/templates/a.yaml``, ``web.tgz!values.yaml``."""
        for folder, archive in self.unpacked.items():
            if name.startswith(f"{folder}/"):
                return f"{self.path(archive)}!{name[len(folder) + 1 :]}"
        return f"{self.shown_as}{'!' if is_archive(self.shown_as) else '/'}{name}"

    def text(self, name: str) -> str | None:
        """One file's text, None if the chart has no such file; a `ChartError` if it is not UTF-8."""
        data = self.files.get(name)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = data[: problem.start].count(b"\n") + 1
            where = f"{self.path(name)}:{line}"
            raise ChartError("the file is not UTF-8 text", where=where, fix="save it as UTF-8") from None

    def with_subcharts_unpacked(self) -> ChartFiles:
        """The same chart with the archives in ``charts/`` laid out as folders, so that every file can be looked at."""
        current = self
        budget = Budget(self.shown_as)
        for _ in range(MOST_NESTED_ARCHIVES):
            archives = [name for name in current.files if _is_packed_subchart(name)]
            if not archives:
                return current
            for name in archives:
                current = current._unpack(name, budget)
        raise ChartError(
            f"charts are packed in charts more than {MOST_NESTED_ARCHIVES} deep", where=self.shown_as
        )

    def _unpack(self, name: str, budget: Budget) -> ChartFiles:
        folder = _stem(name)
        members = read_archive(self.files[name], self.path(name), budget)
        files = {path: data for path, data in self.files.items() if path != name}
        files |= {f"{folder}/{path}": data for path, data in members.items()}
        return replace(self, files=files, unpacked=self.unpacked | {folder: name})

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


def _is_packed_subchart(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return folder.rpartition("/")[2] == "charts" and is_archive(file) and not file.startswith(("_", "."))


def _stem(name: str) -> str:
    return name.removesuffix(".tgz").removesuffix(".tar.gz")
