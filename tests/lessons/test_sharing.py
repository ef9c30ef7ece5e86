"""Lesson 06's checks, from both sides; each with the lab's own repository over HTTP."""

from __future__ import annotations

import shutil

import pytest

from labkit.errors import ChartNotFound
from labkit.helm import Chart
from labkit.helm.repositories import write_index
from labkit.lessons.course.sharing import BREAKFAST, PICNIC, publish, shelf, url


@pytest.fixture
def ana(begin):
    return begin("06", "sharing")


def nothing(ana):
    pass


def first(ana):
    publish(ana.lab, "plum", "0.1.0")


def not_raised(ana):
    first(ana)
    publish(ana.lab, "cherry", "0.1.0")


def not_indexed(ana):
    first(ana)
    index = (shelf(ana.lab) / "index.yaml").read_bytes()
    publish(ana.lab, "cherry", "0.2.0")
    (shelf(ana.lab) / "index.yaml").write_bytes(index)


def in_place_of_the_first(ana):
    first(ana)
    (shelf(ana.lab) / "jam-0.1.0.tgz").unlink()
    publish(ana.lab, "cherry", "0.2.0")


def the_first_rewritten(ana):
    publish(ana.lab, "cherry", "0.1.0")
    publish(ana.lab, "cherry", "0.2.0")


def the_same_again(ana):
    first(ana)
    publish(ana.lab, "plum", "0.2.0")


def both(ana):
    first(ana)
    publish(ana.lab, "cherry", "0.2.0")


NOT_PUBLISHED = {
    nothing: "the repository gives no list of jam: there is nothing at this address",
    first: "the repository has jam 0.1.0 → Raise version",
    not_raised: "the repository has jam 0.1.0 → Raise version",
    not_indexed: "jam-0.2.0.tgz lies in the folder, and the index knows jam 0.1.0 only",
    in_place_of_the_first: "the repository has jam 0.2.0; 0.1.0 is gone",
    the_first_rewritten: "jam 0.1.0 is cherry jam now",
    the_same_again: "jam 0.2.0 is plum jam",
}


@pytest.mark.parametrize(("does", "help_"), NOT_PUBLISHED.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_version_that_is_not_published_well_is_told_what_is_amiss(ana, does, help_):
    does(ana)
    said = ana.says("publish")
    assert said.startswith("✗")
    assert help_ in said


def with_a_fixed_address_in_the_index(ana):
    """Another way: archives from elsewhere, the index with whole addresses and one version more."""
    both(ana)
    publish(ana.lab, "quince", "0.3.0")
    write_index(shelf(ana.lab), url=url(ana.lab))


@pytest.mark.parametrize("does", [both, with_a_fixed_address_in_the_index], ids=lambda x: x.__name__)
def test_a_version_may_be_published_in_several_ways(ana, does):
    does(ana)
    assert ana.says("publish").startswith("✓")


VALUES = "table: oak\njam:\n  enabled: true\n  flavour: apricot\n"


def breakfast(ana, chart=BREAKFAST, values=VALUES, *, update=True):
    both(ana)
    ana.write("breakfast/Chart.yaml", chart.format(url=url(ana.lab)))
    ana.write("breakfast/values.yaml", values)
    if update:
        ana.lab.charts.dependencies(Chart(ana.ns.folder / "breakfast")).update()


def but(old, new=""):
    assert old in BREAKFAST
    return BREAKFAST.replace(old, new)


def fetched_and_thrown_away(ana):
    breakfast(ana)
    (ana.ns.folder / "breakfast" / "charts" / "jam-0.2.0.tgz").unlink()


def copied_by_hand(ana):
    breakfast(ana, update=False)
    Chart(ana.ns.folder / "jam").package(ana.ns.folder / "breakfast" / "charts")


def a_local_copy(ana):
    breakfast(ana, but("{url}", "file://../jam"))


def without_the_table(ana):
    breakfast(ana)
    (ana.ns.folder / "breakfast" / "templates" / "table.yaml").unlink()


FLAT = "table: oak\nflavour: apricot\n"
NOT_USED = {
    "nothing": (nothing, "breakfast/Chart.yaml has no dependency jam"),
    "a local copy": (a_local_copy, "jam is to come from: file://../jam"),
    "not fetched": (lambda ana: breakfast(ana, update=False), "there is no breakfast/Chart.lock"),
    "by hand": (copied_by_hand, "there is no breakfast/Chart.lock"),
    "thrown away": (fetched_and_thrown_away, "jam in breakfast/charts: missing"),
    "not nested": (lambda ana: breakfast(ana, values=FLAT), "its values.yaml says flavour at the left edge"),
    "no flavour": (lambda ana: breakfast(ana, values="table: oak\n"), "breakfast has cherry jam"),
    "no condition": (
        lambda ana: breakfast(ana, but("    condition: jam.enabled\n")),
        "there is: apricot jam",
    ),
    "another condition": (lambda ana: breakfast(ana, but("jam.enabled", "enabled")), "there is: apricot jam"),
    "no table": (without_the_table, "there is jam, and no table"),
}


@pytest.mark.parametrize(("does", "help_"), NOT_USED.values(), ids=list(NOT_USED))
def test_a_subchart_that_is_not_right_is_told_why(ana, does, help_):
    does(ana)
    said = ana.says("use")
    assert said.startswith("✗")
    assert help_ in said


@pytest.mark.parametrize(
    ("chart", "values"),
    [(BREAKFAST, VALUES), (but("0.2.x", "0.2.0"), VALUES.replace("  enabled: true\n", ""))],
    ids=["a range", "one version, on unless it is turned off"],
)
def test_a_subchart_may_be_used_in_several_ways(ana, chart, values):
    breakfast(ana, chart, values)
    assert ana.says("use").startswith("✓")


def picnic(ana, chart=PICNIC, values="bread: {flavour: apricot}\ncake: {flavour: quince}\n"):
    ana.write("picnic/Chart.yaml", chart)
    ana.write("picnic/values.yaml", values)


def copied_under_another_name(ana):
    charts = ana.ns.folder / "picnic" / "charts"
    shutil.copytree(charts / "jam", charts / "jelly")


NOT_TWICE = {
    "nothing": (nothing, "picnic/Chart.yaml has the dependency jam once"),
    "a copy": (copied_under_another_name, "picnic/charts has jam, jelly"),
    "one name": (
        lambda ana: picnic(ana, PICNIC.replace("    alias: bread\n", "").replace("    alias: cake\n", "")),
        "two dependencies are both called jam",
    ),
    "one alias": (lambda ana: picnic(ana, PICNIC.replace("cake", "bread")), "are both called bread"),
    "not nested": (lambda ana: picnic(ana, values="flavour: apricot\n"), "says nothing below bread or cake"),
    "one flavour": (
        lambda ana: picnic(ana, values="bread: {flavour: apricot}\ncake: {flavour: apricot}\n"),
        "the picnic has apricot jam and apricot jam",
    ),
}


@pytest.mark.parametrize(("does", "help_"), NOT_TWICE.values(), ids=list(NOT_TWICE))
def test_two_jars_that_are_not_right_are_told_why(ana, does, help_):
    does(ana)
    said = ana.says("twice")
    assert said.startswith("✗")
    assert help_ in said


def test_one_of_the_two_may_keep_its_name(ana):
    picnic(
        ana,
        PICNIC.replace("    alias: cake\n", ""),
        "jam: {flavour: quince}\nbread: {flavour: apricot}\n",
    )
    assert ana.says("twice").startswith("✓")


def test_the_lessons_author_solves_it_and_the_next_start_finds_nothing_of_it(ana):
    ana.lesson.solution()
    assert [ana.says(key)[0] for key in ("publish", "use", "twice")] == ["✓"] * 3
    ana.lesson.start()
    assert not shelf(ana.lab).exists()
    with pytest.raises(ChartNotFound):
        ana.lab.charts.sources.book.open(url(ana.lab)).versions("jam")
