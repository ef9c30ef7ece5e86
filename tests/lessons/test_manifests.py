"""Lesson 01's checks, from both sides: the starting point and wrong answers, each with its own help; right ones."""

from __future__ import annotations

import pytest

from labkit.lessons.course.manifests import manifest


@pytest.fixture
def ana(begin):
    return begin("01", "manifests")


def nothing(ana):
    pass


def applied_as_it_was(ana):
    ana.apply("bananas.yaml")


def no_selector(ana):
    ana.replace("bananas.yaml", "  selector:\n    app: banana\n", "")
    ana.apply("bananas.yaml")


def everybodys_label(ana):
    ana.write("apples.yaml", manifest("apples").replace("app: apples", "app: apples\n        kind: fruit"))
    ana.replace(
        "apples.yaml",
        "matchLabels:\n      app: apples\n        kind: fruit",
        "matchLabels:\n      app: apples",
    )
    ana.replace(
        "apples.yaml", "selector:\n    app: apples\n        kind: fruit", "selector:\n    app: apples"
    )
    ana.replace(
        "bananas.yaml", "    spec:\n      containers", "        kind: fruit\n    spec:\n      containers"
    )
    ana.replace("bananas.yaml", "app: banana\n", "kind: fruit\n")
    ana.apply()


def wrong_port(ana):
    ana.replace("bananas.yaml", "app: banana\n", "app: bananas\n")
    ana.replace("bananas.yaml", "targetPort: 8080", "targetPort: 80")
    ana.apply("bananas.yaml")


def in_the_cluster_only(ana):
    ana.apply("bananas.yaml")
    patch = {"spec": {"selector": {"app": "bananas"}}}
    ana.lab.cluster.patch("v1", "Service", "bananas", "manifests", patch=patch)
    ana.ns.wait()


def without_the_deployment(ana):
    ana.replace("bananas.yaml", "app: banana\n", "app: bananas\n")
    ana.apply("bananas.yaml")
    ana.ns.delete("deployment", "bananas")
    ana.ns.wait()


WRONG_BANANAS = {
    nothing: "there is no Service bananas",
    applied_as_it_was: "app: banana; no Pod carries that",
    no_selector: "has no selector at all",
    everybodys_label: "matches Pods of apples, too",
    wrong_port: "nothing answers",
    in_the_cluster_only: "the files are not the same as the cluster: Service/bananas",
    without_the_deployment: "there are no Pods of bananas",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_BANANAS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_wrong_answer_about_bananas_is_told_what_was_seen(ana, does, help_):
    does(ana)
    said = ana.says("reach")
    assert said.startswith("✗")
    assert help_ in said


def the_selector_says_what_the_label_says(ana):
    ana.replace("bananas.yaml", "app: banana\n", "app: bananas\n")
    ana.apply("bananas.yaml")


def the_label_says_what_the_selector_says(ana):
    """The Deployment's selector cannot be changed, so it is made again."""
    ana.apply("bananas.yaml")
    ana.replace("bananas.yaml", "app: bananas", "app: banana")
    ana.ns.delete("deployment", "bananas")
    ana.apply("bananas.yaml")


def another_label_altogether(ana):
    ana.replace(
        "bananas.yaml", "    spec:\n      containers", "        colour: yellow\n    spec:\n      containers"
    )
    ana.replace("bananas.yaml", "app: banana\n", "colour: yellow\n")
    ana.apply("bananas.yaml")


@pytest.mark.parametrize(
    "does",
    [the_selector_says_what_the_label_says, the_label_says_what_the_selector_says, another_label_altogether],
    ids=lambda x: x.__name__,
)
def test_bananas_may_be_mended_in_several_ways(ana, does):
    does(ana)
    assert ana.says("reach").startswith("✓ Service bananas selects 2 ready Pods")


def cherries(*changes):
    def write(ana):
        text = manifest("cherries")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        ana.write("cherries.yaml", text)
        ana.apply("cherries.yaml")

    return write


def deployment_only(ana):
    ana.write("cherries.yaml", manifest("cherries").split("---")[0])
    ana.apply("cherries.yaml")


def not_written_down(ana):
    cherries()(ana)
    (ana.ns.folder / "cherries.yaml").unlink()


WRONG_CHERRIES = [
    (nothing, "no Deployment cherries"),
    (deployment_only, "but no Service cherries"),
    (cherries(("replicas: 2", "replicas: 3")), "asks for 3 Pods"),
    (cherries(("hello:1.0.0", "hello:tasty")), "0 of 2 Pods are ready"),
    (cherries(("port: 80\n", "port: 8080\n")), "listens on port 8080"),
    (cherries(("selector:\n    app: cherries", "selector:\n    app: cherry")), "finds no Pod"),
    (cherries(("targetPort: 8080", "targetPort: 80")), "a request to Service cherries"),
    (cherries(("value: cherries", "value: apples")), "a request to Service cherries: apples"),
    (not_written_down, "no file says so: Deployment, Service"),
]


@pytest.mark.parametrize(("does", "help_"), WRONG_CHERRIES, ids=[help_ for _, help_ in WRONG_CHERRIES])
def test_a_wrong_answer_about_cherries_is_told_what_was_seen(ana, does, help_):
    does(ana)
    said = ana.says("cherries")
    assert said.startswith("✗")
    assert help_ in said


RED = "            - name: COLOUR\n              value: red\n          ports:"
RIGHT_CHERRIES = {
    "as the author would": cherries(),
    "other labels, another colour": cherries(
        ("app: cherries", "fruit: cherries"),
        ("          ports:", RED),
    ),
}


@pytest.mark.parametrize("does", RIGHT_CHERRIES.values(), ids=RIGHT_CHERRIES)
def test_cherries_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert ana.says("cherries").startswith("✓")
