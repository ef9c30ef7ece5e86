from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.helm import Chart, LintMessage

from .conftest import CHART_YAML, CONFIG_MAP, MakeChart

Build = Callable[..., Chart]


def found(messages: list[LintMessage], severity: str) -> list[str]:
    return [f"{m.path}:{m.line}" for m in messages if m.severity == severity]


def test_a_good_chart_has_no_error_and_no_warning(chart: Build) -> None:
    messages = chart(CONFIG_MAP, values="a: 1\n").lint()
    assert {m.severity for m in messages} <= {"info"}


def test_an_error_is_found_once_with_its_line_and_fix(chart: Build) -> None:
    messages = chart("a: 1\nb: {{ toYml . }}\n").lint()
    errors = [m for m in messages if m.severity == "error"]
    assert [(m.path, m.line) for m in errors] == [("templates/a.yaml", 2)]
    assert "did you mean `toYaml`" in errors[0].fix
    assert str(errors[0]).startswith("[ERROR] templates/a.yaml:2: there is no function 'toYml'")


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"Chart.yaml": "apiVersion: v2\nname: web\n"}, "Chart.yaml"),
        ({"values.yaml": "a: ["}, "values.yaml"),
        ({"templates/b.yaml": "hello"}, "templates/b.yaml"),
        ({"values.schema.json": '{"required": ["x"]}'}, "values.schema.json"),
        ({"Chart.yaml": CHART_YAML + "dependencies:\n- {name: sub, version: 1.0.0}\n"}, "Chart.yaml"),
    ],
)
def test_what_is_wrong_is_a_message_and_not_an_exception(
    chart: Build, files: dict[str, str], path: str
) -> None:
    built = chart(CONFIG_MAP)
    for name, text in files.items():
        (built.path / name).write_text(text)
    errors = [m for m in built.lint() if m.severity == "error"]
    assert path in [m.path for m in errors]


def test_a_dependency_that_is_not_there_is_said_once_and_not_its_consequences(chart: Build) -> None:
    needs = CHART_YAML + "dependencies:\n- {name: sub, version: 1.0.0}\n"
    built = chart(CONFIG_MAP + "data: {port: {{ .Values.sub.service.port }}}\n", **{"Chart.yaml": needs})
    (message,) = [each for each in built.lint() if each.severity != "info"]
    assert message.path == "Chart.yaml"
    assert "dependency build" in message.fix


def test_strict_makes_a_warning_an_error(make_chart: MakeChart, backend: str) -> None:
    built = Chart(make_chart({"values.yaml": "a: 1\n"}), with_backend=backend)
    assert found(built.lint(), "warning") == ["templates:0"]
    assert found(built.lint(strict=True), "warning") == []
    assert found(built.lint(strict=True), "error") == ["templates:0"]


def test_lint_uses_the_values_it_is_given(chart: Build) -> None:
    built = chart('a: {{ required "give x" .Values.x }}\n' + CONFIG_MAP)
    assert found(built.lint(), "error") == ["templates/a.yaml:1"]
    assert found(built.lint(set=["x=1"]), "error") == []


def test_lint_takes_values_in_every_form_and_says_once_what_the_schema_refuses(
    chart: Build, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("from a file")
    schema = '{"additionalProperties": false, "properties": {"a": {"type": "string"}}}'
    built = chart(CONFIG_MAP, **{"values.schema.json": schema})
    for given in ({"set_string": ["a=1"]}, {"set_json": ['a="x"']}, {"set_file": [f"a={tmp_path}/text"]}):
        assert found(built.lint(**given), "error") == []
    (error,) = [each for each in built.lint(set_json=["a=1"]) if each.severity == "error"]
    assert error.path == "values.schema.json"
    assert "`a` (--set-json a=1): it is a number, and must be a string" in error.message


def test_a_library_chart_is_clean(make_chart, backend) -> None:
    path = make_chart(
        {"Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n", "values.yaml": ""}, "lib"
    )
    assert [each for each in Chart(path, with_backend=backend).lint() if each.severity == "error"] == []
