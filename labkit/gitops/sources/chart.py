"""A Helm chart in a Git repository as a source: ``spec.source.helm``, field by field."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import PathNotFound
from labkit.gitops.api.application import InvalidSpec, Source
from labkit.gitops.sources.manifests import Manifest
from labkit.gitops.sources.paths import inbound, value_file
from labkit.helm import Chart, Release
from labkit.k8s.yaml import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON = dict[str, Any]


def render(
    root: Path,
    folder: Path,
    source: Source,
    *,
    name: str,
    namespace: str,
    kube_version: str = "",
    api_versions: Sequence[str] = (),
) -> list[Manifest]:
    """The chart's manifests for an application called ``name`` that deploys to ``namespace``.

    Precedence: parameters > valuesObject > values > valueFiles > the chart's own values.yaml.
    """
    helm = source.helm
    chart = Chart.load(folder, inside=root, shown_as=source.path)
    rendered = chart.render(
        Release(helm.get("releaseName") or name, helm.get("namespace") or namespace or "default"),
        value_files=value_files(root, folder, helm),
        values=_values(helm),
        set=[_assignment(p) for p in helm.get("parameters") or [] if not p.get("forceString")],
        set_string=[_assignment(p) for p in helm.get("parameters") or [] if p.get("forceString")],
        set_file=[
            f"{p['name']}={_inside(root, folder, p['path'])}" for p in helm.get("fileParameters") or []
        ],
        kube_version=helm.get("kubeVersion") or kube_version,
        api_versions=helm.get("apiVersions") or api_versions,
        include_crds=not helm.get("skipCrds"),
        skip_tests=bool(helm.get("skipTests")),
        skip_schema_validation=bool(helm.get("skipSchemaValidation")),
    )
    return [
        Manifest(o.obj, f"{source.path}/{o.template}:{o.line}".removeprefix("./")) for o in rendered.objects
    ]


def value_files(root: Path, folder: Path, helm: JSON) -> list[Path]:
    """``valueFiles`` in their order; a glob stands for its files in lexical order.

    One that matches nothing is an error, unless ``ignoreMissingValueFiles``.
    """
    found: list[Path] = []
    for number, name in enumerate(helm.get("valueFiles") or []):
        where = f"spec.source.helm.valueFiles[{number}]"
        if not isinstance(name, str):
            raise InvalidSpec(f"a text is wanted, not {name!r}", where=where)
        matched = [file for file in _matched(root, folder, name) if inbound(file, root)]
        if not matched and not helm.get("ignoreMissingValueFiles"):
            near = ", ".join(sorted(file.name for file in folder.glob("*.yaml"))) or "none"
            raise PathNotFound(
                f"there is no value file {name!r}",
                where=where,
                fix=f"The chart's folder has: {near}. Push the file, or mend the name.",
            )
        found += [file for file in matched if file not in found]
    return found


def _matched(root: Path, folder: Path, name: str) -> list[Path]:
    path = value_file(folder, root, name)
    if not isinstance(path, Path):
        raise PathNotFound(
            "value files are not fetched from other hosts", where=name, fix="Put it into the repository."
        )
    if any(sign in name for sign in "*?["):
        base = root if name.startswith("/") else folder
        return sorted(file for file in base.glob(name.lstrip("/")) if file.is_file())
    return [path] if path.is_file() else []


def _inside(root: Path, folder: Path, name: str) -> Path:
    path = value_file(folder, root, name)
    if not isinstance(path, Path) or not path.is_file():
        raise PathNotFound(
            f"there is no file {name!r}",
            where="spec.source.helm.fileParameters",
            fix="Push it, or mend the path.",
        )
    return path


def _values(helm: JSON) -> str:
    if helm.get("valuesObject"):
        return dump(helm["valuesObject"])
    values = helm.get("values") or ""
    if not isinstance(values, str):
        raise InvalidSpec(
            "a text with YAML is wanted",
            where="spec.source.helm.values",
            fix="Use valuesObject for a mapping.",
        )
    return values


def _assignment(parameter: JSON) -> str:
    value = str(parameter.get("value", ""))
    # Argo CD passes commas as text; without the backslash Helm would begin another assignment.
    escaped = value.replace("\\,", ",").replace(",", "\\,") if not value.startswith("{") else value
    return f"{parameter.get('name', '')}={escaped}"
