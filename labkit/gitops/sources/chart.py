"""A Helm chart as a source: ``spec.source.helm``, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import PathNotFound
from labkit.gitops.api.application import InvalidSpec, Source
from labkit.gitops.sources.manifests import Manifest
from labkit.gitops.sources.paths import inbound, value_file
from labkit.helm import Chart, Release
from labkit.k8s.yaml import dump

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JSON = dict[str, Any]


def render(
    root: Path,
    folder: Path,
    source: Source,
    refs: Mapping[str, Path],
    *,
    name: str,
    namespace: str,
    kube_version: str = "",
    api_versions: Sequence[str] = (),
) -> list[Manifest]:
    """The chart's manifests for an application called ``name`` that deploys to ``namespace``.

    ``refs`` has the roots of the repositories that value files may name, as ``$name/path``. Precedence:
    parameters > valuesObject > values > valueFiles > the chart's own values.yaml.
    """
    shown = source.path or source.chart
    helm, files = source.helm, Files(root, folder, refs, f"{source.where}.helm")
    chart = Chart.load(folder, inside=root, refs=refs, shown_as=shown)
    rendered = chart.render(
        Release(helm.get("releaseName") or name, helm.get("namespace") or namespace or "default"),
        value_files=files.value_files(helm),
        values=_values(helm, source.where),
        set=[_assignment(p) for p in helm.get("parameters") or [] if not p.get("forceString")],
        set_string=[_assignment(p) for p in helm.get("parameters") or [] if p.get("forceString")],
        set_file=[
            f"{p['name']}={files.one(p['path'], f'fileParameters[{i}].path')}"
            for i, p in enumerate(helm.get("fileParameters") or [])
        ],
        kube_version=helm.get("kubeVersion") or kube_version,
        api_versions=helm.get("apiVersions") or api_versions,
        include_crds=not helm.get("skipCrds"),
        skip_tests=bool(helm.get("skipTests")),
        skip_schema_validation=bool(helm.get("skipSchemaValidation")),
    )
    return [Manifest(o.obj, f"{shown}/{o.template}:{o.line}".removeprefix("./")) for o in rendered.objects]


@dataclass(frozen=True)
class Files:
    """The files that ``spec.source.helm`` may name: in its own repository, or in one that it refers to."""

    root: Path
    folder: Path
    refs: Mapping[str, Path]
    where: str = "spec.source.helm"

    def value_files(self, helm: JSON) -> list[Path]:
        """``valueFiles`` in their order; a glob stands for its files in lexical order.

        One that matches nothing is an error, unless ``ignoreMissingValueFiles``.
        """
        found: list[Path] = []
        for number, name in enumerate(helm.get("valueFiles") or []):
            field = f"valueFiles[{number}]"
            if not isinstance(name, str):
                raise InvalidSpec(f"a text is wanted, not {name!r}", where=f"{self.where}.{field}")
            matched = self._matched(name, field)
            if not matched and not helm.get("ignoreMissingValueFiles"):
                raise self._missing("value file", name, field)
            found += [file for file in matched if file not in found]
        return found

    def one(self, name: str, field: str) -> Path:
        """The file of that name, for the field that names it."""
        path = self._place(name, field)
        if not path.is_file():
            raise self._missing("file", name, field)
        return path

    def _matched(self, name: str, field: str) -> list[Path]:
        path = self._place(name, field)
        if not any(sign in name for sign in "*?["):
            return [path] if path.is_file() else []
        root, folder, rest = self._base(name, field)
        base = root if rest.startswith("/") else folder
        return sorted(file for file in base.glob(rest.lstrip("/")) if file.is_file() and inbound(file, root))

    def _place(self, name: str, field: str) -> Path:
        root, folder, rest = self._base(name, field)
        path = value_file(folder, root, rest)
        if not isinstance(path, Path):
            raise PathNotFound(
                "value files are not fetched from other hosts", where=name, fix="Put it into the repository."
            )
        return path

    def _base(self, name: str, field: str) -> tuple[Path, Path, str]:
        """The repository's root, the folder that the path is relative to, and the path."""
        if not name.startswith("$"):
            return self.root, self.folder, name
        ref, _, rest = name.partition("/")
        root = self.refs.get(ref[1:])
        if root is None:
            # A chart cannot be referred to, as in Argo CD: its files are not a repository.
            known = ", ".join(f"${each}" for each in sorted(self.refs))
            problem = (
                f"which is not one of the available sources ({known})"
                if known
                else "but no source has a 'ref' field defined"
            )
            raise InvalidSpec(
                f"source referenced {ref!r}, {problem}",
                where=f"{self.where}.{field}",
                fix=f"Add a source of the repository with `ref: {ref[1:]}` to spec.sources.",
            )
        return root, root, rest

    def _missing(self, what: str, name: str, field: str) -> PathNotFound:
        _, folder, _ = self._base(name, field)
        near = ", ".join(sorted(file.name for file in folder.glob("*.yaml"))) or "none"
        place = "that repository's root" if name.startswith("$") else "the chart's folder"
        return PathNotFound(
            f"there is no {what} {name!r}",
            where=f"{self.where}.{field}",
            fix=f"YAML files in {place}: {near}. Push the file, or mend the name.",
        )


def _values(helm: JSON, where: str) -> str:
    if helm.get("valuesObject"):
        return dump(helm["valuesObject"])
    values = helm.get("values") or ""
    if not isinstance(values, str):
        raise InvalidSpec(
            "a text with YAML is wanted",
            where=f"{where}.helm.values",
            fix="Use valuesObject for a mapping.",
        )
    return values


def _assignment(parameter: JSON) -> str:
    value = str(parameter.get("value", ""))
    # Argo CD passes commas as text; without the backslash Helm would begin another assignment.
    escaped = value.replace("\\,", ",").replace(",", "\\,") if not value.startswith("{") else value
    return f"{parameter.get('name', '')}={escaped}"
