"""What the loop did of late: stages, gates, waves, and the journal in words."""

from __future__ import annotations

from manifests import config, job

from labkit.gitops import operations
from labkit.gitops.sync.gates import GATES, Decision, rows
from labkit.gitops.trace import Trace
from labkit.runtime.clock import ManualClock

AUTOMATED = {"prune": True, "selfHeal": False}


def names(loop, key="status"):
    return {stage["name"]: stage[key] for stage in loop["stages"]}


def gate(loop):
    return next((g["gate"] for g in loop["gates"] if g["state"] == "held"), "")


def seen(world, app, reached):
    """The loop once it is as wanted."""
    world.until(lambda: world.status(app), lambda status: status)
    return world.until(lambda: world.controller.loop(app), reached)


def test_a_push_is_seen_in_every_stage_with_what_it_looked_at(world):
    repo = world.repository("shop")
    first = {"metadata": {"annotations": {"argocd.argoproj.io/sync-wave": "-1"}}}
    early = config("early", v="1")
    early["metadata"] |= first["metadata"]
    sha = repo.push({"a.yaml": early, "b.yaml": config("late", v="1")})
    app = world.app("staged", repo, automated=AUTOMATED)  # its namespace is nobody else's: it is made, too
    world.settled(app, sha)
    loop = seen(world, app, lambda found: len(found["stages"]) == 4)
    assert names(loop) == dict.fromkeys(("received", "rendered", "compared", "planned"), "Succeeded")
    says = names(loop, "says")
    assert sha[:7] in says["received"]
    assert says["rendered"] == "2 objects from 2 files"
    assert says["planned"] == "3 tasks in 3 waves"
    assert [(w["phase"], w["wave"], w["status"]) for w in loop["waves"]] == [
        ("PreSync", None, "Succeeded"),
        ("Sync", -1, "Succeeded"),
        ("Sync", 0, "Succeeded"),
    ]
    assert all(w["began"] <= w["ended"] for w in loop["waves"])
    assert [t["name"] for w in loop["waves"] for t in w["tasks"]] == ["staged", "early", "late"]
    said = " | ".join(line["says"] for line in loop["journal"])
    assert f"automated sync to {sha[:7]} began" in said
    assert "successfully synced" in said


def test_drift_that_is_left_alone_names_the_gate_that_held(world):
    repo = world.repository("shop")
    sha = repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, sha)
    world.cluster.patch("v1", "ConfigMap", "a", app, patch={"data": {"v": "by hand"}})
    loop = seen(world, app, lambda found: gate(found) == "heal")
    assert names(loop)["planned"] == "Held"
    assert "selfHeal is off" in loop["reason"]
    assert names(loop, "says")["compared"] == "1 of 1 differ: ConfigMap a"
    assert any("no sync: " in line["says"] for line in loop["journal"])


def test_without_automation_the_first_gate_holds_and_the_others_are_not_asked(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo)
    loop = seen(world, app, lambda found: found.get("gates"))
    assert [g["state"] for g in loop["gates"]] == ["held", *["not asked"] * (len(GATES) - 1)]
    assert names(loop)["planned"] == "Held"


def test_a_source_that_does_not_render_ends_the_picture_there(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": "kind: [\n"})
    app = world.app("shop", repo, automated=AUTOMATED)
    loop = seen(world, app, lambda f: names(f).get("rendered") == "Failed")
    assert "a.yaml" in names(loop, "says")["rendered"]
    assert "compared" not in names(loop)
    assert loop["reason"] == "what the source holds could not be rendered"


def test_a_wave_that_fails_says_which_task_and_the_commit_is_not_tried_again(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "job.yaml": job("migrate", hook="PreSync", fails=True)})
    app = world.app("shop", repo, automated=AUTOMATED, syncPolicy={"retry": {"limit": 0}})
    loop = seen(world, app, lambda found: gate(found) == "failed")
    failed = [t for w in loop["waves"] for t in w["tasks"] if t["status"] == "Failed"]
    assert [t["name"] for t in failed] == ["migrate"]
    assert failed[0]["message"]


def test_what_was_pruned_stays_in_the_picture(world):
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, first)
    world.settled(app, repo.push({}, drop=("b.yaml",)))
    loop = seen(world, app, lambda f: all(w["status"] == "Succeeded" for w in f["waves"]))
    assert ("prune", "b") in [(t["action"], t["name"]) for w in loop["waves"] for t in w["tasks"]]


def test_a_rollback_and_a_part_of_a_sync_can_be_planned(world):
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    app = world.app("shop", repo)
    operations.sync(world.cluster, app)
    world.settled(app, first)
    second = repo.push({"a.yaml": config("a", v="2")}, drop=("b.yaml",))
    world.until(lambda: world.status(app)["sync"], lambda s: s["revision"] == second)
    part = [{"group": "", "kind": "ConfigMap", "name": "a"}]
    assert [t["name"] for t in world.controller.plan(app, resources=part)] == ["a"]
    planned = {t["name"]: t["reason"] for t in world.controller.plan(app, entry=0)}
    assert "in sync already" in planned["a"]  # what was deployed first is what is live


def test_a_deletion_can_be_looked_at_first(world):
    repo = world.repository("shop")
    kept = config("kept", v="1")
    kept["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Delete=false"}
    sha = repo.push({"a.yaml": config("a", v="1"), "kept.yaml": kept})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, sha)
    found = world.controller.deletion(app)
    assert [(e["name"], e["goes"]) for e in found] == [("a", True), ("kept", False)]


def test_listeners_hear_of_an_application_until_they_leave(world):
    heard: list[str] = []
    leave = world.controller.on_news(heard.append)
    repo = world.repository("shop")
    sha = repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, sha)
    assert set(heard) == {app}
    leave()
    heard.clear()
    operations.refresh(world.cluster, app)
    assert not heard


def test_rows_tell_what_was_asked_before_the_gate_that_held():
    assert [row["state"] for row in rows(Decision(False, "", "window"))][:3] == ["open", "held", "not asked"]
    assert {row["state"] for row in rows(Decision(True, ""))} == {"open"}


def test_a_line_said_again_counts_instead_of_filling_the_journal():
    trace = Trace(ManualClock())
    for _ in range(3):
        trace.tell("the same")
    assert [(line["says"], line["times"]) for line in trace.to_json()["journal"]] == [("the same", 3)]
