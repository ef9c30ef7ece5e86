"""Resolves an application's sources and renders them, remembering what was rendered."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.api.pinned import shortened
from labkit.gitops.sources import chart, directory, kustomize
from labkit.gitops.sources.manifests import Manifests, Merged, Rendered
from labkit.gitops.sources.paths import app_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from labkit.git import Commit, Credential, Mirror
    from labkit.gitops.api.application import Application, Source
    from labkit.gitops.sources.charts import Charts

KEPT = 256
HELM, KUSTOMIZE, DIRECTORY = "Helm", "Kustomize", "Directory"


class Sources:
    """Where desired manifests come from. Thread-safe.

    ``mirror`` reads repositories; ``credentials`` gives the credential for a URL, if there is one; ``aliases``
    turns an address that a repository had earlier into the one it has now. ``charts`` fetches those of
    chart repositories.
    """

    def __init__(
        self,
        mirror: Mirror,
        *,
        credentials: Callable[[str], Credential | None] = lambda _url: None,
        aliases: Callable[[str], str] = lambda url: url,
        charts: Charts,
    ) -> None:
        self._mirror, self._credentials, self._aliases = mirror, credentials, aliases
        self._charts = charts
        self._rendered: OrderedDict[str, Rendered] = OrderedDict()
        self._contents: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def resolve(self, source: Source, revision: str = "", *, max_age: float = 0.0) -> str:
        """The commit, or the chart's version, that a source (or ``revision`` of it) means now.

        Of a Git repository a listing ``max_age`` seconds old will do.
        """
        if source.is_chart:
            return self._charts.resolve(source, revision)
        url = self._aliases(source.repo_url)
        wanted = revision or source.target_revision
        return self._mirror.resolve(url, wanted, credential=self._credentials(url), max_age=max_age).sha

    def checkout(self, repo_url: str, revision: str) -> Path:
        """A folder with a repository's files at a revision, to be read only. Raises `LabError`."""
        url = self._aliases(repo_url)
        credential = self._credentials(url)
        commit = self._mirror.resolve(url, revision, credential=credential)
        return self._mirror.export(url, commit.sha, credential=credential)

    def commit(self, source: Source, sha: str) -> Commit | None:
        """Author, date and message of a commit of the source; ``None`` for a chart, which has none of them."""
        if source.is_chart:
            return None
        url = self._aliases(source.repo_url)
        return self._mirror.commit_info(url, sha, credential=self._credentials(url))

    def manifests(
        self,
        app: Application,
        sources: Sequence[Source],
        revisions: Sequence[str],
        *,
        kube_version: str = "",
        api_versions: Sequence[str] = (),
        fresh: bool = False,
    ) -> Manifests:
        """The objects that the sources want at these commits; ``fresh`` renders again what is remembered.

        Raises `LabError` with the file, line and fix.
        """
        merged, types = Merged(), []
        refs = self._refs(sources, revisions)
        for source, revision in zip(sources, revisions, strict=True):
            if not source.only_referred_to:
                found = self._one(app, source, revision, refs, kube_version, api_versions, fresh=fresh)
                merged.add(found.items)
                types.append(found.source_type)
        return Manifests(merged.items, tuple(revisions), tuple(merged.repeated), tuple(types))

    def _refs(self, sources: Sequence[Source], revisions: Sequence[str]) -> dict[str, Path]:
        """The roots of the repositories that other sources' value files may name, by their ``ref``."""
        return {
            source.ref: self._root(source, revision)
            for source, revision in zip(sources, revisions, strict=True)
            if source.ref and not source.is_chart and len(sources) > 1
        }

    def _root(self, source: Source, revision: str) -> Path:
        if source.is_chart:
            return self._charts.folder(source, revision)
        url = self._aliases(source.repo_url)
        return self._mirror.export(url, revision, credential=self._credentials(url))

    def _one(
        self,
        app: Application,
        source: Source,
        revision: str,
        refs: Mapping[str, Path],
        kube_version: str,
        api_versions: Sequence[str],
        *,
        fresh: bool,
    ) -> Rendered:
        root = self._root(source, revision)
        content = self._content(source, root, revision)
        asked = [source.raw, app.name, app.destination.namespace, kube_version, list(api_versions), content]
        asked += [{name: str(place) for name, place in refs.items()}]
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        with self._lock:
            if key in self._rendered and not fresh:
                self._rendered.move_to_end(key)
                return self._rendered[key]
        try:
            found = self._render(app, source, root, refs, kube_version, api_versions)
        except LabError as error:
            if not error.where:
                error.where = f"{source.repo_url} at {shortened(revision)}, {_place(source)}"
            raise
        with self._lock:
            self._rendered[key] = found
            while len(self._rendered) > KEPT:
                self._rendered.popitem(last=False)
        return found

    def _content(self, source: Source, root: Path, revision: str) -> str:
        """A word for all that a render reads of the repository: of its folder, where it can read no other.

        So a commit that touches other applications' folders costs this one no render.
        """
        key = f"{root} {json.dumps(source.raw, sort_keys=True)}"
        with self._lock:
            if key in self._contents:
                return self._contents[key]
        try:
            read = reads(source, root)
            found = str(root)
            if read is not None:
                url = self._aliases(source.repo_url)
                found = self._mirror.content(url, revision, read, credential=self._credentials(url))
        except LabError:
            return str(root)  # the render says what is wrong
        with self._lock:
            self._contents[key] = found
            while len(self._contents) > KEPT:
                self._contents.popitem(last=False)
        return found

    def _render(
        self,
        app: Application,
        source: Source,
        root: Path,
        refs: Mapping[str, Path],
        kube_version: str,
        api_versions: Sequence[str],
    ) -> Rendered:
        folder = root if source.is_chart else app_path(root, source.path)
        source_type = type_of(source, folder)
        if source_type == HELM:
            with self._charts.completed(root, folder, source.path or source.chart) as (whole, complete):
                items = chart.render(
                    whole,
                    complete,
                    source,
                    refs,
                    name=app.name,
                    namespace=app.destination.namespace,
                    kube_version=kube_version,
                    api_versions=api_versions,
                )
        elif source_type == KUSTOMIZE:
            items = kustomize.build(folder, source, root)
        else:
            items = directory.read(folder, source.path, source.directory)
        return Rendered(source_type, tuple(items))


def reads(source: Source, root: Path) -> list[str] | None:
    """The folders of the repository that a source is made of; None where that may be any."""
    if source.is_chart:
        return None
    folder = app_path(root, source.path)
    kind = type_of(source, folder)
    if kind == KUSTOMIZE:
        here = root.resolve()
        return [each.relative_to(here).as_posix() for each in kustomize.folders(folder, root)]
    if kind == HELM and (_names_others(source.helm) or _has_neighbours(folder)):
        return None
    return [source.path]


def _names_others(helm: dict[str, Any]) -> bool:
    """Whether ``spec.source.helm`` names files that may lie beside the chart."""
    files = [*(helm.get("valueFiles") or []), *(p.get("path", "") for p in helm.get("fileParameters") or [])]
    return any(str(file).startswith(("/", "$")) or ".." in str(file).split("/") for file in files)


def _has_neighbours(folder: Path) -> bool:
    """Whether the chart may depend on one beside it."""
    declared = (
        folder / name for name in ("Chart.yaml", "requirements.yaml", "Chart.lock", "requirements.lock")
    )
    return any(
        "file:" in file.read_text(encoding="utf-8", errors="replace") for file in declared if file.is_file()
    )


def type_of(source: Source, folder: Path) -> str:
    """Argo CD's word for what renders a source: what its spec names explicitly, else what the folder looks like.

    Raises `InvalidSpec` where the spec names more than one.
    """
    given = {KUSTOMIZE: source.kustomize, HELM: source.helm, DIRECTORY: source.directory}
    named = [name for name, options in given.items() if options]
    if len(named) > 1:
        raise InvalidSpec(
            f"multiple application sources defined: {','.join(named)}",
            where=source.where,
            fix=f"Keep one of {' and '.join(name.lower() for name in named)}: one tool renders a source.",
        )
    if named:
        return named[0]
    if (folder / "Chart.yaml").is_file():
        return HELM
    return KUSTOMIZE if kustomize.is_one(folder) else DIRECTORY


def _place(source: Source) -> str:
    return f"chart {source.chart}" if source.chart else f"path {source.path}"
