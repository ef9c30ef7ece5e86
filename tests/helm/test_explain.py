from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.helm import Chart, Difference, differences
from labkit.helm.compare import differing
from labkit.helm.explain import line_of, parse_path

from .conftest import CONFIG_MAP, MakeChart

Build = Callable[..., Chart]
VALUES = """\
# tag: not this one
other:
  tag: x
image:
  repository: web

  tag: "1.0"  # the version
hosts:
  - name: a
"""


def test_a_value_is_explained_by_every_source_that_gives_it(chart: Build, tmp_path: Path) -> None:
    prod = tmp_path / "prod.yaml"
    prod.write_text("replicas: 3\nimage:\n  tag: '2.0'\n")
    seen = chart(values=VALUES).explain("image.tag", value_files=[prod], set=["image.tag=v3", "other.tag=y"])
    assert seen.value == "v3"
    assert [(s.name, s.value) for s in seen.sources] == [
        ("values.yaml:7", "1.0"),
        (f"{prod}:3", "2.0"),
        ("--set image.tag=v3", "v3"),
    ]
    assert str(seen).splitlines()[-1].startswith("→ --set image.tag=v3")


def test_an_item_of_a_list_is_explained(chart: Build) -> None:
    seen = chart(values=VALUES).explain("hosts[0].name")
    assert (seen.value, [s.name for s in seen.sources]) == ("a", ["values.yaml:8"])


def test_a_value_that_nobody_gives_is_said_to_be_so(chart: Build) -> None:
    assert str(chart(values=VALUES).explain("nothing.here")) == "nothing.here: nobody gives it a value"


@pytest.mark.parametrize(
    ("path", "line"),
    [("image", 4), ("image.tag", 7), ("other.tag", 3), ("image.nothing", 0), ("tag", 0), ("hosts", 8)],
)
def test_the_line_of_a_value_is_found(path: str, line: int) -> None:
    assert line_of(VALUES, parse_path(path)) == line


def test_a_subchart_s_own_value_is_the_lowest_source(make_chart: MakeChart, backend: str) -> None:
    sub = "charts/sub-1.0.0"
    root = make_chart(
        {
            "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n"
            "dependencies:\n- {name: sub, version: 1.0.0, alias: front, condition: front.enabled}\n",
            "values.yaml": "front:\n  colour: red\n",
            f"{sub}/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
            f"{sub}/values.yaml": "colour: blue\nport: 80\n",
        }
    )
    built = Chart(root, with_backend=backend)
    assert [each.name for each in built.explain("front.colour").sources] == [
        f"{sub}/values.yaml:1",
        "values.yaml:2",
    ]
    port = built.explain("front.port")
    assert (port.value, [each.name for each in port.sources]) == (80, [f"{sub}/values.yaml:2"])
    assert not built.explain("front.port", set=["front.enabled=false"]).sources
    assert not built.explain("sub.port").sources


def test_a_path_may_have_dots_in_a_name() -> None:
    assert parse_path(r"a.b\.c[2].d") == ["a", "b.c", 2, "d"]


def test_two_renders_differ_in_what_was_added_removed_and_changed(chart: Build) -> None:
    parts = [
        CONFIG_MAP + "data: {x: {{ .Values.x | quote }}}\n",
        "{{ if .Values.old }}\napiVersion: v1\nkind: Secret\nmetadata: {name: old}\n{{ end }}",
        "{{ if .Values.new }}\napiVersion: v1\nkind: Service\nmetadata: {name: new}\n{{ end }}",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: same}\n",
    ]
    built = chart("\n---\n".join(parts))
    found = differences(
        built.render(values={"x": 1, "old": True}), built.render(values={"x": 2, "new": True})
    )
    assert [str(each) for each in found] == [
        "ConfigMap release-name changed (templates/a.yaml)",
        "Service new added (templates/a.yaml)",
        "Secret old removed (templates/a.yaml)",
    ]
    assert isinstance(found[0], Difference)
    assert "-  x: '1'\n+  x: '2'" in found[0].text


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_a_secret_s_change_is_shown_and_its_values_are_not(chart: Build, field: str) -> None:
    value = "{{ .Values.x | b64enc }}" if field == "data" else "{{ .Values.x }}"
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: key}}\n{field}: {{same: c2FtZQ==, x: {value}}}\n"
    built = chart(text)
    (found,) = differences(built.render(values={"x": "hush"}), built.render(values={"x": "whisper"}))
    assert "-  x: ++++++++\n+  x: ++++++++++++" in found.text
    for secret in ("hush", "aHVzaA", "whisper", "d2hpc3Blcg", "c2FtZQ"):
        assert secret not in found.text
    (added,) = differing((), built.render(values={"x": "hush"}).objects)
    assert "aHVzaA" not in added.text


def test_equal_renders_do_not_differ(chart: Build) -> None:
    built = chart(CONFIG_MAP)
    assert differences(built.render(), built.render()) == []
