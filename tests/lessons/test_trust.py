"""Lesson 05's checks, from both sides."""

from __future__ import annotations

import json

import pytest

from labkit.lessons.charting import chart_at
from labkit.lessons.course.trust import SCHEMA, TEST
from labkit.lessons.testing import helm_test, results

FILE, TESTS = "juice/values.schema.json", "tests/test_juice.py"
SERVICE = "juice/templates/service.yaml"


@pytest.fixture
def ana(begin):
    return begin("05", "trust")


def nothing(ana):
    pass


def schema(old="", new=""):
    """The author's schema, but for one thing."""
    assert old in SCHEMA
    return lambda ana: ana.write(FILE, SCHEMA.replace(old, new) if old else SCHEMA)


def no_schema(ana):
    (ana.ns.folder / FILE).unlink()


WRONG_SCHEMAS = {
    "as laid": (nothing, "it takes replicas: -1"),
    "none": (no_schema, "there is no file juice/values.schema.json"),
    "no JSON": (schema('"type": "object",\n  "add', '"type": "object"\n  "add'), "the schema is not JSON"),
    "no kind": (schema('"type": "integer", "minimum": 0', '"minimum": 0'), "it takes replicas: two"),
    "open at the top": (
        schema('"type": "object",\n  "additionalProperties": false,', '"type": "object",'),
        "it takes replica: 3, a name that there is not → \"additionalProperties\": false, at the top",
    ),
    "open below": (
        schema('"additionalProperties": false,\n      "properties": {"port"', '"properties": {"port"'),
        "it takes service.prot: 81",
    ),
    "any tag": (schema('"tag": {"type": "string"}', '"tag": {}'), "the number 1.1"),
    "an empty text": (schema(', "minLength": 1'), 'it takes image.repository: ""'),
    "any flavour": (schema('{"enum": ["apple", "pear", "cherry"]}', '{"type": "string"}'), "flavour: brick"),
    "any port": (schema(', "minimum": 1, "maximum": 65535'), "it takes service.port: 0"),
    "a port too far": (schema(', "maximum": 65535'), "it takes service.port: 70000"),
    "too strict": (schema('"minimum": 0', '"minimum": 1'), "it refuses what is allowed, replicas: 0"),
    "a flavour too few": (schema(', "cherry"'), "it refuses what is allowed, flavour: cherry"),
}  # fmt: skip


@pytest.mark.parametrize(("does", "help_"), WRONG_SCHEMAS.values(), ids=list(WRONG_SCHEMAS))
def test_a_schema_that_lets_something_through_is_told_what(ana, does, help_):
    does(ana)
    said = ana.says("schema")
    assert said.startswith("✗")
    assert help_ in said


def with_definitions_and_global(ana):
    """Another way: a definition that is referred to, patterns, `const`, and Helm's own `global` let through."""
    flavour = {"anyOf": [{"const": each} for each in ("apple", "pear", "cherry")]}
    port = {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 65536}
    closed = {"type": "object", "additionalProperties": False}
    image = {"repository": {"type": "string", "pattern": "."}, "tag": {"type": "string"}}
    top = {
        "replicas": {"type": "integer", "exclusiveMinimum": -1},
        "flavour": flavour,
        "image": closed | {"required": ["repository"], "properties": image},
        "service": closed | {"properties": {"port": {"$ref": "#/definitions/port"}}},
        "global": {"type": "object"},
    }
    made = closed | {"properties": top, "definitions": {"port": port}}
    ana.write(FILE, json.dumps(made))


@pytest.mark.parametrize("does", [schema(), with_definitions_and_global], ids=["the author's", "another"])
def test_a_schema_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert ana.says("schema") == "✓ 5 good ones are taken, 11 bad ones refused → "


def friday(ana, test="", *, mended=True):
    """The chart of Friday, with a test of the trainee's."""
    ana.lesson.lay("friday")
    if mended:
        ana.replace(SERVICE, ".Chart.Name", ".Release.Name")
    text = (ana.ns.folder / TESTS).read_text(encoding="utf-8")
    ana.write(TESTS, text + test)


def but(old, new):
    assert old in TEST
    return TEST.replace(old, new)


COMPARE = 'made["Service"]["spec"]["selector"].items() <= labels.items()'
FIXED = but(COMPARE, 'made["Service"]["spec"]["selector"] == {"app": release}')
ONE_KEY = but(COMPARE, 'made["Service"]["spec"]["selector"]["app"] == labels["app"]')
WRONG_TESTS = {
    "nothing": (nothing, "juice is version 0.1.0: the chart of Friday is not laid"),
    "laid, not looked at": (lambda ana: friday(ana, mended=False), "all tests pass, and in release pears"),
    "found, not mended": (lambda ana: friday(ana, TEST, mended=False), "a test fails, and the Service of release"),
    "mended, not tested": (friday, "no test of yours fails for the chart of Friday"),
    "one release only": (lambda ana: friday(ana, but('("juice", "pears")', '("juice",)')), "no test of yours fails"),
    "a fixed text": (lambda ana: friday(ana, FIXED), "selects app: pears while its Pods carry app: juice"),
    "one label": (lambda ana: friday(ana, ONE_KEY), "fails for a good chart whose label is called instance"),
    "wrong way round": (lambda ana: friday(ana, but("<=", "<")), "the chart is good, and test_the_service_finds"),
    "no Python": (lambda ana: friday(ana, "\n\ndef test_(:\n"), "SyntaxError"),
}  # fmt: skip


@pytest.mark.parametrize(("does", "help_"), WRONG_TESTS.values(), ids=list(WRONG_TESTS))
def test_a_test_that_catches_too_little_or_too_much_is_told(ana, does, help_):
    does(ana)
    said = ana.says("bug")
    assert said.startswith("✗")
    assert help_ in said


def compared_with_the_deployments_own_selector(ana):
    labels = '["template"]["metadata"]["labels"]'
    friday(ana, but(labels, '["selector"]["matchLabels"]'))


@pytest.mark.parametrize(
    "does",
    [lambda ana: friday(ana, TEST), compared_with_the_deployments_own_selector],
    ids=["the Pods' labels", "the Deployment's selector"],
)
def test_a_test_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert ana.says("bug").startswith("✓")


def test_the_lessons_author_solves_it(ana):
    ana.lesson.solution()
    assert [ana.says(key)[0] for key in ("schema", "bug")] == ["✓", "✓"]


def test_a_trainees_tests_run_without_this_machines_plugins_and_say_what_they_found(ana):
    ana.write(TESTS, "def test_one(render):\n    assert render()['Service']['kind'] == 'Servise'\n")
    (found,) = results(ana.ns.folder)
    assert found.name == "test_one"
    assert found.problem.startswith("AssertionError: assert 'Service' == 'Servise'")


def test_helm_test_by_hand_shows_what_the_test_pod_said(ana):
    chart = chart_at(ana.ns.folder, "juice")
    said = helm_test(ana.lab, chart, "juice", "trust").text
    assert said == "✗ juice-answers Failed: wget: bad address 'juice'"
    ana.write("juice.yaml", chart.render("juice", skip_tests=True).manifest)
    ana.apply("juice.yaml")
    assert helm_test(ana.lab, chart, "juice", "trust").text == "✓ juice-answers Succeeded: 1.1.0"
