"""What the tests share: render(...) gives the chart's objects, by their kind."""

from pathlib import Path

import pytest

from labkit.helm import Chart

FOLDER = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--chart", default="juice", help="the folder of the chart to test")


@pytest.fixture
def render(request):
    """render("pears", "replicas=3") renders release pears with --set replicas=3."""
    chart = Chart.load(FOLDER / request.config.getoption("--chart"))

    def render(release="juice", *flags):
        return {each.kind: each.obj for each in chart.render(release, set=flags, skip_tests=True).objects}

    return render
