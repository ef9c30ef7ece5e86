"""Lesson 05, A chart you can trust: a schema for its values, and tests of what it renders."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.k8s.objects import get_path
from labkit.lessons import charting
from labkit.lessons.course.looking import shown
from labkit.lessons.testing import results
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.lessons.exercise import Finding
    from labkit.lessons.testing import Result
    from labkit.lessons.workbench import Workbench

NAME, CHART = "trust", "juice"

# What the schema has to take, and what it has to refuse: values as people write them, and why.
GOOD: dict[str, dict[str, Any]] = {
    "no values": {},
    "replicas: 0": {"replicas": 0},
    'image.tag: "1.10"': {"image": {"tag": "1.10"}},
    "flavour: cherry": {"flavour": "cherry"},
    "service.port: 65535": {"service": {"port": 65535}},
}
BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "replicas: two": ("kind", {"replicas": "two"}),
    "replicas: -1": ("range", {"replicas": -1}),
    "replica: 3": ("misspelt", {"replica": 3}),
    "image.tag: 1.10": ("text", {"image": {"tag": 1.10}}),
    'image.repository: ""': ("empty", {"image": {"repository": ""}}),
    "image.tagg: 2.0.0": ("nested", {"image": {"tagg": "2.0.0"}}),
    "flavour: brick": ("choice", {"flavour": "brick"}),
    "service.port: eighty": ("kind", {"service": {"port": "eighty"}}),
    "service.port: 0": ("range", {"service": {"port": 0}}),
    "service.port: 70000": ("range", {"service": {"port": 70000}}),
    "service.prot: 81": ("nested", {"service": {"prot": 81}}),
}


def _schema(bench: Workbench, say: Say) -> Finding:
    chart = charting.chart_at(bench.namespace(NAME).folder, CHART)
    if chart.schema is None:
        return say.no("absent")
    for words, values in GOOD.items():
        try:
            chart.render("juice", values=values)
        except LabError as error:
            return say.no("refuses", given=words, problem=error.problem)
    for words, (why, values) in BAD.items():
        try:
            chart.render("juice", values=values)
        except LabError:
            continue
        return say.no(why, given=words)
    return say.yes(good=len(GOOD), bad=len(BAD))


SCHEMA = """\
{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "replicas": {"type": "integer", "minimum": 0},
    "image": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "repository": {"type": "string", "minLength": 1},
        "tag": {"type": "string"}
      }
    },
    "flavour": {"enum": ["apple", "pear", "cherry"]},
    "service": {
      "type": "object",
      "additionalProperties": false,
      "properties": {"port": {"type": "integer", "minimum": 1, "maximum": 65535}}
    }
  }
}
"""


def _solve_schema(bench: Workbench) -> None:
    _put(bench.namespace(NAME).folder / CHART / "values.schema.json", SCHEMA)


def _bug(bench: Workbench, say: Say) -> Finding:
    folder = bench.namespace(NAME).folder
    chart = charting.chart_at(folder, CHART)
    if chart.version == "0.1.0":
        return say.no("friday")
    pears = charting.made(chart, "pears")
    labels = charting.pod_labels(pears)
    red = _failing(results(folder))
    for service in charting.of_kind(pears, "Service"):
        if not charting.selects(service, labels):
            selector = shown(get_path(service, "spec", "selector", default=None) or {})
            return say.no("mend" if red else "bug", selector=selector, labels=shown(labels))
    if red:
        return say.no("red", test=red.name, problem=red.problem)
    return _judged(folder, say) or say.yes()


def _judged(folder: Path, say: Say) -> Finding | None:
    """The trainee's tests against charts that are wrong, and one that is right in another way."""
    with _juice("friday") as friday:
        if not _failing(results(folder, friday)):
            return say.no("blind")
    with _juice("start", "deployment.yaml", "app: {{ .Release.Name }}", "app: juice") as mirrored:
        if not _failing(results(folder, mirrored)):
            return say.no("narrow")
    with _juice("start", "*.yaml", "app: {{ .Release.Name }}", "instance: {{ .Release.Name }}") as right:
        red = _failing(results(folder, right))
    return say.no("strict", test=red.name, problem=red.problem) if red else None


def _failing(found: list[Result]) -> Result | None:
    """The first test that fails, if any."""
    return next((each for each in found if each.problem), None)


@contextmanager
def _juice(stage: str, files: str = "", old: str = "", new: str = "") -> Iterator[Path]:
    """The lesson's chart as it is laid at a stage, with one text otherwise in some of its templates."""
    with tempfile.TemporaryDirectory() as place:
        chart = Path(place) / CHART
        for each in dict.fromkeys(("start", stage)):
            source = resources.files("labkit.lessons").joinpath("stages", "05", each, CHART)
            with resources.as_file(source) as laid:
                shutil.copytree(laid, chart, dirs_exist_ok=True)
        for file in (chart / "templates").glob(files) if files else ():
            _put(file, file.read_text(encoding="utf-8").replace(old, new))
        yield chart


TEST = """

def test_the_service_finds_the_pods_of_every_release(render):
    for release in ("juice", "pears"):
        made = render(release)
        labels = made["Deployment"]["spec"]["template"]["metadata"]["labels"]
        assert made["Service"]["spec"]["selector"].items() <= labels.items()
"""


def _solve_bug(bench: Workbench) -> None:
    folder = bench.namespace(NAME).folder
    with _juice("friday") as friday:
        _put(folder / CHART / "Chart.yaml", (friday / "Chart.yaml").read_text(encoding="utf-8"))
        service = (friday / "templates" / "service.yaml").read_text(encoding="utf-8")
    _put(folder / CHART / "templates" / "service.yaml", service.replace(".Chart.Name", ".Release.Name"))
    tests = folder / "tests" / "test_juice.py"
    text = tests.read_text(encoding="utf-8")
    _put(tests, text if TEST in text else text + TEST)


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


SCRIPT = written("05", NAME, {"schema": (_schema, _solve_schema), "bug": (_bug, _solve_bug)})
