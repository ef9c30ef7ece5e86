"""Looks for charts in the repositories that have names, as ``helm search repo`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.versions import Range, known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.repositories.book import RepositoryBook
    from labkit.helm.repositories.index import ChartVersion


def search(
    book: RepositoryBook, keyword: str, *, wanted: str = "", every: bool = False
) -> list[dict[str, str]]:
    """Charts whose name or description has the keyword: the newest version in a range, or every one in it."""
    range_ = Range(wanted or "*")
    return [
        _row(name, each)
        for name, each in _all(book, every=every, range_=range_)
        if _says(keyword, name, each)
    ]


def _all(book: RepositoryBook, *, every: bool, range_: Range) -> Iterator[tuple[str, ChartVersion]]:
    for named in book:
        repository = book.open(f"@{named.name}")
        for name, versions in sorted(repository.charts().items()):
            fitting = [each for each in versions if known([each.version])[0] in range_]
            yield from ((f"{named.name}/{name}", each) for each in (fitting if every else fitting[:1]))
        repository.close()


def _says(keyword: str, name: str, each: ChartVersion) -> bool:
    return keyword.lower() in f"{name} {each.description}".lower()


def _row(name: str, each: ChartVersion) -> dict[str, str]:
    return {
        "name": name,
        "version": each.version,
        "app_version": each.app_version,
        "description": each.description,
    }
