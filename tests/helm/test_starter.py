from pathlib import Path

import pytest

from labkit.errors import ChartError
from labkit.helm import Chart

from .conftest import MakeChart


@pytest.fixture
def starter(make_chart: MakeChart) -> Path:
    files = {
        "Chart.yaml": "apiVersion: v2\nname: <CHARTNAME>\nversion: 0.1.0\n",
        "templates/_h.tpl": '{{ define "<CHARTNAME>.x" }}{{ end }}',
    }
    return make_chart(files, folder="starter")


def test_a_new_chart_has_its_name_wherever_the_starter_says_so(starter: Path, tmp_path: Path) -> None:
    made = Chart.create(tmp_path / "charts", "shop", starter=starter)
    assert made.name == "shop"
    assert made.path == tmp_path / "charts" / "shop"
    assert (made.path / "templates" / "_h.tpl").read_text() == '{{ define "shop.x" }}{{ end }}'
    assert [p.name for p in made.path.parent.iterdir()] == ["shop"]


def test_a_chart_that_is_there_is_not_overwritten(starter: Path, tmp_path: Path) -> None:
    made = Chart.create(tmp_path, "shop", starter=starter)
    (made.path / "mine").write_text("work")
    with pytest.raises(ChartError, match="already there"):
        Chart.create(tmp_path, "shop", starter=starter)
    assert (made.path / "mine").read_text() == "work"


@pytest.mark.parametrize(
    "name", ["Shop", "a_b", "../x", "a/b", "", "1a", "a-", "x" * 54, "yes", "null", "off"]
)
def test_a_name_that_would_not_do_later_is_refused_now(starter: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ChartError, match="cannot be the name"):
        Chart.create(tmp_path / "charts", name, starter=starter)
    assert not (tmp_path / "charts").exists()
