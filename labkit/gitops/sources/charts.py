"""Charts of HTTP repositories and OCI registries as sources: ``spec.source.chart``, laid out as folders.

What is here is a cache: an archive by its digest, and beside it the folder that it holds. Deleting it costs a
transfer.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from labkit.errors import ChartError, ChartRepositoryError, LabError
from labkit.git import redact
from labkit.gitops.sources.paths import inbound
from labkit.helm import Chart
from labkit.helm.dependencies import Dependencies
from labkit.helm.repositories import Access, ChartRepository, unpack
from labkit.runtime.clock import SystemClock
from labkit.runtime.patience import Patience, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.gitops.api.application import Source

Grants = Callable[[str], Access]
"""What a repository wants to see, by its URL."""

_KEPT = 64


class Charts:
    """Charts by repository, name and version. Thread-safe; ``cache`` is the folder that they are kept in."""

    def __init__(self, cache: Path, access: Grants = lambda _url: Access()) -> None:
        self._cache, self._access = cache, access
        self._clock = SystemClock()
        self._patience = Patience(self._clock.monotonic, ChartRepositoryError)
        self._repositories: dict[tuple[str, Access], tuple[ChartRepository, Turn]] = {}
        self._lock = threading.Lock()

    def resolve(self, source: Source, wanted: str = "") -> str:
        """The exact version that a source's ``targetRevision`` (or ``wanted``) means now.

        Raises `ChartRepositoryError`: `ChartNotFound` says which charts or versions there are.
        """
        with self._repository(source.repo_url) as repository:
            return repository.resolve(source.chart, wanted or source.target_revision)

    def folder(self, source: Source, version: str) -> Path:
        """The chart's folder, unpacked. Nothing in it is a link."""
        with self._repository(source.repo_url) as repository:
            archive = repository.fetch(source.chart, version, self._cache)
            place = archive.parent / f"{archive.stem}.d"
            if not (found := list(place.glob("*/Chart.yaml"))):
                unpack(archive, place)
                found = list(place.glob("*/Chart.yaml"))
            if not found or not inbound(found[0], place):
                raise ChartError("the archive holds no chart", where=archive.name)
            return found[0].parent

    @contextlib.contextmanager
    def completed(self, root: Path, folder: Path, shown: str = "") -> Iterator[tuple[Path, Path]]:
        """A repository's root and a chart's folder in it, with the dependencies that Git does not hold.

        Argo CD does the same (``helm dependency build``): what is declared and not in ``charts/`` is fetched, by
        the lock where there is one, else by the ranges. It is done in a copy, which goes when the render is done.
        ``shown`` is what the folder is called in messages.
        """
        if not any(
            each.status == "missing" for each in Chart.load(folder, inside=root, shown_as=shown).dependencies
        ):
            yield root, folder
            return
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".build-", dir=self._cache) as scratch:
            copy = Path(scratch).resolve() / "tree"
            shutil.copytree(root, copy, symlinks=True, copy_function=_link)
            there = copy / folder.resolve().relative_to(root.resolve())
            wanted = Dependencies(there, self._open, cache=self._cache, inside=copy)
            try:
                wanted.build(self._clock.now())
            except LabError as error:  # the copy has a name that says nothing to anybody
                error.where = error.where.replace(f"{copy}/", "")
                advice = "or run `labkit chart dependency build` and commit charts/ with the chart"
                error.fix = f"{error.fix}; {advice}" if error.fix else advice
                raise
            yield copy, there

    def _open(self, url: str) -> ChartRepository:
        return ChartRepository(url, self._access(url))

    @contextlib.contextmanager
    def _repository(self, url: str) -> Iterator[ChartRepository]:
        """One repository for one caller at a time: so what others fetched in front of us is there already."""
        access = self._access(url)
        with self._lock:
            if (url, access) not in self._repositories:
                while len(self._repositories) >= _KEPT:
                    self._repositories.pop(next(iter(self._repositories)))
                turn = Turn(redact(url), self._clock.monotonic)
                self._repositories[url, access] = (ChartRepository(url, access), turn)
            repository, turn = self._repositories[url, access]
        with turn, self._patience.visit(urlsplit(url).netloc, redact(url)):
            yield repository


def _link(source: str, target: str) -> str:
    """A second name for a file that nobody writes to; a copy where the file system has no such thing."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
    return target
