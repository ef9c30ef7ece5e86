"""Lesson 10's checks, from both sides."""

from __future__ import annotations

import pytest

from labkit.lessons.course.applications import OWN, POLICIES, TABLE, late, own
from labkit.lessons.trial import look, settle

LINES = list(TABLE)


@pytest.fixture
def ana(begin):
    return begin("10", "orchard")


def as_text(table):
    return "\n".join(
        f"{line}:\n" + "".join(f"  {policy}: {said}\n" for policy, said in row.items())
        for line, row in table.items()
    )


def table(yes="yes", no="no", **wrong):
    """The right table; ``wrong`` turns one cell around, by policy: the number of its line."""
    right = {line: {p: yes if p in TABLE[line] else no for p in POLICIES} for line in LINES}
    for policy, number in wrong.items():
        row = right[LINES[number]]
        row[policy] = no if row[policy] == yes else yes
    return right


def without_a_line():
    kept = table()
    del kept[LINES[1]]
    return kept


WRONG_TABLES = {
    "no line": (without_a_line, "has no line 'a change by hand is undone at once'"),
    "a word of their own": (lambda: table(yes="perhaps"), "6 of 16 places are empty or neither yes nor no"),
    "manual acts": (lambda: table(manual=0), "without automated sync a new commit is deployed"),
    "prune is not automated": (lambda: table(prune=0), "with prune no new commit is deployed"),
    "automated deletes": (lambda: table(automated=3), "for automated and \"what Git no longer has is deleted\": yes"),
    "selfHeal deletes": (lambda: table(selfHeal=3), "for selfHeal and \"what Git no longer has is deleted\": yes"),
    "automated heals": (lambda: table(automated=1), "'a change by hand is undone at once': yes"),
    "selfHeal forgets": (lambda: table(selfHeal=2), "'what was deleted by hand comes back at once': no"),
}  # fmt: skip


def test_an_empty_table_and_a_missing_one_are_told_so(ana):
    assert "16 of 16 places are empty" in ana.says("table")
    (ana.ns.folder / "table.yaml").unlink()
    assert "there is no file" in ana.says("table")


def test_a_wrong_prediction_is_told_where_to_look(ana):
    for name, (made, help_) in WRONG_TABLES.items():
        ana.write("table.yaml", as_text(made()))
        said = ana.says("table")
        assert said.startswith("✗"), name
        assert help_ in said, name


def test_a_right_table_may_be_written_in_several_ways(ana):
    ana.write("table.yaml", as_text(table()))
    assert ana.says("table").startswith("✓")
    ana.write("table.yaml", as_text(dict(reversed(table("true", "false").items()))))
    assert ana.says("table").startswith("✓")


def test_the_table_is_what_the_controller_does(ana):
    """The lesson's trial, as its notebook runs it."""
    switches = {"manual": {}, "automated": {"automated": True}}
    switches |= {"prune": {"automated": True, "prune": True}}
    switches |= {"selfHeal": {"automated": True, "self_heal": True}}
    apps = {
        name: ana.lab.apps.create(f"orchard-{name.lower()}", repo="orchard", path="fruit", **policy)
        for name, policy in switches.items()
    }
    apps["manual"].sync()
    look(ana.lab, apps)
    work = ana.lab.repos["orchard"].clone()

    def then(column):
        rows = [line.split() for line in look(ana.lab, apps).text.splitlines()]
        number = rows[0].index(column)
        return {row[0]: row[number] for row in rows[1:]}

    def who(seen, value):
        return tuple(name for name in POLICIES if seen[name] == value)

    ana.replace("fruit/apples.yaml", "replicas: 1", "replicas: 2")
    work.add("fruit").commit("Two apples")
    work.push()
    assert who(then("REPLICAS"), "2") == TABLE[LINES[0]]
    for app in apps.values():
        five = {"spec": {"replicas": 5}}
        ana.lab.cluster.patch("apps/v1", "Deployment", "apples", app.namespace, patch=five)
    assert who(then("REPLICAS"), "2") == TABLE[LINES[1]]
    for app in apps.values():
        ana.lab.cluster.delete("v1", "Service", "apples", app.namespace)
    assert who(then("SERVICE"), "there") == TABLE[LINES[2]]
    (ana.ns.folder / "fruit" / "bananas.yaml").unlink()
    work.add("fruit").commit("No more bananas")
    work.push()
    assert who(then("BANANAS"), "gone") == TABLE[LINES[3]]


def nothing(ana):
    pass


def created(ana):
    settle(late(ana.lab))


def namespace_only(ana):
    created(ana)
    ana.lab.namespace("orchard-late")
    ana.lab.apps["orchard-late"].refresh()


def automation_off(ana):
    namespace_only(ana)
    ana.lab.apps["orchard-late"].set(automated=False).sync()


WRONG_LATE = {
    nothing: "there is no Application orchard-late",
    created: 'namespaces "orchard-late" not found',
    namespace_only: "failed, and it is not tried again",
    automation_off: "automated sync was switched off",
}


@pytest.mark.parametrize(("does", "help_"), WRONG_LATE.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_who_waits_for_a_failed_revision_is_told_why_nothing_happens(ana, does, help_):
    does(ana)
    said = ana.says("late")
    assert said.startswith("✗")
    assert help_ in said


def by_a_sync(ana):
    namespace_only(ana)
    ana.lab.apps["orchard-late"].sync().wait()


def by_a_commit(ana):
    created(ana)
    ana.lab.namespace("orchard-late")
    work = ana.lab.repos["orchard"].clone()
    ana.write("stall/note.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}")
    work.add().commit("A note")
    work.push()
    settle(ana.lab.apps["orchard-late"])


def by_the_option(ana):
    created(ana)
    ana.lab.apps["orchard-late"].set(sync_options=["CreateNamespace=true"]).sync().wait()


@pytest.mark.parametrize("does", [by_a_sync, by_a_commit, by_the_option], ids=lambda x: x.__name__)
def test_a_failed_revision_may_be_left_behind_in_several_ways(ana, does):
    does(ana)
    assert ana.says("late").startswith("✓")


def apply(ana, change=lambda spec: None):
    manifest = own(ana.lab.repos["orchard"].url)
    change(manifest["spec"])
    settled = "CreateNamespace=true" in manifest["spec"]["syncPolicy"].get("syncOptions", ())
    app = ana.lab.apps.create_from(manifest, upsert=True, validate=False)
    settle(app) if settled else app.refresh()


def wrong(path, value):
    """One place of the author's Application set otherwise; ``None`` takes it away."""

    def does(ana):
        def change(spec):
            *way, last = path.split(".")
            for key in way:
                spec = spec[key]
            spec.pop(last) if value is None else spec.update({last: value})

        apply(ana, change)

    return does


WRONG_OWN = {
    "absent": (nothing, "there is no Application orchard-own"),
    "path": (wrong("source.path", "fruit"), "it follows the folder 'fruit'"),
    "target": (wrong("destination.namespace", "orchard"), "it deploys to the namespace 'orchard'"),
    "revision": (wrong("source.targetRevision", "mian"), "the controller cannot compare it"),
    "manual": (wrong("syncPolicy.automated", None), "it is OutOfSync, and waits for somebody"),
    "namespace": (wrong("syncPolicy.syncOptions", None), 'namespaces "orchard-own" not found'),
    "prune": (wrong("syncPolicy.automated.prune", None), "would leave what Git no longer has"),
    "heal": (wrong("syncPolicy.automated.selfHeal", False), "would not undo what is changed by hand"),
}


@pytest.mark.parametrize(("does", "help_"), WRONG_OWN.values(), ids=WRONG_OWN)
def test_an_application_that_is_not_as_asked_is_told_which_field(ana, does, help_):
    does(ana)
    said = ana.says("own")
    assert said.startswith("✗")
    assert help_ in said


def by_name_of_the_cluster(ana):
    def change(spec):
        spec["destination"] = {"name": "in-cluster", "namespace": OWN}
        spec["source"]["targetRevision"] = "HEAD"

    apply(ana, change)


@pytest.mark.parametrize("does", [apply, by_name_of_the_cluster], ids=lambda x: x.__name__)
def test_an_application_may_be_written_in_several_ways(ana, does):
    does(ana)
    assert ana.says("own").startswith("✓")
    assert ana.lab.cluster.find("v1", "Service", "stall", OWN) is not None
