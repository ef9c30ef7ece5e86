"""What a beginner reads when a chart is wrong: each names file and line, quotes it, and says what to do."""

from collections.abc import Callable

import pytest

from labkit.errors import ChartError, HelmError, RenderError
from labkit.helm import Chart
from labkit.helm.goerrors import Frame, frames

from .conftest import CHART_YAML, CONFIG_MAP, MakeChart

Build = Callable[..., Chart]
VALUES = "text: abc\nlist: [1, 2]\nnumber: 3\n"

# template, place, what the problem says, what the fix says
FAILURES = {
    "a function is misspelt": (
        "a: 1\nb: {{ toYml .Values }}\n", ":2", "no function 'toYml'", "did you mean `toYaml`"
    ),
    "a dot is missing": ("a: {{ Values.x }}\n", ":1", "no function 'Values'", "`.Values`"),
    "an action is not closed": ("a: {{ .Values.x \nb: 1\n", ":2", "action {{ … is not closed", "line 1 with }}"),
    "a brace too many": ("a: 1\nb: {{ .Values.x } }}\n", ":2", 'unexpected "}"', "line of the template"),
    "an end is missing": ("a: 1\n{{ if .Values.x }}\nb: 1\n", ":4", "`{{ if … }}` in line 2", "add `{{ end }}`"),
    "an end too many": ("a: 1\n{{ end }}\n", ":2", "closes nothing", "remove it"),
    "a quote is not closed": ('a: {{ "x }}\n', ":1", "unterminated quoted string", "close every"),
    "a variable is unknown": ("a: {{ $x }}\n", ":1", 'undefined variable "$x"', ""),
    "a value is missing": (
        "a: 1\nb: {{ .Values.image.tag }}\n", ":2:13",
        "uses `.Values.image.tag`, but `.Values.image` has no value", "set `image.tag` in values.yaml",
    ),
    "a deep value is missing": (
        "a: {{ .Values.image.tag.deep }}\n", ":1:13", "`.Values.image` has no value", "set `image.tag`"
    ),
    "the dot has moved": (
        "{{ range .Values.list }}\nb: {{ .Values.x }}\n{{ end }}", ":2:13", "`.Values` is not here", "`$.Values`"
    ),
    "a text has no fields": ("a: {{ .Values.text.foo }}\n", ":1:13", "has no field `foo`", "only a map has fields"),
    "a required value is missing": (
        'a: 1\nb: {{ required "give image.tag: it is needed" .Values.x }}\n', ":2:6",
        "give image.tag: it is needed", "the chart's author asks",
    ),
    "the chart says no": ('a: {{ fail "no: way" }}\n', ":1:6", "no: way", "the chart's author asks"),
    "a template is unknown": (
        '{{ define "web.labels" }}{{ end }}a: {{ include "web.lables" . }}\n', ":1",
        "no template is named 'web.lables'", "did you mean 'web.labels'",
    ),
    "no template is known": ('a: {{ template "x" . }}\n', ":1", "no template is named 'x'", "_helpers.tpl"),
    "a helper fails": (
        '{{ define "x" }}\nx: {{ .Values.image.tag }}\n{{ end }}\na: {{ include "x" . | nindent 2 }}\n', ":2:13",
        "included from templates/a.yaml:4", "set `image.tag`",
    ),
    "numbers are compared": (
        "a: {{ if eq .Values.number 3 }}x{{ end }}\n", ":1:9", "different kinds", "(int .Values.x)"
    ),
    "an argument is missing": ("a: {{ nindent 2 }}\n", ":1:6", "want 2 got 1", "through a pipe"),
    "a number is no text": ("a: {{ .Values.number | b64enc }}\n", ":1", "expected string", "convert"),
    "an index is too large": ("a: {{ index .Values.list 5 }}\n", ":1:6", "index out of range: 5", ""),
    "text is rendered as a template": (
        'a: {{ tpl "{{ .Values.image.tag }}" . }}\n', ":1:6", "`.Values.image` has no value", ""
    ),
    "bad indentation is rendered": (
        CONFIG_MAP + " data: {}\n", ":5", "rendered, line 5:  data: {}", "indentation"
    ),
    "a tab is rendered": (CONFIG_MAP + "data:\n\tx: 1\n", ":6", "rendered, line 6: \tx: 1", "tabs"),
    "a colon is rendered": (
        CONFIG_MAP + 'data:\n  x: {{ "a: b" }}\n', ":6", 'about line 6:   x: {{ "a: b" }}', "quote"
    ),
    "plain text is rendered": ("hello\n", ":1", "renders plain text", "`kind:`"),
    "a list is rendered": ("- a\n", ":1", "renders a list", "`kind:`"),
    "an object has no kind": (
        CONFIG_MAP + "---\n\napiVersion: v1\nmetadata: {name: x}\n", ":7", "no kind", "`kind:`"
    ),
    "an object has nothing": ("a: 1\n", ":1", "no apiVersion and no kind", "begins with _"),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_names_place_cause_and_fix(chart: Build, failure: str) -> None:
    template, place, problem, fix = FAILURES[failure]
    with pytest.raises(RenderError) as caught:
        chart(template, VALUES).render()
    assert caught.value.where == f"web/templates/a.yaml{place}" or caught.value.where.startswith(
        f"web/templates/a.yaml{place}:"
    )
    assert problem in caught.value.problem
    assert fix in caught.value.fix
    assert caught.value.fix


def test_the_offending_line_is_quoted(chart: Build) -> None:
    with pytest.raises(RenderError, match=r"line 2: b: \{\{ toYml \.Values \}\}"):
        chart("a: 1\nb: {{ toYml .Values }}\n").render()


BAD_CHART_YAML = {
    "no name": ("apiVersion: v2\nversion: 0.1.0\n", "", "no name", "name: my-app"),
    "no version": ("apiVersion: v2\nname: web\n", "", "no version", "version: 0.1.0"),
    "no apiVersion": ("name: web\nversion: 0.1.0\n", "", "apiVersion is missing", "apiVersion: v2"),
    "an apiVersion of the future": (
        "apiVersion: v3\nname: web\nversion: 0.1.0\n", ":1", "'v3' is not supported", "apiVersion: v2"
    ),
    "a version that is a number": ("apiVersion: v2\nname: web\nversion: 1.10\n", ":3", "read as 1.1", "quotes"),
    "a name that is a boolean": ("apiVersion: v2\nname: on\nversion: 0.1.0\n", ":2", "read as True", "quotes"),
    "a version that is none": ("apiVersion: v2\nname: web\nversion: latest\n", ":3", "not valid", "0.1.0"),
    "a name with a slash": ("apiVersion: v2\nname: a/b\nversion: 0.1.0\n", ":2", "not valid", "my-app"),
    "no YAML": ("apiVersion: v2\nname: [\n", ":", "not YAML", ""),
    "a list": ("- a\n", "", "no `name: value` pairs", ""),
    "a type of its own": (CHART_YAML + "type: app\n", ":4", "type 'app'", "application"),
    "a nameless dependency": (CHART_YAML + "dependencies:\n- version: 1.0.0\n", ":4", "no name", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_CHART_YAML)
def test_a_bad_chart_yaml_names_line_cause_and_fix(make_chart: MakeChart, kind: str) -> None:
    text, place, problem, fix = BAD_CHART_YAML[kind]
    root = make_chart({"Chart.yaml": text})
    with pytest.raises(ChartError) as caught:
        Chart.load(root, shown_as="web")
    assert caught.value.where.startswith(f"web/Chart.yaml{place}")
    assert problem in caught.value.problem
    assert fix in caught.value.fix
    assert caught.value.fix


def test_a_folder_without_chart_yaml_is_no_chart(make_chart: MakeChart) -> None:
    with pytest.raises(ChartError, match=r"no Chart\.yaml"):
        Chart.load(make_chart({"Chart.yaml": None, "values.yaml": ""}))


def test_a_path_where_nothing_is_is_no_chart() -> None:
    with pytest.raises(ChartError, match="no chart at this path"):
        Chart.load("nowhere")


def test_a_dependency_that_is_not_there_says_how_to_get_it(chart: Build) -> None:
    dependency = "dependencies:\n- name: redis\n  version: 20.x\n  repository: https://charts.example.org\n"
    built = chart(**{"Chart.yaml": CHART_YAML + dependency})
    with pytest.raises(ChartError, match=r"redis 20\.x \(from https://charts\.example\.org\)") as caught:
        built.render()
    assert caught.value.where == "web/Chart.yaml:5"
    assert "helm dependency build" in caught.value.fix
    assert [d.status for d in Chart.load(built.path).dependencies] == ["missing"]


def test_two_dependencies_of_one_name_are_told_of_aliases(make_chart: MakeChart, backend: str) -> None:
    twice = "dependencies:\n- {name: sub, version: 0.1.0}\n- {name: sub, version: 0.1.0}\n"
    sub = {"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n"}
    root = make_chart({"Chart.yaml": CHART_YAML + twice} | sub)
    with pytest.raises(ChartError, match="two dependencies are both called 'sub'") as caught:
        Chart(root, shown_as="web", with_backend=backend).render()
    assert caught.value.where == "web/Chart.yaml"
    assert "`alias: …`" in caught.value.fix


def test_an_old_charts_requirements_are_dependencies_too(make_chart: MakeChart) -> None:
    root = make_chart(
        {
            "Chart.yaml": "apiVersion: v1\nname: web\nversion: 0.1.0\n",
            "requirements.yaml": "dependencies:\n- {name: sub, version: 0.1.0}\n",
            "templates/a.yaml": CONFIG_MAP,
        }
    )
    with pytest.raises(ChartError, match=r"sub 0\.1\.0"):
        Chart(root).render()


def test_a_file_that_is_not_text_is_named(make_chart: MakeChart) -> None:
    root = make_chart({"values.yaml": b"a: 1\nb: \xff\n"})
    with pytest.raises(HelmError, match="UTF-8") as caught:
        _ = Chart(root, shown_as="web").values
    assert caught.value.where == "web/values.yaml:2"


def test_a_schema_that_is_not_json_is_named(make_chart: MakeChart) -> None:
    root = make_chart({"values.schema.json": '{\n "a": 1,\n}', "templates/a.yaml": CONFIG_MAP})
    with pytest.raises(ChartError, match="not JSON") as caught:
        Chart(root, shown_as="web").render()
    assert caught.value.where == "web/values.schema.json:3:1"


def test_a_chain_of_templates_on_one_line_is_taken_apart() -> None:
    words = (
        'template: web/templates/a.yaml:4:6: executing "web/templates/a.yaml" at <include "x" .>: '
        'error calling include: template: web/templates/_h.tpl:2:9: executing "x" at <index .Values.l 5>: '
        "error calling index: index out of range: 5"
    )
    assert frames(words) == [
        Frame("web/templates/a.yaml", 4, 6, 'include "x" .', "error calling include:"),
        Frame(
            "web/templates/_h.tpl", 2, 9, "index .Values.l 5", "error calling index: index out of range: 5"
        ),
    ]


def test_words_of_no_known_form_have_no_frames() -> None:
    assert frames("something else entirely") == []


def test_words_that_nobody_knows_are_kept(make_chart: MakeChart) -> None:
    from labkit.helm.failures import Place, explain
    from labkit.helm.files import ChartFiles

    place = Place(ChartFiles.read(make_chart()), "web", {})
    assert "flux capacitor" in str(explain("Error: flux capacitor is empty", place))
