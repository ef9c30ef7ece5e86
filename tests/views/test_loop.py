"""The loop, the applications and the network, as HTML and as text."""

from __future__ import annotations

import pytest

from labkit.views.applications import applications, applications_table, card_of, policy_of
from labkit.views.loop import duration, loop, loop_of
from labkit.views.network import network

HOSTILE = "<img src=x onerror=alert(1)>"
TASK = {"phase": "Sync", "wave": 0, "action": "apply", "group": "", "kind": "ConfigMap", "namespace": "a"}


def stage(name, says, status="Succeeded", seconds=0.004):
    at = "2026-01-01T10:00:00.000Z"
    return {"name": name, "status": status, "says": says, "looked": "a place", "seconds": seconds, "at": at}


def told(**changes):
    gates = [
        {"gate": "automated", "question": "Is automated sync on?", "state": "open"},
        {"gate": "heal", "question": "May it heal?", "state": "held"},
        {"gate": "empty", "question": "Would something be left?", "state": "not asked"},
    ]
    tasks = [TASK | {"name": "a", "status": "Succeeded", "message": "", "reason": "it differs"}]
    tasks.append(TASK | {"name": "b", "status": "Failed", "message": "no", "reason": "it differs"})
    wave = {"phase": "Sync", "wave": 0, "status": "Failed", "tasks": tasks}
    wave |= {"began": "2026-01-01T10:00:00.000Z", "ended": "2026-01-01T10:00:01.200Z"}
    found = {
        "stages": [stage("received", "1a2b3c4 Blue by Ann"), stage("rendered", "2 objects from 1 file")],
        "waves": [wave],
        "gates": gates,
        "reason": "drift is shown, not undone",
        "journal": [{"at": "x", "last": "2026-01-01T10:00:01.000Z", "says": "first", "times": 1}],
    }
    return found | changes


def application(**status):
    return {
        "metadata": {"name": "shop"},
        "spec": {
            "source": {"repoURL": "http://git/shop.git", "path": "web"},
            "destination": {"namespace": "shop"},
        },
        "status": {"health": {"status": "Healthy"}, **status},
    }


def test_the_text_tells_the_steps_their_tasks_and_what_keeps_the_controller():
    assert loop(loop_of(told(), application()), timing=False).text.splitlines() == [
        "✓ received  1a2b3c4 Blue by Ann",
        "✓ rendered  2 objects from 1 file",
        "· compared",
        "· planned",
        "✖ wave 0    1 of 2 done; ✖ apply ConfigMap b: no",
        "    ✓ apply ConfigMap a",
        "    ✖ apply ConfigMap b: no",
        "♥ healthy   Healthy",
        "→ The controller does not sync by itself: drift is shown, not undone.",
    ]


def test_with_timing_each_step_says_how_long_it_took():
    shown = loop(loop_of(told(), application()))
    assert "(4 ms)" in shown.text
    assert "1.2 s" in shown.html
    assert "it stops here" in shown.html
    assert "a place · 4 ms" in shown.html


def test_a_stage_that_failed_says_why_nothing_more_happens():
    shown = loop(loop_of(told(gates=[], reason="it could not be rendered"), application()))
    assert "→ The controller cannot go on: it could not be rendered. What runs goes on running." in shown.text


def test_a_controller_that_has_just_begun_has_told_nothing_yet():
    shown = loop(loop_of({}, {"metadata": {"name": "a"}, "spec": {}}))
    assert [line.split()[1] for line in shown.text.splitlines()] == [
        "received", "rendered", "compared", "planned", "healthy",
    ]  # fmt: skip
    assert "not yet" in shown.html


def test_what_keeps_it_from_being_healthy_is_named():
    resources = [
        {"kind": "Service", "name": "ok", "health": {"status": "Healthy"}},
        {"kind": "Deployment", "name": "web", "health": {"status": "Degraded", "message": "no image"}},
    ]
    shown = loop(loop_of({}, application(health={"status": "Degraded"}, resources=resources)))
    assert "✖ healthy   Degraded: Deployment web: no image" in shown.text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0001, "<1 ms"), (0.0123, "12 ms"), (0.5, "0.5 s"), (61, "61.0 s"), (600, "10 min")],
)
def test_a_duration_is_said_as_people_say_it(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({}, "manual"),
        ({"automated": {}}, "automated"),
        ({"automated": {"enabled": False, "prune": True}}, "manual"),
        ({"automated": {"prune": True, "selfHeal": True}}, "automated, prune, self-heal"),
    ],
)
def test_a_policy_in_words(policy, said):
    assert policy_of({"syncPolicy": policy}) == said


def test_an_application_without_a_status_is_shown_too():
    card = card_of({"metadata": {"name": "new"}, "spec": {}}, {})
    assert (card.sync, card.health, card.synced_at) == ("Unknown", "Unknown", "")
    assert "never synced" in applications([card]).html
    assert "never" in applications_table([card]).html


def test_the_tiles_in_text_are_a_line_each():
    commit = {"author": "Ann <a@example.com>", "message": "Blue\n\nbecause"}
    obj = application(sync={"status": "Synced", "revision": "1a2b3c4d5e"})
    lines = applications([card_of(obj, commit)]).text.splitlines()
    assert lines[1].split("  ")[0] == "shop"
    assert "1a2b3c4 Blue" in lines[1]
    assert lines[1].endswith("Ann")


def test_text_from_elsewhere_is_never_markup():
    card = card_of(
        application(conditions=[{"type": HOSTILE, "message": HOSTILE}]),
        {"message": HOSTILE, "author": HOSTILE},
    )
    hostile = told(reason=HOSTILE, stages=[stage("received", f"{HOSTILE}: {HOSTILE}")])
    hostile["waves"][0]["tasks"][0] |= {"name": HOSTILE, "reason": HOSTILE}
    hostile["journal"][0]["says"] = HOSTILE
    pod = {"kind": "Pod", "metadata": {"name": HOSTILE, "namespace": HOSTILE}, "status": {"podIP": HOSTILE}}
    for view in (
        applications([card]), applications_table([card]), loop(loop_of(hostile, application())), network([pod])
    ):  # fmt: skip
        assert "<img src" not in view.html
        assert "&lt;img src" in view.html


def labelled(kind, name, ready=True, **labels):
    condition = {"type": "Ready", "status": str(ready)}
    meta = {"name": name, "namespace": "shop", "labels": labels}
    return {
        "kind": kind,
        "metadata": meta,
        "status": {"conditions": [condition], "podIP": f"10.0.0.{len(name)}"},
    }


def test_the_network_goes_from_host_to_service_to_the_pods_it_selects():
    service = labelled("Service", "web")
    service["spec"] = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    ingress = labelled("Ingress", "front")
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress["spec"] = {
        "rules": [{"host": "shop.local", "http": {"paths": [{"path": "/", "backend": backend}]}}]
    }
    pods = [
        labelled("Pod", "a", app="web"),
        labelled("Pod", "bb", ready=False, app="web"),
        labelled("Pod", "other"),
    ]
    text = network([ingress, service, *pods]).text
    assert "Ingress front · shop.local" in text
    assert "─/─▶ Service web" in text
    assert "1 of 2 Pods ready" in text
    assert text.count("─80→8080─▶") == 2
    assert "Pod other" in text


def test_many_pods_of_a_service_are_one_box():
    service = labelled("Service", "web")
    service["spec"] = {"selector": {"app": "web"}}
    pods = [labelled("Pod", f"p{number}", app="web") for number in range(40)]
    text = network([service, *pods]).text
    assert "40 Pods · 40 of 40 ready" in text
    assert "Pod p1" not in text


def test_a_service_that_selects_nothing_says_so():
    service = labelled("Service", "web")
    service["spec"] = {"selector": {"app": "wbe"}}
    assert "selects no Pod" in network([service]).text
