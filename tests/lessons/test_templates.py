"""Lesson 03's checks, from both sides."""

from __future__ import annotations

import pytest

from labkit.lessons.course.templates import DATES, LOOP
from labkit.lessons.templating import drawn, filled, values_of

TEMPLATE = "app.yaml.j2"
PORT = '              value: "9090"\n'


@pytest.fixture
def ana(begin):
    return begin("03", "templates")


def nothing(ana):
    pass


def replicas(ana, text="{{ replicas | default(1) }}"):
    ana.replace(TEMPLATE, "replicas: 1", f"replicas: {text}")
    ana.write("values/bananas.yaml", "name: bananas\nreplicas: 2")


def loop(ana, text=LOOP):
    ana.replace(TEMPLATE, PORT, PORT + text)
    ana.write("values/cherries.yaml", "name: cherries\nenv:\n  COLOUR: red")


def half(ana):
    replicas(ana)


def a_number_as_text(ana):
    replicas(ana, '"{{ replicas | default(1) }}"')


def no_default(ana):
    replicas(ana, "{{ replicas }}")
    for fruit in ("apples", "cherries"):
        ana.write(f"values/{fruit}.yaml", f"name: {fruit}\nreplicas: 1")
    loop(ana)
    ana.write("values/cherries.yaml", "name: cherries\nreplicas: 1\nenv:\n  COLOUR: red")


def out_of_place(ana):
    replicas(ana)
    loop(ana, LOOP.replace("            - name", "  - name"))


def unclosed(ana):
    replicas(ana)
    loop(ana, LOOP.replace("            {% endfor %}\n", ""))


def every_name_in_the_template(ana):
    replicas(ana)
    loop(ana)
    text = (ana.ns.folder / TEMPLATE).read_text(encoding="utf-8")
    known = "{{ {'apples': 'apples', 'bananas': 'bananas', 'cherries': 'cherries'}.get(name, 'apples') }}"
    ana.write(TEMPLATE, text.replace("{{ name }}", known))


WRONG_TEMPLATES = {
    nothing: "bananas: Deployment bananas.spec.replicas is 1, not 2",
    half: "cherries: Deployment cherries.spec.template.spec.containers[0].env.COLOUR is missing",
    a_number_as_text: "apples: Deployment apples.spec.replicas is '1', not 1",
    no_default: "with only name: elderberries there is an error: 'replicas' is undefined",
    out_of_place: "cherries: app.yaml.j2 for cherries",
    unclosed: "apples: app.yaml.j2:",
    every_name_in_the_template: "the objects are called apples",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_TEMPLATES.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_wrong_template_is_told_where_it_is_wrong(ana, does, help_):
    does(ana)
    said = ana.says("same")
    assert said.startswith("✗")
    assert help_ in said


def with_a_loop(ana):
    replicas(ana)
    loop(ana)


def with_a_condition(ana):
    """Another way: a condition in place of a default, and a list in place of a mapping."""
    replicas(ana, "{% if replicas is defined %}{{ replicas }}{% else %}1{% endif %}\n")
    entry = "            - {name: {{ each.name }}, value: {{ each.value }}}\n"
    own = "{% for each in more | default([]) %}\n" + entry + "{% endfor %}\n"
    ana.replace(TEMPLATE, PORT, PORT + own)
    ana.write("values/cherries.yaml", "name: cherries\nmore:\n  - {name: COLOUR, value: red}")


@pytest.mark.parametrize("does", [with_a_loop, with_a_condition], ids=lambda x: x.__name__)
def test_a_template_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert ana.says("same").startswith("✓")


def dates(ana, value="{{ value | tojson }}", values=DATES, *, apply=True):
    with_a_loop(ana)
    ana.replace(TEMPLATE, "{{ value }}", value)
    ana.write("values/dates.yaml", values)
    if apply:
        ana.write("dates.yaml", filled(ana.ns.folder, values_of(ana.ns.folder, "dates")))
        ana.apply("dates.yaml")


UNQUOTED = DATES.replace('"', "")


def as_laid_down(ana):
    ana.lesson.lay("dates")


def only_the_values(ana):
    dates(
        ana, "{{ value }}", DATES.replace("NOTE: |-\n    first line\n    second line", "NOTE: n"), apply=False
    )


def only_the_template(ana):
    dates(ana, values=UNQUOTED, apply=False)


def a_truth_value(ana):
    dates(ana, values=DATES.replace('"yes"', "yes"), apply=False)


def quoted_too_late(ana):
    dates(ana, '"{{ value }}"', UNQUOTED, apply=False)


def quotes_by_hand(ana):
    dates(ana, '"{{ value }}"', apply=False)


def two_lines_without_quotes(ana):
    dates(ana, "{{ value }}", apply=False)


def values_taken_away(ana):
    dates(ana, values="name: dates\nenv:\n  VERSION: '1.10'", apply=False)


def not_applied(ana):
    dates(ana, apply=False)


def applied_before_it_was_right(ana):
    dates(ana, values=DATES.replace("1.10", "1.1"))
    ana.write("values/dates.yaml", DATES)


WRONG_DATES = {
    nothing: "there is no file values/dates.yaml yet",
    as_laid_down: "the template does not write DEBUG, NOTE, VERSION",
    only_the_values: "VERSION arrives as the number 1.1, not as the text '1.10'",
    only_the_template: "VERSION arrives as the number 1.1",
    a_truth_value: "DEBUG arrives as True, which is a truth value",
    quoted_too_late: "VERSION arrives as the text '1.1', not as '1.10'",
    quotes_by_hand: "NOTE arrives as 'first line second line'",
    two_lines_without_quotes: "app.yaml.j2 for dates",
    values_taken_away: "no longer gives VERSION, DEBUG and NOTE",
    not_applied: "dates does not answer",
    applied_before_it_was_right: "the running application has other values of VERSION",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_DATES.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_trap_that_caught_somebody_is_named(ana, does, help_):
    does(ana)
    said = ana.says("traps")
    assert said.startswith("✗")
    assert help_ in said


def a_filter(ana):
    dates(ana)


def a_literal_block(ana):
    dates(ana, "|-\n                {{ value | indent(16) }}")


@pytest.mark.parametrize("does", [a_filter, a_literal_block], ids=lambda x: x.__name__)
def test_texts_may_be_kept_texts_in_several_ways(ana, does):
    does(ana)
    assert ana.says("traps").startswith("✓ all three arrive")


def test_the_picture_shows_values_template_and_objects_and_what_is_broken(ana):
    unclosed(ana)
    shown = drawn(ana.ns.folder).text
    assert "values/bananas.yaml · name: bananas · replicas: 2" in shown
    assert "✗ no objects: an error" in shown


def test_a_template_cannot_reach_into_python(ana):
    ana.write(TEMPLATE, "{{ ''.__class__.__mro__ }}")
    assert "unsafe" in ana.says("same")
