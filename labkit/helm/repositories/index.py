"""``index.yaml``: what an HTTP chart repository has, in Helm's own format."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartNotFound, ChartRepositoryError, ManifestError
from labkit.helm.repositories.sections import sections
from labkit.helm.text import parse
from labkit.versions import Version, newest
from labkit.versions import known as parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES = 64 * 2**20
LARGE = 2**18  # characters; above that, reading all of it is felt
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


@dataclass(frozen=True)
class ChartVersion:
    """One version of one chart in a repository: where its archive is, and what it must hash to."""

    name: str
    version: str
    app_version: str = ""
    description: str = ""
    urls: tuple[str, ...] = ()
    digest: str = ""  # sha256 in hexadecimal; empty if the index says none
    deprecated: bool = False


class Index:
    """The charts of a repository, each with its versions, the highest first. A large one is read as far as is asked."""

    def __init__(self, entries: Mapping[str, Any], where: str, text: str = "") -> None:
        self._entries = dict(entries)  # each a list of entries, or the YAML of one
        self._where = where
        self._text = text
        self._versions: dict[str, tuple[ChartVersion, ...]] = {}

    @staticmethod
    def parse(text: str, where: str) -> Index:
        """The index that a text says; entries that make no sense are passed over, as Helm does."""
        parts = sections(text) if len(text) > LARGE else None
        return Index(read_index(text, where), where) if parts is None else Index(parts, where, text)

    @property
    def charts(self) -> dict[str, tuple[ChartVersion, ...]]:
        """Every chart."""
        if self._text:
            entries, self._text = _read_large(self._text, self._where), ""
            self._entries, self._versions = entries, {}
        found = {name: self.versions(name) for name in self._entries}
        return {name: versions for name, versions in found.items() if versions}

    def versions(self, chart: str) -> tuple[ChartVersion, ...]:
        """The versions of one chart; none if there is no such chart."""
        if chart not in self._versions and chart in self._entries:
            entries = self._entries[chart]
            items = _read(entries, f"{self._where}, chart {chart}") if isinstance(entries, str) else entries
            self._versions[chart] = _versions(chart, items if isinstance(items, list) else [])
        return self._versions.get(chart, ())

    def all_versions(self, chart: str, where: str) -> list[str]:
        """The versions of one chart as text; `ChartNotFound` says which charts there are."""
        versions = self.versions(chart)
        if not versions:
            raise no_chart(chart, sorted(self._entries), where)
        return [each.version for each in versions]

    def find(self, chart: str, wanted: str, where: str) -> ChartVersion:
        """The highest version of a chart in a range; `ChartNotFound` says what there is."""
        known = self.all_versions(chart, where)
        found = newest(known, wanted)
        if found is None:
            raise no_version(chart, known, wanted, where)
        return next(each for each in self.versions(chart) if each.version == found)


def _read_large(text: str, where: str) -> dict[str, Any]:
    """All entries of a large index: by Helm's library, whose parser is many times faster, where there is one."""
    from labkit.helm.sdk import read_yaml

    found = read_yaml(text)
    entries = found.get("entries") if found is not None else None
    return entries if isinstance(entries, dict) else read_index(text, where)


def read_index(text: str, where: str) -> dict[str, Any]:
    """The ``entries`` of an index as they stand there."""
    raw = _read(text, where)
    entries = raw.get("entries") if isinstance(raw, dict) else None
    if not isinstance(entries, dict) and not (isinstance(raw, dict) and raw.get("apiVersion")):
        raise ChartRepositoryError(
            "this is no index of charts: it has no `entries`",
            where=where,
            fix="check the repository's address: Helm's index.yaml must be directly below it",
        )
    return {str(name): items for name, items in entries.items() if isinstance(items, list)} if entries else {}


def no_chart(chart: str, known: list[str], where: str) -> ChartNotFound:
    """The repository has other charts, or none."""
    return ChartNotFound(
        f"the repository has no chart {chart!r}", where=where, fix=f"There are: {_some(known) or 'none yet'}."
    )


def no_version(chart: str, known: list[str], wanted: str, where: str) -> ChartNotFound:
    """The chart has other versions."""
    asked = f"in the range {wanted!r}" if wanted else "that is a release"
    candidates = [version for version in parsed(known) if version.pre]
    hint = " Pre-releases count only where the range names one: >0.0.0-0." if candidates else ""
    return ChartNotFound(
        f"there is no version of chart {chart!r} {asked}",
        where=where,
        fix=f"There are: {_some(known)}.{hint}",
    )


def _some(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _read(text: str, where: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # YAML may begin so, too
    try:
        return parse(text, where)
    except ManifestError as problem:
        raise ChartRepositoryError(
            f"the index is not YAML: {problem.problem}",
            where=problem.where or where,
            fix="check the repository's address: Helm's index.yaml must be directly below it",
        ) from None


def _versions(name: str, items: list[Any]) -> tuple[ChartVersion, ...]:
    found = [each for item in items if (each := _version(name, item)) is not None]
    return tuple(sorted(found, key=_order, reverse=True))


def _order(item: ChartVersion) -> Version:
    return Version.parse(item.version)


def _version(name: str, item: Any) -> ChartVersion | None:
    if not isinstance(item, dict) or not parsed([str(item.get("version"))]):
        return None
    urls = item.get("urls")
    digest = _SHA256.fullmatch(str(item.get("digest") or "").lower())
    return ChartVersion(
        name=name,
        version=str(item["version"]),
        app_version=str(item.get("appVersion") or ""),
        description=str(item.get("description") or ""),
        urls=tuple(str(url) for url in urls) if isinstance(urls, list) else (),
        digest=digest[1] if digest else "",
        deprecated=item.get("deprecated") is True,
    )
