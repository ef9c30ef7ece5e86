"""Lesson 11's checks, from both sides."""

from __future__ import annotations

import pytest

from labkit.lessons.course.waves import CHART, annotate, chart, new, push
from labkit.lessons.ordering import result, run, steps, stuck

SETTINGS, MIGRATE, SMOKE = "site/settings.yaml", "site/migrate.yaml", "site/smoke.yaml"


@pytest.fixture(scope="module")
def world(begin):
    return begin("11", "visitors")


@pytest.fixture
def ana(world):
    """The files of the start, whatever was done in them; Applications and namespaces stay between the tests."""
    world.lesson.lay("start")
    push(world.lab, "The files of the start")
    return world


def ordered(ana, settings=None, migrate=None, smoke=None):
    """One way to order the site: annotations by object."""
    for file, name, said in (
        (SETTINGS, "settings", settings),
        (MIGRATE, "migrate", migrate),
        (SMOKE, "smoke", smoke),
    ):
        annotate(ana.lab, file, name, **(said or {}))
    push(ana.lab, "Another order")


RIGHT = {
    "settings": {"sync_wave": "-2"},
    "migrate": {"hook": "Sync", "sync_wave": "-1"},
    "smoke": {"hook": "PostSync"},
}
WRONG = {
    "start": ({}, "the ConfigMap settings comes in Sync, and the migration that reads it in Sync"),
    "presync": (RIGHT | {"settings": {}, "migrate": {"hook": "PreSync"}}, "settings comes in Sync, and the migration"),
    "late migration": (RIGHT | {"migrate": {"hook": "PostSync", "sync_wave": "-1"}},
                       "the migration comes in PostSync -1, and the application in Sync"),
    "early test": (RIGHT | {"smoke": {"hook": "PreSync"}},
                   "the application comes in Sync, and the smoke test in PreSync"),
    "misspelt": (RIGHT | {"smoke": {"hook": "Postsync"}}, "Job/smoke is not in the plan: its hook says 'Postsync'"),
    "waves only": (RIGHT | {"migrate": {"sync_wave": "-1"}}, "Job/migrate is no hook"),
    "not a number": (RIGHT | {"settings": {"sync_wave": "first"}}, "settings comes in Sync, and the migration"),
    "not synced": (RIGHT, "is not synced yet"),
}  # fmt: skip


def test_without_the_application_there_is_nothing_to_order(ana):
    assert "there is no Application visitors-new" in ana.says("order")


def test_an_order_that_cannot_work_is_told_who_comes_too_early(ana):
    new(ana.lab)
    for name, (said, help_) in WRONG.items():
        ordered(ana, **said)
        assert help_ in ana.says("order"), name
    (ana.ns.folder / SMOKE).unlink()
    push(ana.lab, "No test any more")
    assert "Job/smoke is not in Git" in ana.says("order")
    ana.write(SMOKE, "apiVersion: batch/v1\nkind: Job\nmetadata: [")
    push(ana.lab, "Broken")
    assert "the controller cannot read Git's main" in ana.says("order")


def test_a_sync_that_hangs_is_told_what_for_and_makes_room_for_the_right_one(ana):
    ordered(ana, migrate={"hook": "PreSync"})
    app = new(ana.lab).refresh()
    assert "· PreSync       Job/migrate" in steps(app).text
    app.sync(wait=False)
    assert 'configmap "settings" not found' in stuck(ana.lab, app).text
    ordered(ana, **RIGHT)
    assert "still running: waiting for PreSync hook Job migrate" in ana.says("order")
    ana.lesson.exercise("order").solution()
    assert ana.says("order").startswith("✓")


def test_an_order_may_be_right_in_another_way(ana):
    hooks = {"hook": "PreSync", "sync_wave": "-1"}
    ordered(ana, settings=hooks, migrate={"hook": "PreSync"}, smoke={"hook": "Sync", "sync_wave": "1"})
    assert "successfully synced" in run(new(ana.lab).refresh()).text
    assert ana.says("order").startswith("✓")


def test_a_hook_that_fails_is_told_with_its_name(ana):
    ordered(ana, **RIGHT)
    ana.replace(MIGRATE, 'value: "false"', 'value: "true"')
    push(ana.lab, "A migration that fails")
    shown = run(new(ana.lab).refresh()).text
    assert "Job/migrate: Job has reached the specified backoff limit" in shown
    assert "✖ Sync -1" in shown
    assert "the last sync failed" in ana.says("order")


def hooked(ana, backup=None, migrate=None):
    for name, said in (("backup", backup), ("migrate", migrate)):
        annotate(ana.lab, f"chart/templates/{name}.yaml", name, **(said or {}))
    push(ana.lab, "Other hooks")


def helm(weight, hook="pre-install,pre-upgrade", policy="hook-succeeded"):
    return {"helm_hook": hook, "helm_hook_weight": weight, "helm_hook_delete_policy": policy}


WRONG_CHARTS = {
    "nothing": (None, None, "the Job backup is no hook"),
    "one": (helm("1"), None, "the Job migrate is no hook"),
    "argocd": ({"hook": "PreSync"}, {"hook": "PreSync"}, "the Job backup is a hook in Argo CD's words only"),
    "install": (helm("1"), helm("2", "pre-install"), "the Job migrate is a hook for: pre-install"),
    "after": (helm("1"), helm("2", "post-install,post-upgrade"), "is a hook for: post-install, post-upgrade"),
    "same": (helm("1"), helm("1"), "both come in PreSync 1, and run at the same time"),
    "reverse": (helm("2"), helm("1"), "migrate comes in PreSync 1, backup in PreSync 2"),
    "not synced": (helm("1"), helm("2"), "is not synced yet"),
}


def test_hooks_in_helms_words_are_told_what_helm_or_argo_cd_makes_of_them(ana):
    assert "there is no Application visitors-chart" in ana.says("chart")
    chart(ana.lab)
    for name, (backup, migrate, help_) in WRONG_CHARTS.items():
        hooked(ana, backup, migrate)
        assert help_ in ana.says("chart"), name
    ana.write("chart/templates/backup.yaml", "{{ if }}")
    push(ana.lab, "Broken")
    assert "the controller cannot render Git's main" in ana.says("chart")


def test_hooks_that_stay_are_told_and_may_go_in_several_ways(ana):
    app = chart(ana.lab)
    hooked(ana, helm("1", policy="before-hook-creation"), helm("2", policy="before-hook-creation"))
    app.refresh().sync()
    assert "still in the cluster: backup and migrate" in ana.says("chart")
    hooked(ana, helm("-1"), helm("0", "pre-upgrade,pre-install"))
    app.refresh().sync()
    assert ana.says("chart").startswith("✓")
    assert ana.lab.cluster.find("v1", "Service", "web", CHART) is not None
    assert "PreSync -1  Job/backup" in result(app).text
