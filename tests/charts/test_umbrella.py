"""``store`` and ``common``: an umbrella of three dependencies, rendered as the ``helm`` command prints it."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from pathlib import Path

import pytest

from labkit.errors import ChartError, ValuesError
from labkit.helm import Chart
from labkit.helm.dependencies import Dependencies
from labkit.helm.repositories import ChartRepository

CHARTS = Path(__file__).parents[2] / "charts"
NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Chart:
    shutil.copytree(CHARTS, tmp_path / "charts")
    folder = tmp_path / "charts" / "store"
    lock = (folder / "Chart.lock").read_text()
    Dependencies(folder, ChartRepository, cache=tmp_path / "cache").build(NOON)
    assert (folder / "Chart.lock").read_text() == lock, "the lock that is committed is up to date"
    return Chart(folder)


def names(chart: Chart, *flags: str) -> set[str]:
    return {f"{each.kind}/{each.name}" for each in chart.render("demo", set=flags).objects}


FRONT = {
    "ConfigMap/demo-store-directory",
    "ConfigMap/demo-front",
    "Service/demo-front",
    "Deployment/demo-front",
}
OFFICE = {"ConfigMap/demo-office", "Service/demo-office", "Deployment/demo-office"}


def test_a_condition_decides_over_a_part_and_wins_over_its_tag(store: Chart) -> None:
    assert names(store) == FRONT
    assert names(store, "parts.office=true") == FRONT | OFFICE
    assert names(store, "tags.inside=true") == FRONT
    assert names(store, "parts.office=null", "tags.inside=false") == FRONT
    assert names(store, "parts.office=null") == FRONT | OFFICE


def test_each_alias_has_values_of_its_own(store: Chart) -> None:
    made = store.render("demo", set=["parts.office=true", "front.replicaCount=3"]).objects
    replicas = {each.name: each.obj["spec"]["replicas"] for each in made if each.kind == "Deployment"}
    assert replicas == {"demo-front": 3, "demo-office": 1}
    colours = {each.name: each.obj["data"].get("COLOUR") for each in made if each.kind == "ConfigMap"}
    assert colours == {"demo-front": "green", "demo-office": "grey", "demo-store-directory": None}


def test_the_parent_sees_a_subcharts_values_and_what_it_imports_from_its_own(store: Chart) -> None:
    def listed(*flags: str) -> dict[str, str]:
        made = {
            each.name: each.obj
            for each in store.render("demo", set=flags).objects
            if each.kind == "ConfigMap"
        }
        return dict(made["demo-store-directory"]["data"])

    assert listed() == {"front": "demo-front:80", "runs": "gitops-lab/hello", "opening": "9:00-18:00"}
    assert listed("front.service.port=8080")["front"] == "demo-front:8080"
    given = listed("front.image.repository=other")["runs"]
    assert given == "gitops-lab/hello", "only the subchart's own values are imported, not those given for it"


def test_a_subcharts_schema_holds_below_the_umbrella(store: Chart) -> None:
    with pytest.raises(ValuesError, match=r"front.replicaCount"):
        store.render("demo", set=["front.replicaCount=many"])
    with pytest.raises(ValuesError, match="the chart's schema refuses"):
        store.render("demo", set=["opening=always"])


@pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")
@pytest.mark.parametrize(
    "flags", [[], ["parts.office=true"], ["tags.inside=true,front.message=a: b,front.service.port=8080"]]
)
def test_it_renders_as_helm_template_prints_it(store: Chart, flags: list[str]) -> None:
    given = [part for each in flags for part in ("--set", each)]
    command = ["helm", "template", "demo", str(store.path), *given]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    mine = store.render("demo", set=flags).manifest
    assert [line for line in mine.splitlines() if line.strip()] == [
        line for line in printed.splitlines() if line.strip()
    ]


def test_a_library_renders_nothing_by_itself() -> None:
    with pytest.raises(ChartError, match="library chart"):
        Chart(CHARTS / "common").render("demo")


@pytest.mark.parametrize("name", ["common", "store"])
def test_both_are_clean_under_strict_lint(store: Chart, name: str) -> None:
    chart = store if name == "store" else Chart(CHARTS / "common")
    assert [each for each in chart.lint(strict=True) if each.severity != "info"] == []


def test_common_names_an_image_or_asks_for_one(tmp_path: Path) -> None:
    folder = tmp_path / "user"
    shutil.copytree(CHARTS / "common", folder / "charts" / "common")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: user\nversion: 0.1.0\nappVersion: '2'\n")
    (folder / "values.yaml").write_text("image: {}\n")
    (folder / "templates" / "a.yaml").write_text(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ include "common.fullname" . }}}\n'
        'data: {image: {{ include "common.image" . }}}\n'
    )
    chart = Chart(folder)
    with pytest.raises(Exception, match="which image is to run"):
        chart.render("demo")
    (made,) = chart.render("demo", set=["image.repository=shop"]).objects
    assert (made.name, made.obj["data"]["image"]) == ("demo-user", "shop:2")
