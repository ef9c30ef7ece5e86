"""Each chart of ``charts/broken`` fails in its own way, in the words that a lesson shows; and one edit mends it."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest

from labkit.cluster import Cluster, provider
from labkit.errors import ChartError, ReleaseError, RenderError, ValuesError
from labkit.helm import Chart
from labkit.helm.dependencies import Dependencies
from labkit.helm.releases import Releases
from labkit.helm.releases.releases import Plan
from labkit.helm.repositories import ChartRepository
from labkit.helm.values import Given

CHARTS = Path(__file__).parents[2] / "charts"
NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
WAIT = Plan(wait="watcher", seconds=60)
NAMES = sorted(path.parent.name for path in (CHARTS / "broken").glob("*/Chart.yaml"))


@pytest.fixture
def broken(tmp_path: Path):
    """A copy of a broken chart, with its neighbours where it expects them."""
    shutil.copytree(CHARTS, tmp_path / "charts")

    def find(name: str) -> Chart:
        return Chart(tmp_path / "charts" / "broken" / name, shown_as=name)

    return find


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory):
    sandboxes = provider("sandbox", tmp_path_factory.mktemp("broken"))
    sandboxes.create("broken")
    yield sandboxes.kubeconfig("broken")
    sandboxes.delete("broken")


@pytest.fixture
def releases(kubeconfig) -> Releases:
    return Releases(kubeconfig)


def edit(chart: Chart, file: str, before: str, after: str) -> None:
    path = chart.path / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def build(chart: Chart) -> None:
    Dependencies(chart.path, ChartRepository, cache=chart.path.parent / "cache").build(NOON)


def rendered(chart: Chart, kind: str, **given: object) -> dict:
    (found,) = [each.obj for each in chart.render("demo", **given).objects if each.kind == kind]  # type: ignore[arg-type]
    return found


def test_the_list_names_each_of_them_and_each_has_a_lesson() -> None:
    listed = (CHARTS / "broken" / "README.md").read_text()
    assert len(NAMES) == 11
    for name in NAMES:
        assert f"[{name}]({name}/README.md)" in listed
        assert "esson" in (CHARTS / "broken" / name / "README.md").read_text()


def test_lost_dot(broken) -> None:
    chart = broken("lost-dot")
    with pytest.raises(RenderError, match=r"configmap.yaml:7.*`.Values` is not here"):
        chart.render("demo")
    edit(chart, "templates/configmap.yaml", "{{ .Values.greeting }}", "{{ $.Values.greeting }}")
    assert rendered(chart, "ConfigMap")["data"] == {"guest-0": "Welcome, Ada", "guest-1": "Welcome, Grace"}


def test_flat(broken) -> None:
    chart = broken("flat")
    assert rendered(chart, "ConfigMap")["team"] == "fruit"
    edit(
        chart,
        "templates/configmap.yaml",
        '{{ include "flat.labels" . }}',
        '{{- include "flat.labels" . | nindent 4 }}',
    )
    assert rendered(chart, "ConfigMap")["metadata"]["labels"]["team"] == "fruit"


def test_loose_types(broken, releases: Releases) -> None:
    chart = broken("loose-types")
    assert [each for each in chart.lint() if each.severity == "error"] == []
    with pytest.raises(
        ReleaseError, match=r"(?s)configmap.yaml:1: .*data.version: expected string"
    ) as refused:
        releases.install("types", chart)
    assert "correct the template" in refused.value.fix
    edit(chart, "templates/configmap.yaml", "{{ .Values.shown }}", "{{ .Values.shown | quote }}")
    edit(chart, "values.yaml", "1.10", '"1.10"')
    assert releases.upgrade("types", chart, install=True).objects[0].obj["data"] == {"version": "1.10"}


def test_blind_service(broken) -> None:
    chart = broken("blind-service")
    assert [each for each in chart.lint(strict=True) if each.severity != "info"] == []

    def finds() -> bool:
        pods = rendered(chart, "Deployment")["spec"]["template"]["metadata"]["labels"]
        return bool(rendered(chart, "Service")["spec"]["selector"].items() <= pods.items())

    assert not finds()
    edit(chart, "templates/service.yaml", "{{ .Chart.Name }}", "{{ .Release.Name }}")
    assert finds()


def test_misspelt(broken, releases: Releases) -> None:
    chart = broken("misspelt")
    assert [each for each in chart.lint() if each.severity == "error"] == []
    with pytest.raises(ReleaseError, match=r"(?s)deployment.yaml:1: .*\.spec\.replica: field not declared"):
        releases.install("spelt", chart)
    edit(chart, "templates/deployment.yaml", "replica:", "replicas:")
    assert releases.upgrade("spelt", chart, install=True).status == "deployed"


def test_deaf_schema(broken) -> None:
    chart = broken("deaf-schema")
    for flag in ("replicaCount=many", "replicas=3"):
        chart.render("demo", set=[flag])
    edit(chart, "values.schema.json", '"replicaCount": {}', '"replicaCount": {"type": "integer"}')
    edit(chart, "values.schema.json", '"type": "object",', '"type": "object", "additionalProperties": false,')
    for flag in ("replicaCount=many", "replicas=3"):
        with pytest.raises(ValuesError, match="the chart's schema refuses"):
            chart.render("demo", set=[flag])


def test_stale_lock(broken) -> None:
    chart = broken("stale-lock")
    with pytest.raises(ChartError, match="the lock does not belong to"):
        build(chart)
    Dependencies(chart.path, ChartRepository, cache=chart.path / "cache").update(NOON)
    build(chart)
    assert "version: 1.0.0" in (chart.path / "Chart.lock").read_text()
    assert rendered(chart, "Deployment")["spec"]["replicas"] == 2


def test_unheard(broken) -> None:
    chart = broken("unheard")
    with pytest.raises(ChartError, match="declares dependencies that are not in its charts/ folder: hello"):
        chart.render("demo")
    build(chart)
    assert rendered(chart, "Deployment")["spec"]["replicas"] == 2
    assert rendered(chart, "Deployment", values={"hello": {"replicaCount": 5}})["spec"]["replicas"] == 5


def test_moving_selector(broken, releases: Releases) -> None:
    chart = broken("moving-selector")
    releases.install("moving", chart)
    edit(chart, "Chart.yaml", "version: 0.1.0", "version: 0.2.0")
    with pytest.raises(ReleaseError, match=r"(?s)never changes that field.*selector.*immutable"):
        releases.upgrade("moving", chart)
    assert [each.status for each in releases.history("moving")] == ["deployed", "failed"]
    edit(
        chart,
        "templates/deployment.yaml",
        "      version: {{ .Chart.Version | quote }}\n  template",
        "  template",
    )
    releases.uninstall("moving")
    releases.install("moving", chart)
    edit(chart, "Chart.yaml", "version: 0.2.0", "version: 0.3.0")
    assert releases.upgrade("moving", chart).status == "deployed"


def test_failing_hook(broken, releases: Releases, kubeconfig) -> None:
    chart = broken("failing-hook")
    releases.install("hook", chart)
    with pytest.raises(ReleaseError, match=r"(?s)a hook of the chart failed.*hook-check"):
        releases.upgrade("hook", chart, Given(set=["replicaCount=3"]))
    with Cluster.from_kubeconfig(kubeconfig, own=True) as cluster:
        assert cluster.get("apps/v1", "Deployment", "hook-web", "default")["spec"]["replicas"] == 2
        assert cluster.get("batch/v1", "Job", "hook-check", "default")["status"]["failed"] == 1
    made = releases.upgrade("hook", chart, Given(set=["replicaCount=3", "check=0"]))
    assert (made.status, made.revision) == ("deployed", 3)


def test_no_such_image(broken, releases: Releases) -> None:
    chart = broken("no-such-image")
    assert releases.install("image", chart).status == "deployed"
    with pytest.raises(ReleaseError, match="not everything was ready in time"):
        releases.upgrade("image", chart, plan=Plan(wait="watcher", seconds=2))
    edit(chart, "Chart.yaml", "does-not-exist", "1.0.0")
    assert releases.upgrade("image", chart, plan=WAIT).status == "deployed"


@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_of_ours_would_be_another_one(broken, name: str) -> None:
    """Beside the planted mistake all is well: the chart loads, and its values fit its schema."""
    chart = Chart.load(broken(name).path)
    assert set(chart.values) <= set((chart.schema or {})["properties"])
    if name not in {"lost-dot", "stale-lock", "unheard"}:
        assert chart.render("demo").objects
