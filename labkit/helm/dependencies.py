"""``Chart.lock`` and ``charts/``: ``helm dependency update``, ``build`` and ``list`` (Helm 4, ``pkg/downloader``).

``update`` finds the highest version in each range, writes them into the lock, and fetches them; ``build`` fetches what
the lock says, so that everybody gets the same. The lock's digest is Helm's own, so each trusts the other's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartError, ChartRepositoryError, ManifestError
from labkit.helm.chart import Chart
from labkit.helm.files import ChartFiles
from labkit.helm.metadata import dependency_items, read_metadata
from labkit.helm.reading import Budget, is_archive, read_archive
from labkit.helm.text import parse
from labkit.k8s import yaml
from labkit.runtime.clock import SystemClock
from labkit.versions import Range, Version, VersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from labkit.helm.repositories import ChartRepository

    Open = Callable[[str], ChartRepository]

LOCAL = "file://"
NAMED = ("@", "alias:")


@dataclass(frozen=True)
class Locked:
    """One line of the lock: the exact version that a dependency got."""

    name: str
    repository: str
    version: str

    def raw(self) -> dict[str, str]:
        """As it stands in the file; a chart that is in ``charts/`` anyhow has no repository."""
        return {"name": self.name, "repository": self.repository, "version": self.version}


@dataclass(frozen=True)
class Standing:
    """How a declared dependency stands; `status` in Helm's words: ``ok``, ``missing``, ``wrong version`` …"""

    name: str
    version: str
    repository: str
    status: str


class Dependencies:
    """The dependencies of the chart in a folder. ``open`` gives the repository of an address or ``@name``.

    With ``inside``, a ``file://`` dependency that leads out of that folder is refused.
    """

    def __init__(
        self,
        folder: Path,
        open: Open,  # noqa: A002 - what it does
        *,
        cache: Path,
        inside: Path | None = None,
    ) -> None:
        self.folder = folder
        self._inside = inside
        self._open = open
        self._cache = cache
        self._files = ChartFiles.read(folder)
        self._metadata = read_metadata(self._files)
        declared = dependency_items(self._files, self._metadata.raw)
        self._items = [self._with_address(item) for item in declared]
        old = self._metadata.raw["apiVersion"] == "v1"
        self._lock = "requirements.lock" if old else "Chart.lock"
        self._declared_in = "requirements.yaml" if old else "Chart.yaml"

    def update(self, now: datetime | None = None) -> list[Locked]:
        """Resolve every range, fetch into ``charts/``, then write the lock; nothing is changed if one fails."""
        if not self._items:
            return []
        locked = [self._resolve(item) for item in self._items]
        self._fetch(locked)
        digest = _digest(self._items, locked)
        raw = {
            "dependencies": [each.raw() for each in locked],
            "digest": digest,
            "generated": (now or SystemClock().now()).isoformat(),
        }
        _write(self.folder / self._lock, yaml.dump(raw))
        return locked

    def build(self, now: datetime | None = None) -> list[Locked]:
        """Fetch what the lock says; without a lock this is `update`. A lock of another Chart.yaml is an error."""
        text = self._files.text(self._lock)
        if text is None:
            return self.update(now)
        locked, digest = self._read_lock(text)
        if digest != _digest(self._items, locked):
            raise ChartError(
                f"the lock does not belong to {self._declared_in}: the dependencies were changed since it was written",
                where=self._files.path(self._lock),
                fix="run `labkit chart dependency update` and look at what changes in the lock",
            )
        self._fetch(locked)
        return locked

    def standing(self) -> Iterator[Standing]:
        """How each declared dependency stands."""
        for item in self._items:
            text = {key: str(item.get(key) or "") for key in ("name", "version", "repository")}
            yield Standing(**text, status=self._status(text["name"], text["version"]))

    def undeclared(self) -> list[str]:
        """What is in ``charts/`` and not in Chart.yaml: ``charts/NAME``, or an archive's path."""
        declared = {str(item.get("name")) for item in self._items}
        return [path for path, name in sorted(self._present()) if name not in declared]

    # -- resolving

    def _with_address(self, item: dict[str, Any]) -> dict[str, Any]:
        """A dependency with its repository's address in place of a name (``@team``, ``alias:team``), as in the lock."""
        repository = str(item.get("repository") or "")
        if not repository.startswith(NAMED):
            return item
        return item | {"repository": self._open(repository).url}

    def _resolve(self, item: dict[str, Any]) -> Locked:
        name, wanted = str(item["name"]), str(item.get("version") or "")
        repository = str(item.get("repository") or "")
        self._check_range(name, wanted)
        if not repository:
            if name not in {each for _, each in self._present()}:
                raise self._refused(
                    name,
                    "it has no repository, and is not in charts/",
                    "put it into charts/, or say its repository",
                )
            return Locked(name, "", wanted)
        if repository.startswith(LOCAL):
            found = self._neighbour(name, repository).version
            if not _fits(found, wanted):
                raise self._refused(
                    name,
                    f"{repository} has version {found}, which is not in the range {wanted!r}",
                    "change the range, or the chart there",
                )
            return Locked(name, repository, found)
        with _naming(name):
            return Locked(name, repository, self._open(repository).resolve(name, wanted))

    def _check_range(self, name: str, wanted: str) -> None:
        try:
            Range(wanted)
        except VersionError:
            raise self._refused(
                name,
                f"{wanted!r} is not a range of versions",
                "write `version: 1.2.3`, or a range such as ^1.2",
            ) from None

    def _neighbour(self, name: str, repository: str) -> Chart:
        path = Path(os.path.normpath(self.folder / repository.removeprefix(LOCAL)))
        if self._inside is not None and not path.resolve().is_relative_to(self._inside.resolve()):
            raise self._refused(
                name, f"{repository} leads out of the repository", "name a folder of the repository"
            )
        chart = Chart.load(path)
        if chart.name != name:
            raise self._refused(
                name, f"{repository} is the chart {chart.name!r}", "correct the name or the path"
            )
        return chart

    def _refused(self, name: str, problem: str, fix: str) -> ChartError:
        lines = (self._files.text(self._declared_in) or "").splitlines()
        number = next(
            (n for n, line in enumerate(lines, 1) if line.strip(" -{").startswith(f"name: {name}")), 0
        )
        where = self._files.path(self._declared_in) + (f":{number}" if number else "")
        return ChartError(f"dependency {name!r}: {problem}", where=where, fix=fix)

    def _read_lock(self, text: str) -> tuple[list[Locked], str]:
        where = self._files.path(self._lock)
        try:
            raw = parse(text, where)
            items = raw.get("dependencies") or []
            fields = ("name", "repository", "version")
            locked = [Locked(**{key: str(item.get(key) or "") for key in fields}) for item in items]
            return locked, str(raw.get("digest"))
        except (ManifestError, AttributeError, TypeError):
            raise ChartError(
                "this is not a lock that Helm wrote",
                where=where,
                fix="remove it, and update the dependencies",
            ) from None

    # -- fetching

    def _fetch(self, locked: list[Locked]) -> None:
        charts = self.folder / "charts"
        with tempfile.TemporaryDirectory(prefix=".charts-", dir=self.folder) as aside:
            for each in locked:
                self._fetch_one(each, Path(aside))
            charts.mkdir(exist_ok=True)
            archives = sorted(Path(aside).iterdir())
            self._clear(charts, locked, {path.name for path in archives})
            for archive in archives:
                archive.replace(charts / archive.name)

    def _fetch_one(self, locked: Locked, folder: Path) -> None:
        if not locked.repository:
            return
        if locked.repository.startswith(LOCAL):
            self._neighbour(locked.name, locked.repository).package(folder)
            return
        with _naming(locked.name):
            archive = self._open(locked.repository).fetch(locked.name, locked.version, self._cache)
        shutil.copyfile(archive, folder / archive.name)

    def _clear(self, charts: Path, locked: list[Locked], fetched: set[str]) -> None:
        """Take away the archives of earlier versions; folders, and charts that nobody declares, stay."""
        names = {each.name for each in locked if each.repository}
        for path, name in self._present():
            file = self.folder / path
            if name in names and file.parent == charts and file.is_file() and file.name not in fetched:
                file.unlink()

    # -- looking

    def _present(self) -> list[tuple[str, str]]:
        """Path and chart's name of everything directly in ``charts/``."""
        found = []
        for path in sorted(
            {"/".join(name.split("/")[:2]) for name in self._files.files if name.startswith("charts/")}
        ):
            name = self._name_of(path)
            if name:
                found.append((path, name))
        return found

    def _name_of(self, path: str) -> str:
        try:
            return str(self._subchart(path)["name"])
        except (ChartError, KeyError):
            return ""

    def _subchart(self, path: str) -> dict[str, Any]:
        """The metadata of a chart in ``charts/``: a folder, or an archive."""
        where = self._files.path(path)
        if is_archive(path):
            files = read_archive(self._files.files[path], where, Budget(where))
        else:
            inside = f"{path}/"
            known = self._files.files.items()
            files = {name.removeprefix(inside): data for name, data in known if name.startswith(inside)}
        return read_metadata(ChartFiles(Path(path), files, where)).raw

    def _status(self, name: str, wanted: str) -> str:
        archives = [
            path.name
            for path in sorted((self.folder / "charts").glob("*.tgz"))
            if path.name.startswith(f"{name}-")
        ]
        if len(archives) > 1:
            exact = [
                each for each in archives if _is_version(each.removesuffix(".tgz").removeprefix(f"{name}-"))
            ]
            if len(exact) > 1:
                return "too many matches"
            archives = exact
        if archives:
            return self._fit(f"charts/{archives[0]}", name, wanted, "ok")
        folder = next((path for path, each in self._present() if each == name), "")
        return self._fit(folder, name, wanted, "unpacked") if folder else "missing"

    def _fit(self, path: str, name: str, wanted: str, good: str) -> str:
        try:
            raw = self._subchart(path)
        except ChartError:
            return "corrupt"
        if raw["name"] != name:
            return "misnamed"
        try:
            return good if raw["version"] == wanted or _fits(raw["version"], wanted) else "wrong version"
        except VersionError:
            return "invalid version"


@contextlib.contextmanager
def _naming(dependency: str) -> Iterator[None]:
    """What a repository says is said of the dependency that it is about."""
    try:
        yield
    except ChartRepositoryError as error:
        error.problem = f"dependency {dependency!r}: {error.problem}"
        raise


def _fits(version: str, wanted: str) -> bool:
    return Version.parse(version) in Range(wanted or "*")


def _is_version(text: str) -> bool:
    try:
        return text.count(".") >= 2 and bool(Version.parse(text))
    except VersionError:
        return False


def _digest(declared: list[dict[str, Any]], locked: list[Locked]) -> str:
    """Helm's digest of a lock (``resolver.HashReq``): of both lists as Go writes them as JSON."""
    fields = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
    wanted = [
        {key: item.get(key) or "" for key in fields if item.get(key) or key == "repository"}
        for item in declared
    ]
    order = ("name", "version", "repository")
    got = [
        {key: each.raw()[key] for key in order if each.raw()[key] or key == "repository"} for each in locked
    ]
    for item in wanted:
        if "import-values" in item:
            item["import-values"] = json.loads(json.dumps(item["import-values"], sort_keys=True))
    text = json.dumps([wanted, got], separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")  # Go escapes these
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(text, encoding="utf-8", newline="\n")
    aside.replace(path)
