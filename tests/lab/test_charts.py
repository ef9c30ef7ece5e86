"""``lab.charts``: the charts of the lab folder, and any other."""

from __future__ import annotations

import pytest

from labkit.errors import ChartError, RenderError
from labkit.lab.charts import Charts


def test_messages_name_a_chart_of_the_lab_folder_without_the_folder(tmp_path):
    charts = Charts(tmp_path / "charts")
    path = charts.create("web", tmp_path / "work").path
    (path / "templates" / "service.yaml").write_text("{{ qoute 1 }}", encoding="utf-8")
    with pytest.raises(RenderError) as caught:
        charts.load(path).render()
    assert caught.value.where.startswith("work/web/templates/service.yaml:1")


def test_a_chart_from_elsewhere_is_named_by_its_path(tmp_path):
    charts = Charts(tmp_path / "lab" / "charts")
    elsewhere = tmp_path / "elsewhere" / "web"
    elsewhere.mkdir(parents=True)
    with pytest.raises(ChartError) as caught:
        charts.load(elsewhere)
    assert str(elsewhere) in caught.value.where


def test_a_chart_that_is_not_there_is_told_with_those_that_are(tmp_path):
    charts = Charts(tmp_path / "charts")
    charts.create("web")
    with pytest.raises(ChartError, match="no chart 'wep'") as caught:
        charts["wep"]
    assert "There are: web" in caught.value.fix
