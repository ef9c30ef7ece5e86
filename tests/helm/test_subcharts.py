"""A chart with subcharts renders by what is given now, whatever was given before."""

from pathlib import Path

import pytest

from labkit.errors import RenderError
from labkit.helm import Chart

SUBCHART = "apiVersion: v2\nname: cache\nversion: 1.0.0\n"
PARENT = """\
apiVersion: v2
name: shop
version: 0.1.0
dependencies:
  - {name: cache, version: 1.x, condition: cache.enabled, import-values: [exported]}
"""
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {port: %s}\n"


@pytest.fixture
def shop(tmp_path: Path, backend: str) -> Chart:
    cache = tmp_path / "shop" / "charts" / "cache"
    (cache / "templates").mkdir(parents=True)
    (cache / "Chart.yaml").write_text(SUBCHART)
    (cache / "values.yaml").write_text("{port: 1, exports: {exported: {cachePort: 6379}}}")
    (cache / "templates" / "a.yaml").write_text(
        OBJECT % ("cache", "{{ required `a port, please` .Values.port | quote }}")
    )
    parent = tmp_path / "shop"
    (parent / "templates").mkdir()
    (parent / "Chart.yaml").write_text(PARENT)
    (parent / "values.yaml").write_text("{cache: {enabled: true}}")
    (parent / "templates" / "a.yaml").write_text(OBJECT % ("shop", "{{ .Values.cachePort | quote }}"))
    return Chart(parent, with_backend=backend)


def seen(chart: Chart, *flags: str) -> dict[str, str | None]:
    return {each.name: each.obj["data"]["port"] for each in chart.render("demo", set=flags).objects}


def test_a_subchart_that_was_turned_off_comes_back(shop: Chart) -> None:
    assert set(seen(shop, "cache.enabled=false")) == {"shop"}
    assert seen(shop) == {"shop": "6379", "cache": "1"}


def test_a_subchart_comes_back_after_a_render_that_failed(shop: Chart) -> None:
    with pytest.raises(RenderError, match="a port, please"):
        shop.render("demo", set=["cache.port="])
    assert seen(shop) == {"shop": "6379", "cache": "1"}


def test_a_value_imported_from_a_subchart_goes_with_it(shop: Chart) -> None:
    assert seen(shop) == {"shop": "6379", "cache": "1"}
    assert seen(shop, "cache.enabled=false") == {"shop": None}
    assert seen(shop) == {"shop": "6379", "cache": "1"}
