"""Lesson 02's checks, from both sides."""

from __future__ import annotations

import pytest

FRUITS = ("apples", "bananas", "cherries")


@pytest.fixture
def ana(begin):
    return begin("02", "copies")


def nothing(ana):
    pass


def as_on_friday(ana):
    ana.lesson.lay("friday")
    ana.apply()


def back_to_the_old_port(ana):
    ana.lesson.lay("friday")
    ana.replace("cherries.yaml", "9090", "8080")
    ana.apply()


def the_container_only(ana):
    ana.lesson.lay("friday")
    ana.replace("cherries.yaml", 'value: "9090"', 'value: "8080"')
    ana.apply()


def a_place_that_does_not_matter_today(ana):
    ana.lesson.lay("friday")
    ana.replace("cherries.yaml", "targetPort: 8080", "targetPort: 9090")
    ana.replace("cherries.yaml", "containerPort: 9090", "containerPort: 8080")
    ana.apply()


def in_the_cluster_only(ana):
    as_on_friday(ana)
    patch = [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9090}]
    ana.lab.cluster.patch("v1", "Service", "cherries", "copies", patch=patch, patch_type="json")
    ana.ns.wait()


def one_was_never_copied(ana):
    ana.lesson.lay("friday")
    (ana.ns.folder / "bananas.yaml").unlink()
    ana.apply()


WRONG_PORTS = {
    nothing: "no Deployment and Service of: apples, bananas, cherries",
    one_was_never_copied: "no Deployment and Service of: bananas",
    as_on_friday: "no right answer from cherries",
    back_to_the_old_port: "cherries: PORT is 8080; cherries: containerPort is 8080; cherries: the readiness probe's",
    a_place_that_does_not_matter_today: "not everything says 9090: cherries: containerPort is 8080",
    in_the_cluster_only: "the files are not the same as the cluster: Service/cherries",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_PORTS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_wrong_answer_about_the_port_is_told_what_was_seen(ana, does, help_):
    does(ana)
    said = ana.says("missed")
    assert said.startswith("✗")
    assert help_ in said


def a_number(ana):
    ana.lesson.lay("friday")
    ana.replace("cherries.yaml", "targetPort: 8080", "targetPort: 9090")
    ana.apply()


def a_name(ana):
    ana.lesson.lay("friday")
    ana.replace("cherries.yaml", "- containerPort: 9090", "- containerPort: 9090\n              name: http")
    ana.replace("cherries.yaml", "              port: 9090", "              port: http")
    ana.replace("cherries.yaml", "targetPort: 8080", "targetPort: http")
    ana.apply()


@pytest.mark.parametrize("does", [a_number, a_name], ids=lambda x: x.__name__)
def test_the_missed_edit_may_be_mended_by_number_or_by_name(ana, does):
    does(ana)
    assert ana.says("missed").startswith("✓")


def labelled(ana, fruit, label="team: fruit", *, own=True, pods=True):
    if own:
        ana.replace(
            f"{fruit}.yaml", f"  name: {fruit}\nspec:", f"  name: {fruit}\n  labels:\n    {label}\nspec:"
        )
    if pods:
        before = f"labels:\n        app: {fruit}"
        ana.replace(f"{fruit}.yaml", before, f"{before}\n        {label}")


def unlabelled(ana):
    a_number(ana)


def objects_only(ana):
    a_number(ana)
    for fruit in FRUITS:
        labelled(ana, fruit, pods=False)
    ana.apply()


def one_forgotten(ana):
    a_number(ana)
    labelled(ana, "apples")
    labelled(ana, "bananas")
    labelled(ana, "cherries", pods=False)
    ana.apply()


def misspelt(ana):
    a_number(ana)
    for fruit in FRUITS:
        labelled(ana, fruit, "team: fruits" if fruit == "bananas" else "team: fruit")
    ana.apply()


def not_applied(ana):
    a_number(ana)
    for fruit in FRUITS:
        labelled(ana, fruit)


def broken_on_the_way(ana):
    a_number(ana)
    for fruit in FRUITS:
        labelled(ana, fruit)
    ana.replace("apples.yaml", "targetPort: 9090", "targetPort: 8080")
    ana.apply()


def by_kubectl_label(ana):
    objects_only(ana)
    kept = {fruit: (ana.ns.folder / f"{fruit}.yaml").read_text(encoding="utf-8") for fruit in FRUITS}
    for fruit in FRUITS:
        labelled(ana, fruit, own=False)
    ana.apply()
    for fruit, text in kept.items():
        ana.write(f"{fruit}.yaml", text)


WRONG_LABELS = {
    nothing: "only 0 of the nine",
    unlabelled: "no object has a label team",
    objects_only: "the Pods do not",
    one_forgotten: "8 of 9 have it; missing on: Pods cherries",
    misspelt: "Deployment bananas: fruits",
    not_applied: "no object has a label team",
    broken_on_the_way: "these do not answer: apples",
    by_kubectl_label: "the files do not say so: Deployment/apples",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_LABELS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_wrong_answer_about_the_label_is_told_what_was_seen(ana, does, help_):
    does(ana)
    said = ana.says("team")
    assert said.startswith("✗")
    assert help_ in said


def label_first(ana):
    """With the label above ``app``, and one more label of one's own."""
    a_number(ana)
    for fruit in FRUITS:
        labelled(ana, fruit, own=True, pods=False)
        pods = f"labels:\n        app: {fruit}"
        ana.replace(
            f"{fruit}.yaml", pods, f"labels:\n        team: fruit\n        shelf: top\n        app: {fruit}"
        )
    ana.apply()


def label_last(ana):
    a_number(ana)
    for fruit in FRUITS:
        labelled(ana, fruit)
    ana.apply()


@pytest.mark.parametrize("does", [label_first, label_last], ids=lambda x: x.__name__)
def test_the_label_may_stand_among_others(ana, does):
    does(ana)
    assert ana.says("team") == "✓ nine of nine, and all three answer → "
