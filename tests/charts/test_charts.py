"""The charts that the lab ships do what a learner will be shown with them."""

import json
from pathlib import Path

import pytest

from labkit.errors import ValuesError
from labkit.helm import Chart, RenderedObject

CHARTS = Path(__file__).parents[2] / "charts"


@pytest.fixture
def web(tmp_path: Path) -> Chart:
    return Chart.create(tmp_path, "web", starter=CHARTS / "starter")


def objects(chart: Chart, **given: object) -> dict[str, RenderedObject]:
    return {each.kind: each for each in chart.render("shop", **given).objects}  # type: ignore[arg-type]


def test_the_starter_makes_a_deployment_a_service_and_a_config_map(web: Chart) -> None:
    made = objects(web)
    assert set(made) == {"ConfigMap", "Service", "Deployment"}
    assert {each.name for each in made.values()} == {"shop-web"}


def test_the_service_finds_the_deployments_pods(web: Chart) -> None:
    made = objects(web)
    pods = made["Deployment"].obj["spec"]["template"]
    selector = made["Service"].obj["spec"]["selector"]
    assert selector.items() <= pods["metadata"]["labels"].items()
    assert selector == made["Deployment"].obj["spec"]["selector"]["matchLabels"]
    target = made["Service"].obj["spec"]["ports"][0]["targetPort"]
    assert target in [port["name"] for port in pods["spec"]["containers"][0]["ports"]]


def test_the_image_has_the_charts_app_version_unless_values_say_otherwise(web: Chart) -> None:
    def image(**given: object) -> str:
        return str(
            objects(web, **given)["Deployment"].obj["spec"]["template"]["spec"]["containers"][0]["image"]
        )

    assert image() == "gitops-lab/hello:1.0.0"
    assert image(set_string=["image.tag=1.10"]) == "gitops-lab/hello:1.10"


def test_what_the_application_shows_comes_from_values(web: Chart) -> None:
    data = objects(web, values={"colour": "yes", "message": "a: b # c"})["ConfigMap"].obj["data"]
    assert data == {"COLOUR": "yes", "MESSAGE": "a: b # c"}


def test_a_changed_config_map_is_a_changed_pod(web: Chart) -> None:
    def checksum(colour: str) -> str:
        template = objects(web, values={"colour": colour})["Deployment"].obj["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum("red") == checksum("red") != checksum("blue")


def test_probes_and_resources_may_be_left_out(web: Chart) -> None:
    made = objects(web, values={"probes": {"liveness": None}, "resources": None})
    container = made["Deployment"].obj["spec"]["template"]["spec"]["containers"][0]
    assert "resources" not in container
    assert container["livenessProbe"] == {"httpGet": {"path": "/healthz", "port": "http"}}


@pytest.mark.parametrize(
    "flag",
    [
        "replicaCount=two",
        "replicaCount=-1",
        "service.port=0",
        "image.tag=1.5,replicas=3",
        "colour=Blue!",
        "image.repository=",
    ],
)
def test_the_schema_refuses_what_would_not_work(web: Chart, flag: str) -> None:
    with pytest.raises(ValuesError, match="the chart's schema refuses"):
        web.render(set=[flag])


def test_every_value_is_described_by_the_schema(web: Chart) -> None:
    assert web.schema is not None
    assert set(web.values) <= set(web.schema["properties"])


def test_notes_say_how_to_look_at_the_release(web: Chart) -> None:
    notes = web.render("shop").notes
    assert "rollout status deployment/shop-web" in notes
    assert "services/shop-web:http/proxy/" in notes


def test_the_starter_is_clean_under_strict_lint(web: Chart) -> None:
    assert [m for m in web.lint(strict=True) if m.severity != "info"] == []


def test_a_long_release_name_still_makes_valid_names(web: Chart) -> None:
    assert all(len(each.name) <= 63 for each in web.render("x" * 53).objects)


def test_hello_is_the_starter_filled_in(tmp_path: Path) -> None:
    made = Chart.create(tmp_path, "hello", starter=CHARTS / "starter")
    assert Chart.load(CHARTS / "hello").files().files == made.files().files


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in CHARTS.rglob("Chart.yaml")), ids=lambda p: p.name
)
def test_every_chart_has_a_readme_and_a_schema(folder: Path) -> None:
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert json.loads((folder / "values.schema.json").read_text(encoding="utf-8"))["type"] == "object"
