"""Lesson 07's checks, from both sides."""

from __future__ import annotations

import pytest

from labkit.errors import ReleaseError, RenderError
from labkit.lessons.charting import chart_at
from labkit.lessons.course.releases import CRD, fail, lay_version_2
from labkit.lessons.releasing import changes, drawn, generations, opened

NS = "releases"
RIGHT = ("bread=spelt", "replicas=2", "image.tag=1.1.0")


@pytest.fixture
def ana(begin):
    trainee = begin("07", "releases")
    trainee.chart = chart_at(trainee.ns.folder, "bakery")
    return trainee


def upgrade(ana, name, *flags, values_from="", wait=True):
    release = ana.lab.releases.get(name, NS)
    release.upgrade(ana.chart, set=flags, values_from=values_from, wait=wait)


def nothing(ana):
    pass


def not_yet_failed(ana):
    ana.lab.releases.install("rye", ana.chart, namespace=NS, set=RIGHT)


def just_failed(ana):
    fail(ana.lab)


def rolled_back_only(ana):
    fail(ana.lab)
    ana.lab.releases.get("rye", NS).rollback()


def values_forgotten(ana):
    fail(ana.lab)
    upgrade(ana, "rye", "image.tag=1.1.0")


def installed_again(ana):
    fail(ana.lab)
    ana.lab.releases.get("rye", NS).uninstall()
    ana.lab.releases.install("rye", ana.chart, namespace=NS, set=RIGHT, wait=True)


def mended_in_the_cluster_only(ana):
    """``kubectl set image`` in place of an upgrade: Helm's last word is still that it failed."""
    fail(ana.lab)
    patch = {
        "spec": {"template": {"spec": {"containers": [{"name": "hello", "image": "gitops-lab/hello:1.1.0"}]}}}
    }
    ana.lab.cluster.patch("apps/v1", "Deployment", "rye", NS, patch=patch, patch_type="strategic")


NOT_RECOVERED = {
    nothing: "there is no release rye",
    not_yet_failed: "release rye has 1 revisions, none of them failed",
    just_failed: "revision 3 of rye is failed",
    rolled_back_only: "release rye is deployed, with the image gitops-lab/hello:1.0.0",
    values_forgotten: "the values given to the last revision of rye: image.tag: 1.1.0",
    installed_again: "release rye has 1 revisions, none of them failed",
    mended_in_the_cluster_only: "revision 3 of rye is failed",
}


@pytest.mark.parametrize(("does", "help_"), NOT_RECOVERED.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_release_that_is_not_recovered_is_told_why(ana, does, help_):
    does(ana)
    said = ana.says("recover")
    assert said.startswith("✗")
    assert help_ in said


def upgraded_with_all_values(ana):
    fail(ana.lab)
    upgrade(ana, "rye", *RIGHT)


def rolled_back_then_upgraded(ana):
    fail(ana.lab)
    ana.lab.releases.get("rye", NS).rollback(2)
    upgrade(ana, "rye", "image.tag=1.1.0", values_from="reset-then-reuse")


@pytest.mark.parametrize(
    "does", [upgraded_with_all_values, rolled_back_then_upgraded], ids=lambda x: x.__name__
)
def test_a_release_may_be_recovered_in_several_ways(ana, does):
    does(ana)
    ana.ns.wait()
    assert ana.says("recover").startswith("✓")


def wheat(ana, *flags, values_from="", version_2=True):
    ana.lab.releases.install("wheat", ana.chart, namespace=NS, set=["bread=wheat"])
    if version_2:
        lay_version_2(ana.ns.folder)
    if flags:
        upgrade(ana, "wheat", *flags, values_from=values_from, wait=False)


def reuse_values(ana):
    with pytest.raises((ReleaseError, RenderError), match=r"nil pointer|has no value"):
        wheat(ana, "replicas=3", values_from="reuse")


def degrees_by_hand(ana):
    wheat(ana, "replicas=3", "oven.degrees=200", values_from="reuse")


def installed_anew(ana):
    wheat(ana)
    for _ in range(12):  # Helm keeps ten
        upgrade(ana, "wheat", "bread=wheat", "replicas=3", wait=False)


NOT_KEPT = {
    "nothing": (nothing, "there is no release wheat"),
    "not upgraded": (wheat, "release wheat is of bakery 0.1.0"),
    "the old chart": (
        lambda ana: wheat(ana, "replicas=3", version_2=False),
        "release wheat is of bakery 0.1.0",
    ),
    "values lost": (lambda ana: wheat(ana, "replicas=3"), "the application is told to say: rye bread"),
    "reuse alone": (reuse_values, "release wheat is of bakery 0.1.0"),
    "no replicas": (lambda ana: wheat(ana, "bread=wheat"), "the Deployment wants 1 replicas"),
    "degrees by hand": (degrees_by_hand, "the oven has 200 degrees"),
    "history gone": (installed_anew, "begins with revision 4"),
}


@pytest.mark.parametrize(("does", "help_"), NOT_KEPT.values(), ids=list(NOT_KEPT))
def test_an_upgrade_that_loses_something_is_told_what(ana, does, help_):
    does(ana)
    said = ana.says("keep")
    assert said.startswith("✗")
    assert help_ in said


@pytest.mark.parametrize(
    ("flags", "values_from"),
    [(("replicas=3",), "reset-then-reuse"), (("bread=wheat", "replicas=3"), "")],
    ids=["kept by the flag", "all given again"],
)
def test_values_may_be_kept_in_several_ways(ana, flags, values_from):
    wheat(ana, *flags, values_from=values_from)
    assert ana.says("keep") == "✓ revision 2: the new chart's defaults, your values over them → "


def test_the_lessons_author_solves_it_and_the_next_start_finds_nothing_of_it(ana):
    ana.lesson.solution()
    ana.ns.wait()
    assert [ana.says(key)[0] for key in ("recover", "keep")] == ["✓", "✓"]
    ana.lesson.start()
    assert ana.lab.cluster.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD) is None
    assert [each.name for each in ana.lab.releases if each.namespace == NS] == []


def test_the_pictures_are_drawn_from_the_releases_own_revisions(ana):
    fail(ana.lab)
    rye = ana.lab.releases.get("rye", NS)
    rye.rollback(2)
    shown = drawn(rye).text
    assert (
        "revision 4 · Rollback to 2 · ✓ deployed\n    ──▶ bakery 0.1.0 with bread: spelt, replicas: 2"
        in shown
    )
    assert "✗ failed\n    ──▶ bakery 0.1.0 with bread: spelt, image.tag: v1.1.0, replicas: 2" in shown
    secret = opened(ana.lab, "rye", 2, NS).text
    assert "info.status       superseded" in secret
    assert "{'bread': 'spelt', 'replicas': 2}" in secret
    lay_version_2(ana.ns.folder)
    assert "+        - name: DEGREES" in changes(rye.preview(ana.chart)).text


def test_four_generations_of_helm_say_whom_the_api_server_sees():
    shown = generations().text
    assert [line.split(" (")[0] for line in shown.splitlines() if line.startswith("Helm ")] == [
        "Helm 1", "Helm 2", "Helm 3", "Helm 4",
    ]  # fmt: skip
    assert "✗ sees: Tiller, whoever asked" in shown
