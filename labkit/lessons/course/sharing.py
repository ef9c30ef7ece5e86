"""Lesson 06, Package and share: a version published in a repository, and used as part of another chart."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartRepositoryError, LabError
from labkit.helm import Chart
from labkit.helm.repositories import write_index
from labkit.lessons import charting
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME, REPOSITORY = "sharing", "orchard"


def shelf(bench: Workbench) -> Path:
    """The folder that the lab serves as the HTTP repository ``/charts/orchard``."""
    return bench.home / "chart-repos" / REPOSITORY


def url(bench: Workbench) -> str:
    """Where it is served."""
    return f"{bench.url.rstrip('/')}/charts/{REPOSITORY}"


def _tidy(bench: Workbench) -> None:
    shutil.rmtree(shelf(bench), ignore_errors=True)


def _publish(bench: Workbench, say: Say) -> Finding:
    repository = bench.charts.sources.book.open(url(bench))
    try:
        versions = repository.versions("jam")
    except ChartRepositoryError as error:
        return say.no("empty", problem=error.problem)
    have = ", ".join(versions)
    if "0.2.0" not in versions:
        packed = (shelf(bench) / "jam-0.2.0.tgz").is_file()
        return say.no("index" if packed else "version", versions=have)
    if "0.1.0" not in versions:
        return say.no("replaced", versions=have)
    jars = {version: _jar(bench, version) for version in ("0.1.0", "0.2.0")}
    if jars["0.1.0"] != "plum jam":
        return say.no("rewritten", jar=jars["0.1.0"])
    if jars["0.2.0"] != "cherry jam":
        return say.no("same", jar=jars["0.2.0"])
    return say.yes(versions=have)


def _jar(bench: Workbench, version: str) -> Any:
    """What the chart of that version, as the repository gives it, makes without any values."""
    sources = bench.charts.sources
    archive = sources.book.open(url(bench)).fetch("jam", version, sources.cache)
    return _data(charting.made(Chart(archive), "check"), "jar")


def _data(objects: list[Object], key: str) -> Any:
    found = (obj.get("data") or {} for obj in charting.of_kind(objects, "ConfigMap"))
    return next((data[key] for data in found if key in data), None)


def _use(bench: Workbench, say: Say) -> Finding:
    folder = bench.home / "work" / NAME
    chart = charting.chart_at(folder, "breakfast")
    declared = [each for each in chart.dependencies if each.name == "jam"]
    if not declared:
        return say.no("undeclared")
    if f"/charts/{REPOSITORY}" not in declared[0].repository:
        return say.no("elsewhere", repository=declared[0].repository or "none")
    if not (folder / "breakfast" / "Chart.lock").is_file():
        return say.no("lock")
    standing = next(each for each in bench.charts.dependencies(chart).standing() if each.name == "jam")
    if standing.status != "ok":
        return say.no("missing", status=standing.status)
    objects = charting.made(chart, "sunday")
    jar = _data(objects, "jar")
    if jar != "apricot jam":
        nested = "flavour" in chart.values
        return say.no("flat" if nested else "flavour", jar=jar or "no jam at all")
    if _data(objects, "table") is None:
        return say.no("table")
    try:
        without = _data(charting.made(chart, "sunday", set=["jam.enabled=false"]), "jar")
    except LabError as error:
        return say.no("condition", seen=error.problem)
    return say.no("condition", seen=without) if without else say.yes(version=declared[0].version)


def _twice(bench: Workbench, say: Say) -> Finding:
    chart = charting.chart_at(bench.home / "work" / NAME, "picnic")
    copies = sorted(each.name for each in (chart.path / "charts").iterdir())
    if len(copies) > 1:
        return say.no("copied", charts=", ".join(copies))
    called = [each.alias or each.name for each in chart.dependencies if each.name == "jam"]
    if len(called) < 2:
        return say.no("once", number="once" if called else "not at all")
    if len(set(called)) < len(called):
        return say.no("same", name=max(called, key=called.count))
    objects = charting.of_kind(charting.made(chart, "sunday"), "ConfigMap")
    found = sorted(str(obj["data"]["jar"]) for obj in objects if "jar" in (obj.get("data") or {}))
    jars = " and ".join(found) or "no jam at all"
    unsaid = [name for name in called if name not in chart.values]
    if found != ["apricot jam", "quince jam"]:
        return say.no("flat" if unsaid else "flavour", jars=jars, names=" or ".join(unsaid))
    return say.yes(jars=jars)


BREAKFAST = """\
apiVersion: v2
name: breakfast
description: A table with jam on it
version: 0.1.0
dependencies:
  - name: jam
    version: 0.2.x
    repository: {url}
    condition: jam.enabled
"""
PICNIC = """\
apiVersion: v2
name: picnic
version: 0.2.0
dependencies:
  - name: jam
    version: 0.1.x
    repository: ""
    alias: bread
  - name: jam
    version: 0.1.x
    repository: ""
    alias: cake
"""


def publish(bench: Workbench, flavour: str, version: str) -> None:
    """Package jam with that flavour as that version, and put it into the repository's index."""
    jam = bench.home / "work" / NAME / "jam"
    _put(jam / "values.yaml", f"flavour: {flavour}\n")
    _put(jam / "Chart.yaml", f'apiVersion: v2\nname: jam\nversion: {version}\nappVersion: "1.0.0"\n')
    shelf(bench).mkdir(parents=True, exist_ok=True)
    Chart(jam).package(shelf(bench))
    write_index(shelf(bench))


def _solve_publish(bench: Workbench) -> None:
    for flavour, version in (("plum", "0.1.0"), ("cherry", "0.2.0")):
        publish(bench, flavour, version)


def _solve_use(bench: Workbench) -> None:
    _solve_publish(bench)
    breakfast = bench.home / "work" / NAME / "breakfast"
    _put(breakfast / "Chart.yaml", BREAKFAST.format(url=url(bench)))
    _put(breakfast / "values.yaml", "table: oak\njam:\n  enabled: true\n  flavour: apricot\n")
    bench.charts.dependencies(Chart(breakfast)).update()


def _solve_twice(bench: Workbench) -> None:
    picnic = bench.home / "work" / NAME / "picnic"
    _put(picnic / "Chart.yaml", PICNIC)
    _put(picnic / "values.yaml", "bread:\n  flavour: apricot\ncake:\n  flavour: quince\n")


def _put(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


TASKS = {
    "publish": (_publish, _solve_publish),
    "use": (_use, _solve_use),
    "twice": (_twice, _solve_twice),
}
SCRIPT = written("06", NAME, TASKS, tidy=_tidy)
