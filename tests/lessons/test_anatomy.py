"""Lesson 04's checks, from both sides."""

from __future__ import annotations

import pytest

from labkit.lessons.charting import chart_at, drawn
from labkit.lessons.course.anatomy import MARKET_DEPLOYMENT, MARKET_SERVICES, STAND

DEPLOYMENT, SERVICES = "market/templates/deployment.yaml", "market/templates/services.yaml"


@pytest.fixture
def ana(begin):
    return begin("04", "anatomy")


def nothing(ana):
    pass


def market(ana, old="", new=""):
    """The market as its author would have it, but for one thing."""
    texts = {DEPLOYMENT: MARKET_DEPLOYMENT, SERVICES: MARKET_SERVICES}
    assert not old or any(old in text for text in texts.values())
    for name, text in texts.items():
        ana.write(name, text.replace(old, new) if old else text)


def a_fixed_name(ana):
    market(ana, "name: {{ .Release.Name }}", "name: market")


def half_of_the_dollar(ana):
    market(ana, '"market.labels" $', '"market.labels" .')


def version_for_app_version(ana):
    market(ana, ".Chart.AppVersion", ".Chart.Version")


def a_fixed_tag(ana):
    market(ana, "default .Chart.AppVersion", 'default "1.1.0"')


def no_choice_of_tag(ana):
    market(ana, ".Values.image.tag | default .Chart.AppVersion", ".Chart.AppVersion")


def a_default_in_place_of_an_error(ana):
    market(
        ana, 'required "give a message: --set message=…" .Values.message', '.Values.message | default "hello"'
    )


def the_gap_left_open(ana):
    market(ana, 'required "give a message: --set message=…" ', "")


def an_error_that_does_not_help(ana):
    market(ana, "give a message: --set message=…", "something is missing")


def every_stall_at_80(ana):
    market(ana, "{{ .port | default 80 }}", "80")


def no_port(ana):
    market(ana, "{{ .port | default 80 }}", "{{ .port }}")


def without_the_stalls_name(ana):
    market(ana, "{{ $.Release.Name }}-{{ .name }}", "{{ $.Release.Name }}")


def selected_by_a_label_of_all(ana):
    market(ana, '{{- include "market.labels" $ | nindent 4 }}', "app: market")


def selected_by_the_stall(ana):
    market(ana, '{{- include "market.labels" $ | nindent 4 }}', "app: {{ .name }}")


def out_of_place(ana):
    market(ana, '{{- include "market.labels" . | nindent 6 }}', '{{ include "market.labels" . }}')


def taken_away(ana):
    market(ana)
    (ana.ns.folder / DEPLOYMENT).unlink()


WRONG_MARKETS = {
    nothing: "inside `range` and `with` the dot is the item: write `$.Release` there",
    a_fixed_name: "would both have Deployment market",
    half_of_the_dollar: "market/templates/_helpers.tpl:4",
    version_for_app_version: "version 9.9.9 and appVersion 7.7.7 in Chart.yaml, the image is gitops-lab/hello:9.9.9",
    a_fixed_tag: "with appVersion 7.7.7 in Chart.yaml, the image is gitops-lab/hello:1.1.0",
    no_choice_of_tag: "with --set image.tag=2.0.0 the image is gitops-lab/hello:1.1.0",
    a_default_in_place_of_an_error: "renders all the same, and MESSAGE is 'hello'",
    the_gap_left_open: "renders all the same, and MESSAGE is None",
    an_error_that_does_not_help: "does not say what is missing: something is missing",
    every_stall_at_80: "stall south, which gives port 8081, gets port 80",
    no_port: "stall north, which gives no port, gets port none",
    without_the_stalls_name: "the Services of release pears are called: pears ",
    selected_by_a_label_of_all: "finds the Pods of release plums, too",
    selected_by_the_stall: "selects app: north; the Pods carry app: market, release: pears",
    out_of_place: "market/templates/deployment.yaml:",
    taken_away: "market renders no Deployment",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_MARKETS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_gap_that_is_filled_wrongly_is_named(ana, does, help_):
    does(ana)
    said = ana.says("gaps")
    assert said.startswith("✗")
    assert help_ in said


def as_the_author_would(ana):
    market(ana)


def with_a_name_for_the_root(ana):
    market(ana, "{{- range .Values.stalls }}", "{{- $root := . }}\n{{- range .Values.stalls }}")
    text = (ana.ns.folder / SERVICES).read_text(encoding="utf-8")
    ana.write(SERVICES, text.replace("$.Release", "$root.Release").replace('labels" $', 'labels" $root'))


def with_fail_and_ternary(ana):
    market(
        ana,
        '{{ required "give a message: --set message=…" .Values.message | quote }}',
        '{{ if not .Values.message }}{{ fail "message is not given" }}{{ end }}{{ .Values.message | toJson }}',
    )


@pytest.mark.parametrize(
    "does",
    [as_the_author_would, with_a_name_for_the_root, with_fail_and_ternary],
    ids=lambda x: x.__name__,
)
def test_gaps_may_be_filled_in_several_ways(ana, does):
    does(ana)
    assert ana.says("gaps").startswith("✓")


def stand(ana, *, install=True, **files):
    """A chart from nothing: the author's, with some files otherwise (``Chart_yaml=…``)."""
    otherwise = {f"templates/{name}.yaml": text for name, text in files.items()}
    for name, text in (STAND | otherwise).items():
        ana.write(f"stand/{name}", text)
    if install:
        ana.write("ripe.yaml", chart_at(ana.ns.folder, "stand").render("ripe").manifest)
        ana.apply("ripe.yaml")


def but(template, old, new):
    """One thing of a template otherwise; not installed."""
    text = STAND[f"templates/{template}.yaml"]
    assert old in text

    def does(ana):
        stand(ana, install=False, **{template: text.replace(old, new)})

    return does


def not_installed(ana):
    stand(ana, install=False)


def a_copy_of_fruit(ana):
    stand(ana, install=False)
    ana.write("stand/Chart.yaml", (ana.ns.folder / "fruit" / "Chart.yaml").read_text(encoding="utf-8"))


def no_service(ana):
    stand(ana, install=False)
    (ana.ns.folder / "stand" / "templates" / "service.yaml").unlink()


def notes_that_say_nothing(ana):
    stand(ana, install=False)
    ana.write("stand/templates/NOTES.txt", "Thank you.")


def not_a_chart(ana):
    ana.write("stand/Chart.yaml", "name: stand")


WRONG_STANDS = {
    "nothing": (nothing, "there is no file work/anatomy/stand/Chart.yaml"),
    "not a chart": (not_a_chart, "work/anatomy/stand/Chart.yaml"),
    "a copy": (a_copy_of_fruit, "name, version and appVersion: fruit 0.1.0 1.0.0"),
    "no Service": (no_service, "the chart renders Deployment: no Service"),
    "one name": (but("deployment", "name: {{ .Release.Name }}", "name: stand"), "both have Deployment stand"),
    "one label": (
        but("service", "app: {{ .Release.Name }}", "app: stand"),
        "Service ripe selects app: stand; the Pods carry app: ripe",
    ),
    "the chart's version": (but("deployment", ".Chart.AppVersion", ".Chart.Version"), "hello:9.9.9"),
    "a fixed tag": (but("deployment", "default .Chart.AppVersion", 'default "1.1.0"'), "hello:1.1.0"),
    "fixed replicas": (but("deployment", "{{ .Values.replicas }}", "1"), "the Deployment wants: 1"),
    "no quotes": (but("deployment", " | quote", ""), "MESSAGE 1.1, a number"),
    "another message": (but("deployment", "{{ .Values.message | quote }}", "cherries"), "MESSAGE 'cherries'"),
    "silent notes": (notes_that_say_nothing, "do not name its Service ripe"),
    "not installed": (not_installed, "the chart is right; Service ripe does not answer"),
}


@pytest.mark.parametrize(("does", "help_"), WRONG_STANDS.values(), ids=list(WRONG_STANDS))
def test_a_chart_that_is_not_there_yet_is_told_what_is_missing(ana, does, help_):
    does(ana)
    said = ana.says("stand")
    assert said.startswith("✗")
    assert help_ in said


def one_label_for_both(ana):
    both = {name: STAND[f"templates/{name}.yaml"] for name in ("deployment", "service")}
    stand(
        ana,
        install=False,
        **{k: t.replace("app: {{ .Release.Name }}", "app: stand") for k, t in both.items()},
    )


def test_a_selector_that_finds_the_pods_of_another_release_is_told(ana):
    one_label_for_both(ana)
    assert "finds the Pods of release green, too" in ana.says("stand")


def from_the_starter(ana):
    """Another way: the course's starter, where the message reaches the Pods by a ConfigMap."""
    ana.lab.charts.create("stand", folder=ana.ns.folder)
    ana.replace("stand/Chart.yaml", 'appVersion: "1.0.0"', 'appVersion: "1.1.0"')
    ana.replace("stand/templates/deployment.yaml", ".Values.replicaCount", ".Values.replicas")
    ana.replace("stand/values.yaml", "replicaCount:", "replicas:")
    ana.replace("stand/values.schema.json", '"replicaCount"', '"replicas"')
    ana.write("ripe.yaml", chart_at(ana.ns.folder, "stand").render("ripe").manifest)
    ana.apply("ripe.yaml")


@pytest.mark.parametrize("does", [stand, from_the_starter], ids=lambda x: x.__name__)
def test_a_chart_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert ana.says("stand").startswith("✓ release ripe answers")


def test_the_lesson_can_be_begun_again_and_solved_by_its_author(ana):
    ana.lesson.solution()
    assert [ana.says(key)[0] for key in ("gaps", "stand")] == ["✓", "✓"]


def test_the_picture_shows_what_flows_into_which_template_and_what_comes_out(ana):
    shown = drawn(chart_at(ana.ns.folder, "fruit"), "apples").text
    assert "templates/service.yaml · Chart: Name, Version · Release: Name" in shown
    assert "Deployment apples · ✓ rendered" in shown
    assert "no objects · ✗ services.yaml:" in drawn(chart_at(ana.ns.folder, "market"), "pears").text
