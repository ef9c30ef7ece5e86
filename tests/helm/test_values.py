from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.errors import HelmError, ValuesError
from labkit.helm import Chart
from labkit.helm.explain import origin
from labkit.helm.values import Given, merge

from .conftest import CONFIG_MAP

Build = Callable[..., Chart]


def test_later_sources_win_whatever_order_they_are_given_in(chart: Build, tmp_path: Path) -> None:
    one, two, text = tmp_path / "one.yaml", tmp_path / "two.yaml", tmp_path / "text"
    one.write_text("b: one\nc: one\nd: one\ne: one\nf: one\ng: one\n")
    two.write_text("c: two\nd: two\ne: two\nf: two\ng: two\n")
    text.write_text("file")
    merged = chart(values="a: chart\nb: chart\n").merged(
        set_file=[f"g={text}"],
        set_string=["f=string", "g=string"],
        set=["e=set", "f=set", "g=set"],
        values={"d": "data", "e": "data", "f": "data", "g": "data"},
        value_files=[one, two],
    )
    assert merged == {
        "a": "chart", "b": "one", "c": "two", "d": "data", "e": "set", "f": "string", "g": "file"
    }  # fmt: skip


def test_maps_are_merged_and_lists_are_replaced(chart: Build) -> None:
    merged = chart(values="m: {a: 1, b: 2}\nl: [1, 2, 3]\n").merged(values="m: {b: 3}\nl: [9]\n")
    assert merged == {"m": {"a": 1, "b": 3}, "l": [9]}


def test_null_removes_the_charts_own_value(chart: Build) -> None:
    built = chart(values="a: 1\nprobe: {http: {path: /}}\n")
    assert built.merged(values={"probe": {"http": None}}) == {"a": 1, "probe": {}}
    assert built.merged(set=["a=null"]) == {"probe": {"http": {"path": "/"}}}


def test_setting_an_item_of_the_charts_list_replaces_the_list(chart: Build) -> None:
    assert chart(values="hosts: [a, b]\n").merged(set=["hosts[0]=c"]) == {"hosts": ["c"]}


def test_values_keep_their_kind(chart: Build) -> None:
    merged = chart(values="size: 1\n").merged(set=["port=80", "debug=true"], set_string=["tag=1.10"])
    assert merged == {"size": 1, "port": 80, "debug": True, "tag": "1.10"}


def test_what_the_chart_itself_says_stays_apart(chart: Build) -> None:
    assert chart(values="a: 1\n").values == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem", "where"),
    [
        ("a: 1\nb: [", "not YAML", "bad.yaml:"),
        ("a:\n\tb: 1", "not YAML", "bad.yaml:2"),
        ("- a\n- b", "this is a list", "bad.yaml"),
        ("just text", "this is a text", "bad.yaml"),
        ("a: b: c", "mapping values", "bad.yaml:1"),
    ],
)
def test_values_that_cannot_be_read_name_file_and_line(
    chart: Build, tmp_path: Path, text: str, problem: str, where: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError, match=problem) as caught:
        chart().render(value_files=[file])
    assert where in caught.value.where
    assert caught.value.fix


def test_the_charts_own_values_are_named_when_they_are_not_yaml(chart: Build) -> None:
    built = chart(values="a: 1\nb: [\n")
    with pytest.raises(ValuesError) as caught:
        _ = built.values
    assert caught.value.where.startswith("web/values.yaml:")
    with pytest.raises(HelmError, match=r"values\.yaml") as rendering:
        built.render()
    assert "values.yaml" in str(rendering.value)


def test_a_values_file_that_is_not_there_is_named(chart: Build) -> None:
    with pytest.raises(ValuesError, match="no such values file") as caught:
        chart().render(value_files=["nowhere.yaml"])
    assert caught.value.where == "nowhere.yaml"


def test_a_values_file_that_is_not_text_is_named(chart: Build, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(b"a: \xff\n")
    with pytest.raises(ValuesError, match="UTF-8"):
        chart().render(value_files=[file])


def test_an_empty_values_file_changes_nothing(chart: Build, tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text("# nothing yet\n")
    assert chart(values="a: 1\n").merged(value_files=[file]) == {"a": 1}


SCHEMA = """{"additionalProperties": false, "properties": {
  "replicas": {"type": "integer"}, "image": {"properties": {"tag": {"type": "string"}}}}}"""


def test_what_the_schema_refuses_names_the_value_and_who_gave_it(chart: Build, tmp_path: Path) -> None:
    file = tmp_path / "prod.yaml"
    file.write_text("image:\n  tag: 1.10\n")
    built = chart(CONFIG_MAP, **{"values.schema.json": SCHEMA})
    with pytest.raises(ValuesError) as caught:
        built.render(value_files=[file], set=["replicas=two"])
    assert caught.value.where == "web/values.schema.json"
    assert f"`image.tag` ({file}:2): it is a number, and must be a string" in caught.value.problem
    assert "`replicas` (--set replicas=two): it is a string, and must be an integer" in caught.value.problem


def test_a_subcharts_schema_names_the_value_as_the_parent_writes_it(
    make_chart: Callable[..., Path], backend: str
) -> None:
    root = make_chart(
        {
            "templates/a.yaml": CONFIG_MAP,
            "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
            "charts/sub/values.schema.json": SCHEMA.replace('"additionalProperties": false, ', ""),
        }
    )
    with pytest.raises(ValuesError, match=r"`sub\.replicas` \(--set sub\.replicas=two\)"):
        Chart(root, with_backend=backend).render(set=["sub.replicas=two"])


def test_a_schema_that_forgot_the_subcharts_is_told_how_to_let_them_in(
    make_chart: Callable[..., Path], backend: str
) -> None:
    root = make_chart(
        {
            "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n"
            "dependencies:\n- {name: sub, version: 0.1.0, alias: front}\n",
            "templates/a.yaml": CONFIG_MAP,
            "values.schema.json": '{"additionalProperties": false}',
            "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
        }
    )
    chart = Chart(root, with_backend=backend)
    with pytest.raises(ValuesError) as caught:
        chart.render()
    assert caught.value.fix.startswith(
        "front is a dependency of this chart, and finds its values there: list it"
    )
    (root / "values.schema.json").write_text(
        '{"additionalProperties": false, "properties": {"front": {"type": "object"}, "global": {}}}'
    )
    assert chart.render().objects


def test_where_a_value_came_from_is_the_last_source_that_gives_it() -> None:
    given = Given(values={"a": {"b": 1}, "c": 1}, set=["a.b=2", "list[1].x=3"])
    assert [origin(given, path) for path in ("a.b", "c", "a", "z")] == [
        "--set a.b=2",
        "values",
        "--set a.b=2",
        "",
    ]


def test_merging_leaves_its_parts_as_they_were() -> None:
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merge(base, over) == {"a": {"b": 1, "c": 2}}
    assert (base, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_values_given_as_data_are_not_changed_by_flags() -> None:
    data = {"image": {"tag": "1"}, "list": [{"x": 1}]}
    Given(values=data, set=["image.tag=2", "list[0].x=2"]).merged()
    assert data == {"image": {"tag": "1"}, "list": [{"x": 1}]}


NUMBERS = "{{ $.Values.tag }} {{ kindOf $.Values.tag }} {{ $.Values.list }} {{ $.Values.m.x }} "
NUMBERS += "{{ (index $.Values.maps 0).n }}"


def test_numbers_of_flags_are_whole_numbers_and_those_of_files_are_floats(chart: Build) -> None:
    built = chart(CONFIG_MAP + "data:\n  x: " + NUMBERS + "\n")
    flags = ["tag=20241123", "list={1234567,a}", "m.x=-7654321", "maps[0].n=1000000", "m.other={x}"]
    seen = built.render(set=flags).objects[0].obj["data"]["x"]
    assert seen == "20241123 int64 [1234567 a] -7654321 1000000"
    data = {"tag": 20241123, "list": [1234567, "a"], "m": {"x": -7654321}, "maps": [{"n": 1000000}]}
    seen = built.render(values=data).objects[0].obj["data"]["x"]
    assert seen == "2.0241123e+07 float64 [1.234567e+06 a] -7.654321e+06 1e+06"


def test_numbers_of_flags_reach_subcharts(make_chart: Callable[..., Path], backend: str) -> None:
    root = make_chart(
        {
            "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
            "charts/sub/templates/a.yaml": CONFIG_MAP
            + "data: {a: '{{ .Values.tag }}', b: '{{ .Values.global.tag }}'}\n",
        }
    )
    rendered = Chart(root, with_backend=backend).render(set=["sub.tag=20241123", "global.tag=20241124"])
    assert rendered.objects[0].obj["data"] == {"a": "20241123", "b": "20241124"}
    assert list(rendered.templates) == ["web/charts/sub/templates/a.yaml"]


def test_a_values_file_of_a_repository_is_named_by_its_path_there(
    make_chart: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_chart({"templates/a.yaml": CONFIG_MAP}, folder="repo/web")
    file = tmp_path / "repo" / "envs" / "prod.yaml"
    file.parent.mkdir()
    file.write_text("a: b: c")
    with pytest.raises(ValuesError) as caught:
        Chart.load(root, inside=tmp_path / "repo", shown_as="web").render(value_files=[file])
    assert caught.value.where == "envs/prod.yaml:1"
