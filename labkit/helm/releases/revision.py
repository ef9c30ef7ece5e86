"""One revision of a release, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.helm.rendered import RenderedObject
from labkit.k8s import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SOURCE = re.compile(r"^---\n# Source: (?P<source>[^\n]+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Hook:
    """One hook of a release: when it runs, and how its last run ended (``Succeeded``, ``Failed``, or nothing yet)."""

    name: str
    kind: str
    events: tuple[str, ...]
    phase: str
    manifest: str


@dataclass(frozen=True)
class Revision:
    """A release at one point of its history. What a summary leaves out is empty; `Releases.status` gives all of it.

    ``status`` is Helm's: deployed, superseded, failed, uninstalled, pending-install, pending-upgrade,
    pending-rollback. ``updated`` is when it was made, in UTC. ``warnings`` are what an install or upgrade remarked.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    chart_version: str
    app_version: str = ""
    updated: str = ""
    description: str = ""
    notes: str = field(default="", repr=False)
    manifest: str = field(default="", repr=False)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hooks: tuple[Hook, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = field(default=(), repr=False)

    @staticmethod
    def of(summary: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> Revision:
        """From the library's summary, and what it says of the stored release beside it."""
        stored = stored or {}
        info = stored.get("info") or {}
        return Revision(
            name=str(summary.get("name", "")),
            namespace=str(summary.get("namespace", "")),
            revision=int(summary.get("revision") or 0),
            status=str(summary.get("status", "")),
            chart=str(summary.get("chart_name", "")),
            chart_version=str(summary.get("chart_version", "")),
            app_version=str(summary.get("app_version", "")),
            updated=str(summary.get("deployed_at", "")),
            description=str(info.get("description") or summary.get("description") or ""),
            notes=str(summary.get("notes", "")),
            manifest=str(summary.get("manifest", "")),
            values=dict(stored.get("config") or {}),
            hooks=tuple(_hook(item) for item in stored.get("hooks") or ()),
        )

    @property
    def objects(self) -> tuple[RenderedObject, ...]:
        """The objects of the manifest, each with the template that it came from."""
        return tuple(_objects(self.manifest))

    def to_json(self) -> dict[str, Any]:
        """What ``helm status -o json`` and ``helm list -o json`` name so."""
        return {
            "name": self.name,
            "namespace": self.namespace,
            "revision": self.revision,
            "updated": self.updated,
            "status": self.status,
            "chart": f"{self.chart}-{self.chart_version}",
            "app_version": self.app_version,
            "description": self.description,
        }

    def __str__(self) -> str:
        return f"{self.name} {self.revision}  {self.status}  {self.chart}-{self.chart_version}"


def _hook(item: Mapping[str, Any]) -> Hook:
    last = item.get("last_run") or {}
    return Hook(
        name=str(item.get("name", "")),
        kind=str(item.get("kind", "")),
        events=tuple(str(event) for event in item.get("events") or ()),
        phase=str(last.get("phase") or ""),
        manifest=str(item.get("manifest") or ""),
    )


def _objects(manifest: str) -> Iterator[RenderedObject]:
    parts = _SOURCE.split(manifest)
    for source, text in zip(parts[1::2], parts[2::2], strict=True):
        template = source.partition("/")[2]
        for document in yaml.load_documents(text, file=template):
            yield RenderedObject(document.obj, template, 0, text, source)
