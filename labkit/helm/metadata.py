"""What ``Chart.yaml`` says, and whether Helm would take it.

Helm's library loads a chart whose ``apiVersion`` it does not know, or whose declared dependencies are not
there, and renders something; the command refuses. These are the command's checks (Helm 4), in words that say
what to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartError, ManifestError
from labkit.helm.text import parse
from labkit.k8s.yaml import dump

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.files import ChartFiles

SEMVER = re.compile(r"v?\d+(\.\d+)?(\.\d+)?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Dependency:
    """A chart that this chart declares to need. ``status`` is ``ok``, ``unpacked``, ``missing`` …, as Helm says it."""

    name: str
    version: str = ""
    repository: str = ""
    alias: str = ""
    condition: str = ""
    status: str = ""


@dataclass(frozen=True)
class Metadata:
    """``Chart.yaml`` (and ``requirements.yaml`` of an old chart), checked."""

    raw: dict[str, Any]
    dependencies: tuple[Dependency, ...]

    @property
    def name(self) -> str:
        """The chart's name."""
        return str(self.raw["name"])

    @property
    def version(self) -> str:
        """The chart's own version."""
        return str(self.raw["version"])

    @property
    def app_version(self) -> str:
        """The version of the application in it, '' if it says none."""
        return str(self.raw.get("appVersion") or "")

    @property
    def is_library(self) -> bool:
        """Whether it has helpers for other charts and renders nothing itself."""
        return self.raw.get("type") == "library"


def read_metadata(files: ChartFiles) -> Metadata:
    """The metadata of a chart (its archives unpacked); a `ChartError` names the line and what to write there."""
    raw = _mapping(files, "Chart.yaml")
    if raw is None:
        raise ChartError(
            "there is no Chart.yaml, so this is not a chart",
            where=files.path("Chart.yaml"),
            fix="point to the chart's own folder; `labkit chart create NAME` makes a new chart",
        )
    _check(files, raw)
    vendored = {name for _, name in subcharts(files)}
    declared = dependency_items(files, raw)
    return Metadata(raw, tuple(_dependency(files, item, vendored) for item in declared))


def dependency_items(files: ChartFiles, raw: dict[str, Any]) -> list[Any]:
    """The declared dependencies as they stand in ``Chart.yaml``, or in ``requirements.yaml`` of an old chart."""
    declared = raw.get("dependencies")
    if raw["apiVersion"] == "v1":
        declared = (_mapping(files, "requirements.yaml") or {}).get("dependencies")
    return declared if isinstance(declared, list) else []


def check_dependencies(files: ChartFiles, metadata: Metadata) -> None:
    """Refuse a chart that declares a dependency which is not in its ``charts/`` folder."""
    missing = [dependency for dependency in metadata.dependencies if dependency.status == "missing"]
    if not missing:
        return
    names = ", ".join(f"{dependency.name} {dependency.version}".strip() for dependency in missing)
    first = next((f" (from {dependency.repository})" for dependency in missing if dependency.repository), "")
    raise ChartError(
        f"the chart declares dependencies that are not in its charts/ folder: {names}{first}",
        where=_line_of(files, "Chart.yaml", f"name: {missing[0].name}"),
        fix="run `labkit chart dependency build` there (it is `helm dependency build`), or put each chart into charts/ "
        "yourself, and commit charts/ with the chart",
    )


def subcharts(files: ChartFiles, folder: str = "") -> Iterator[tuple[str, str]]:
    """Folder and name of each chart directly below ``charts/`` (of the chart in ``folder``), archives unpacked."""
    for name in files.files:
        rest = name.removeprefix(folder).split("/")
        below = name.startswith(f"{folder}charts/") and len(rest) == 3 and rest[2] == "Chart.yaml"
        if below and not rest[1].startswith(("_", ".")):
            raw = _mapping(files, name) or {}
            yield name.removesuffix("Chart.yaml"), str(raw.get("name", ""))


def template_names(files: ChartFiles, chart: str, folder: str = "", prefix: str = "") -> dict[str, str]:
    """Helm's name of each template (``web/charts/redis/templates/a.yaml``) → the file's path in the chart.

    Helm names a subchart by its name or alias, whatever its folder is called.
    """
    prefix = prefix or chart
    names = {
        f"{prefix}/{path.removeprefix(folder)}": path
        for path in files.files
        if path.startswith((f"{folder}templates/", f"{folder}crds/"))
    }
    declared = (_mapping(files, f"{folder}Chart.yaml") or {}).get("dependencies")
    aliases = [
        item
        for item in (declared if isinstance(declared, list) else ())
        if isinstance(item, dict) and item.get("alias")
    ]
    for place, name in subcharts(files, folder):
        called = [str(item["alias"]) for item in aliases if item.get("name") == name]
        for each in {name, *called}:
            names |= template_names(files, chart, place, f"{prefix}/charts/{each}")
    return names


def with_versions(files: ChartFiles, *, version: str = "", app_version: str = "") -> ChartFiles:
    """The same chart under another version, of another application's version; `ChartError` if it is none."""
    told = {key: value for key, value in (("version", version), ("appVersion", app_version)) if value}
    if not told:
        return files
    if version and not SEMVER.fullmatch(version):
        raise ChartError(
            f"{version!r} is no semantic version", where="version", fix="write it as 1.2.0, or 1.2.0-rc.1"
        )
    raw = (_mapping(files, "Chart.yaml") or {}) | told
    return replace(files, files=files.files | {"Chart.yaml": dump(raw).encode()})


def value_keys(files: ChartFiles, metadata: Metadata) -> set[str]:
    """Under which keys of its values a chart's subcharts find theirs: their names, or aliases."""
    aliases = {dependency.alias for dependency in metadata.dependencies if dependency.alias}
    return aliases | {name for _, name in subcharts(files)}


def _mapping(files: ChartFiles, name: str) -> dict[str, Any] | None:
    text = files.text(name)
    return None if text is None else _parsed(text, files.path(name))


@lru_cache(maxsize=256)
def _parsed(text: str, where: str) -> dict[str, Any]:
    """A file's map; kept, because each render asks for the same few small files several times."""
    try:
        raw = parse(text, where)
    except ManifestError as problem:
        raise ChartError(
            f"this is not YAML: {problem.problem}",
            where=problem.where,
            fix="mend the line (spaces, not tabs)",
        ) from None
    if not isinstance(raw, dict):
        raise ChartError(
            "the file holds no `name: value` pairs",
            where=where,
            fix="write at least apiVersion: v2, name and version",
        )
    return raw


def _check(files: ChartFiles, raw: dict[str, Any]) -> None:
    api_version = raw.get("apiVersion")
    if api_version not in {"v1", "v2"}:
        raise ChartError(
            "apiVersion is missing"
            if api_version is None
            else f"apiVersion {api_version!r} is not supported",
            where=_line_of(files, "Chart.yaml", "apiVersion:"),
            fix="write `apiVersion: v2`, the format of charts since Helm 3",
        )
    for key, pattern, example in (("name", NAME, "my-app"), ("version", SEMVER, "0.1.0")):
        value = raw.get(key)
        where = _line_of(files, "Chart.yaml", f"{key}:")
        if value is None or value == "":
            raise ChartError(f"the chart has no {key}", where=where, fix=f"write `{key}: {example}`")
        if not isinstance(value, str):
            raise ChartError(
                f"{key} is read as {value!r} ({type(value).__name__}), not as text",
                where=where,
                fix=f'put it in quotes: `{key}: "…"`',
            )
        if not pattern.fullmatch(value):
            raise ChartError(
                f"{key} {value!r} is not valid", where=where, fix=f"write for example `{key}: {example}`"
            )
    if raw.get("type") not in {None, "", "application", "library"}:
        raise ChartError(
            f"type {raw['type']!r} is not known",
            where=_line_of(files, "Chart.yaml", "type:"),
            fix="write `type: application` (or `library`)",
        )


def _dependency(files: ChartFiles, item: Any, vendored: set[str]) -> Dependency:
    if not isinstance(item, dict) or not item.get("name"):
        raise ChartError(
            "a dependency has no name",
            where=_line_of(files, "Chart.yaml", "dependencies:"),
            fix="each dependency is `- name: …` with `version:` and `repository:`",
        )
    text = {key: str(item.get(key) or "") for key in ("name", "version", "repository", "alias", "condition")}
    return Dependency(**text, status="ok" if text["name"] in vendored else "missing")


def _line_of(files: ChartFiles, name: str, key: str) -> str:
    lines = (files.text(name) or "").splitlines()
    found = next((n for n, line in enumerate(lines, 1) if line.strip(" -").startswith(key)), None)
    return files.path(name) + (f":{found}" if found else "")
