"""Charts of HTTP repositories and OCI registries as sources: ``spec.source.chart``, laid out as folders.

What is here is a cache: an archive by its digest, and beside it the folder that it holds. Deleting it costs a
transfer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from labkit.errors import ChartError
from labkit.gitops.sources.paths import inbound
from labkit.helm.repositories import Access, ChartRepository, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labkit.gitops.api.application import Source

Grants = Callable[[str], Access]
"""What a repository wants to see, by its URL."""

_KEPT = 64


class Charts:
    """Charts by repository, name and version. Thread-safe; ``cache`` is the folder that they are kept in."""

    def __init__(self, cache: Path, access: Grants = lambda _url: Access()) -> None:
        self._cache, self._access = cache, access
        self._repositories: dict[tuple[str, Access], tuple[ChartRepository, threading.Lock]] = {}
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
    def _repository(self, url: str) -> Iterator[ChartRepository]:
        """One repository for one caller at a time: so what others fetched in front of us is there already."""
        access = self._access(url)
        with self._lock:
            if (url, access) not in self._repositories:
                while len(self._repositories) >= _KEPT:
                    self._repositories.pop(next(iter(self._repositories)))
                self._repositories[url, access] = (ChartRepository(url, access), threading.Lock())
            repository, lock = self._repositories[url, access]
        with lock:
            yield repository
