"""What lessons ask of a chart: its objects under several values, and a picture of how values become objects.

A trainee's chart is looked at as its users would: rendered, with other values, for another release, with another
version in ``Chart.yaml``. Nothing here reads how a template is written, save the picture.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.helm import Chart
from labkit.k8s.objects import get_path, name_of
from labkit.views.flow import Arrow, Box, flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.k8s.objects import Object
    from labkit.views import View

_DEFINE = re.compile(r'{{-?\s*define\s+"([^"]+)"\s*-?}}(.*?){{-?\s*end\s*-?}}\s*(?={{|\Z)', re.DOTALL)
_INCLUDE = re.compile(r'(?:include|template)\s+"([^"]+)"')
_USES = re.compile(r"\.(Values|Chart|Release)\.(\w+)")
_SOURCES = {"Values": "values.yaml", "Chart": "Chart.yaml", "Release": "the release"}


def chart_at(folder: Path, name: str) -> Chart:
    """The chart in a lesson's folder; messages call it ``work/<lesson>/<name>``."""
    return Chart(folder / name, shown_as=f"work/{folder.name}/{name}")


def made(chart: Chart, release: str, **given: Any) -> list[Object]:
    """The objects that a release of the chart consists of; ``given`` as `Chart.render` takes it, hooks left out."""
    return [each.obj for each in chart.render(release, **given).objects if not each.hooks]


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    """Those of one kind."""
    return [obj for obj in objects if obj.get("kind") == kind]


def names(objects: list[Object]) -> set[tuple[str, str]]:
    """Kind and name of each."""
    return {(str(obj.get("kind")), name_of(obj)) for obj in objects}


def image(objects: list[Object]) -> str:
    """The image of the first container of the first Deployment."""
    found = [
        get_path(each, "spec", "template", "spec", "containers", 0, "image", default="")
        for each in of_kind(objects, "Deployment")
    ]
    return str(next(iter(found), ""))


def environment(objects: list[Object]) -> dict[str, Any]:
    """The variables that the Deployments' containers get, directly or from one of the ConfigMaps."""
    maps = {name_of(obj): obj.get("data") or {} for obj in of_kind(objects, "ConfigMap")}
    found: dict[str, Any] = {}
    for deployment in of_kind(objects, "Deployment"):
        for container in get_path(deployment, "spec", "template", "spec", "containers", default=[]):
            for each in container.get("envFrom") or []:
                found |= maps.get(get_path(each, "configMapRef", "name", default=""), {})
            for each in container.get("env") or []:
                ref = get_path(each, "valueFrom", "configMapKeyRef", default={})
                found[each["name"]] = (
                    maps.get(ref.get("name"), {}).get(ref.get("key")) if ref else each.get("value")
                )
    return found


def pod_labels(objects: list[Object]) -> dict[str, str]:
    """The labels of the first Deployment's Pods."""
    deployment = next(iter(of_kind(objects, "Deployment")), {})
    return get_path(deployment, "spec", "template", "metadata", "labels", default=None) or {}


def selects(service: Object, labels: dict[str, str]) -> bool:
    """Whether a Service sends its requests to Pods of these labels. A Service without a selector finds none."""
    selector = get_path(service, "spec", "selector", default=None) or {}
    return bool(selector) and selector.items() <= labels.items()


@contextmanager
def otherwise(chart: Chart, file: str, **fields: str) -> Iterator[Chart]:
    """A copy of the chart in which top-level ``fields`` of one of its YAML files have other values."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / chart.path.name
        shutil.copytree(chart.path, copy)
        text = (copy / file).read_text(encoding="utf-8")
        for field, value in fields.items():
            text, count = re.subn(rf"(?m)^{field}:.*$", f'{field}: "{value}"', text)
            text += "" if count else f'\n{field}: "{value}"\n'
        (copy / file).write_text(text, encoding="utf-8", newline="\n")
        yield Chart(copy, shown_as=chart.shown_as)


def drawn(chart: Chart, release: str, **given: Any) -> View:
    """How values, chart and release flow into the chart's templates, and which objects come out."""
    texts = {
        name: data.decode("utf-8", "replace")
        for name, data in chart.files().files.items()
        if name.startswith("templates/") and not name.startswith("templates/tests/")
    }
    helpers = {name: body for text in texts.values() for name, body in _DEFINE.findall(text)}
    templates = {
        name: text for name, text in sorted(texts.items()) if not name.rpartition("/")[2].startswith("_")
    }
    uses = {name: _uses(text, helpers) for name, text in templates.items()}
    left = [
        Box("Values", "values.yaml", tuple(f"{key}: {_brief(value)}" for key, value in chart.values.items())),
        Box(
            "Chart",
            "Chart.yaml",
            tuple(f"{key}: {chart.metadata.get(key)}" for key in ("version", "appVersion")),
        ),
        Box("Release", "the release", (f"name: {release}",)),
    ]
    middle = [
        Box(name, name, tuple(f"{what}: {', '.join(sorted(keys))}" for what, keys in found.items()))
        for name, found in uses.items()
    ]
    right = _outcome(chart, release, given)
    arrows = [Arrow(what, name) for name, found in uses.items() for what in found]
    arrows += [Arrow(name, box.key) for box in right for name in templates if box.key.startswith(f"{name}#")]
    return flow(f"What release {release} of chart {chart.name} is made of", [left, middle, right], arrows)


def _uses(text: str, helpers: dict[str, str], seen: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """What a template asks for, also by way of the helpers that it includes: ``{"Values": {"replicas"}, …}``."""
    found: dict[str, set[str]] = {}
    for what, key in _USES.findall(text):
        found.setdefault(what, set()).add(key)
    for name in _INCLUDE.findall(text):
        if name in helpers and name not in seen:
            for what, keys in _uses(helpers[name], helpers, (*seen, name)).items():
                found.setdefault(what, set()).update(keys)
    return {what: found[what] for what in _SOURCES if what in found}


def _outcome(chart: Chart, release: str, given: dict[str, Any]) -> list[Box]:
    try:
        rendered = chart.render(release, skip_tests=True, **given)
    except LabError as error:
        return [Box("error", "no objects", (f"✗ {error.where.rpartition('/')[2]}",), "bad")]
    boxes = [
        Box(f"{each.template}#{number}", f"{each.kind} {each.name}", ("✓ rendered",), "good")
        for number, each in enumerate(sorted(rendered.objects, key=lambda each: each.template))
    ]
    words = rendered.notes.split()
    if words:
        said = " ".join(words[:4])
        boxes.insert(0, Box("templates/NOTES.txt#", "a message", (f"“{said} …”",)))
    return boxes


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(value)}}}"
    if isinstance(value, list):
        return f"[{len(value)} items]"
    return str(value) if value != "" else '""'
