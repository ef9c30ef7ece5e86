"""The loop: Git to cluster and back to it, through a real Git host and a real API server."""

from __future__ import annotations

import pytest
from manifests import config

from labkit.errors import RollbackRefused
from labkit.gitops import operations
from labkit.gitops.api import NAMESPACE
from labkit.gitops.api.names import API_VERSION

AUTOMATED = {"prune": True, "selfHeal": True}


def test_what_is_pushed_is_deployed_and_the_history_says_so(world):
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, first)
    second = repo.push({"a.yaml": config("a", v="2")})
    status = world.settled(app, second)["status"]
    assert world.find("ConfigMap", "a", app)["data"] == {"v": "2"}
    assert [entry["revision"] for entry in status["history"]] == [first, second]
    assert status["operationState"]["phase"] == "Succeeded"
    assert status["operationState"]["operation"]["initiatedBy"] == {"automated": True}


def test_without_automation_a_push_is_only_told(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo)
    world.until(lambda: world.status(app), lambda s: (s.get("sync") or {}).get("status") == "OutOfSync")
    assert world.find("ConfigMap", "a", app) is None
    operations.sync(world.cluster, app)
    world.settled(app)
    assert world.find("ConfigMap", "a", app)["data"] == {"v": "1"}


def test_drift_is_healed_where_the_policy_says_so(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    world.cluster.patch("v1", "ConfigMap", "a", app, patch={"data": {"v": "by hand"}})
    world.until(lambda: world.find("ConfigMap", "a", app), lambda obj: obj["data"] == {"v": "1"})
    world.cluster.delete("v1", "ConfigMap", "b", app)
    world.until(lambda: world.find("ConfigMap", "b", app), lambda obj: obj is not None)


def test_drift_is_told_and_left_alone_where_it_does_not(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated={})
    world.settled(app)
    world.cluster.patch("v1", "ConfigMap", "a", app, patch={"data": {"v": "by hand"}})
    world.until(lambda: world.status(app)["sync"]["status"], lambda s: s == "OutOfSync")
    operations.refresh(world.cluster, app)
    assert world.find("ConfigMap", "a", app)["data"] == {"v": "by hand"}


def test_what_git_dropped_is_pruned_only_if_asked(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    app = world.app("shop", repo, automated={})
    world.settled(app)
    repo.push({}, drop=("b.yaml",))
    world.until(lambda: world.status(app)["sync"]["status"], lambda s: s == "OutOfSync")
    extra = next(r for r in world.status(app)["resources"] if r["name"] == "b")
    assert extra["requiresPruning"] is True
    assert world.find("ConfigMap", "b", app) is not None
    operations.sync(world.cluster, app, prune=True)
    world.settled(app)
    assert world.find("ConfigMap", "b", app) is None


def test_a_plan_is_what_the_sync_then_does(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    app = world.app("shop", repo)
    world.until(lambda: world.status(app).get("sync"), lambda sync: sync)
    operations.sync(world.cluster, app)
    world.settled(app)
    repo.push({"a.yaml": config("a", v="2"), "c.yaml": config("c", v="1")}, drop=("b.yaml",))
    world.until(lambda: world.status(app)["sync"]["status"], lambda status: status == "OutOfSync")
    without = {(t["action"], t["name"]): t["reason"] for t in world.controller.plan(app)}
    assert set(without) == {("apply", "a"), ("create", "c"), ("keep", "b")}
    assert without["keep", "b"] == "ignored (requires pruning)"
    planned = [(t["action"], t["name"]) for t in world.controller.plan(app, prune=True)]
    assert planned == [("prune", "b"), ("apply", "a"), ("create", "c")]
    operations.sync(world.cluster, app, prune=True)
    state = world.ended(app, "Succeeded")["status"]["operationState"]
    world.settled(app)
    assert [r["name"] for r in state["syncResult"]["resources"]] == [name for _, name in planned]


def test_an_object_that_forbids_it_is_not_pruned(world):
    repo = world.repository("shop")
    kept = config("kept", v="1")
    kept["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=false"}
    repo.push({"a.yaml": config("a", v="1"), "kept.yaml": kept})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    second = repo.push({}, drop=("kept.yaml",))
    state = world.until(
        lambda: world.status(app)["operationState"],
        lambda s: s["phase"] == "Succeeded" and s["syncResult"]["revision"] == second,
    )
    said = {r["name"]: r["status"] for r in state["syncResult"]["resources"]}
    assert said["kept"] == "PruneSkipped"
    assert world.find("ConfigMap", "kept", app) is not None


def test_an_application_that_would_lose_everything_is_not_emptied_by_itself(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "README.md": "# Shop\n"})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    repo.push({}, drop=("a.yaml",))
    world.until(
        lambda: world.status(app).get("conditions") or [],
        lambda found: any(
            c["type"] == "SyncError" and "delete every resource" in c["message"] for c in found
        ),
    )
    assert world.find("ConfigMap", "a", app) is not None


def test_a_broken_chart_leaves_the_last_good_version_running(world):
    repo = world.repository("shop")
    good = {
        "Chart.yaml": {"apiVersion": "v2", "name": "shop", "version": "0.1.0"},
        "values.yaml": "colour: blue\n",
        "templates/config.yaml": (
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  colour: {{ .Values.colour }}\n"
        ),
    }
    revision = repo.push(good)
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, revision)
    repo.push(
        {"templates/config.yaml": good["templates/config.yaml"].replace("colour }}", "colour | qoute }}")}
    )
    status = world.until(lambda: world.status(app), lambda s: s["sync"]["status"] == "Unknown")
    said = next(c for c in status["conditions"] if c["type"] == "ComparisonError")["message"]
    assert "templates/config.yaml:6" in said
    assert "quote" in said
    assert world.find("ConfigMap", "a", app)["data"] == {"colour": "blue"}
    mended = repo.push(good | {"values.yaml": "colour: green\n"})
    status = world.settled(app, mended)["status"]
    assert world.find("ConfigMap", "a", app)["data"] == {"colour": "green"}
    assert not [c for c in status.get("conditions") or [] if c["type"] == "ComparisonError"]


def test_an_earlier_deployment_comes_back_by_rollback_if_nothing_would_undo_it(world):
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated={})
    world.settled(app, first)
    second = repo.push({"a.yaml": config("a", v="2")})
    world.settled(app, second)
    with pytest.raises(RollbackRefused) as refused:
        operations.rollback(world.cluster, app, 0)
    assert "revert" in str(refused.value)
    operations.update(
        world.cluster,
        app,
        lambda obj: {**obj, "spec": {**obj["spec"], "syncPolicy": {"syncOptions": ["CreateNamespace=true"]}}},
    )
    operations.rollback(world.cluster, app, 0)
    world.until(lambda: world.find("ConfigMap", "a", app), lambda obj: obj["data"] == {"v": "1"})
    status = world.ended(app, "Succeeded")["status"]
    assert [entry["revision"] for entry in status["history"]] == [first, second, first]
    assert status["sync"]["status"] == "OutOfSync"


def test_a_refresh_looks_at_git_without_a_webhook(world):
    repo = world.repository("shop")
    first = repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo)
    world.until(lambda: world.status(app).get("sync", {}).get("revision"), lambda sha: sha == first)
    deaf, world.controller.webhook = world.controller.webhook, lambda _payload: []
    second = repo.push({"a.yaml": config("a", v="2")})
    assert world.status(app)["sync"]["revision"] == first
    found = operations.refresh(world.cluster, app)
    assert found["status"]["sync"]["revision"] == second
    assert "argocd.argoproj.io/refresh" not in found["metadata"].get("annotations", {})
    world.controller.webhook = deaf


def test_a_pass_with_nothing_to_do_writes_nothing(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.refresh(world.cluster, app)
    before = world.get(app)["metadata"]["resourceVersion"]
    live = world.find("ConfigMap", "a", app)["metadata"]["resourceVersion"]
    for _ in range(3):  # passes by hand, on top of what the watches bring about
        world.controller._reconcile(app)
    assert world.get(app)["metadata"]["resourceVersion"] == before
    assert world.find("ConfigMap", "a", app)["metadata"]["resourceVersion"] == live


def test_a_restarted_controller_goes_on_and_does_nothing_twice(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    before = world.get(app)["metadata"]["resourceVersion"]
    world.stop()
    world.cluster.delete("v1", "ConfigMap", "a", app)  # nobody watches
    world.start()
    world.until(lambda: world.find("ConfigMap", "a", app), lambda obj: obj is not None)
    world.settled(app)
    history = world.status(app)["history"]
    world.stop()
    world.start()
    operations.refresh(world.cluster, app)
    assert world.status(app)["history"] == history
    assert before != world.get(app)["metadata"]["resourceVersion"]


def test_secrets_are_shown_nowhere(world):
    repo = world.repository("shop")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db"},
        "stringData": {"password": "hunter2"},
    }
    repo.push({"db.yaml": secret})
    app = world.app("shop", repo, automated={})
    world.settled(app)
    world.cluster.patch("v1", "Secret", "db", app, patch={"stringData": {"password": "changed!"}})
    world.until(lambda: world.status(app)["sync"]["status"], lambda s: s == "OutOfSync")
    events = world.cluster.list("v1", "Event", NAMESPACE).items
    shown = str(
        [world.get(app), world.controller.manifests(app), world.controller.managed_resources(app), events]
    )
    for text in ("hunter2", "aHVudGVyMg==", "changed!", "Y2hhbmdlZCE="):
        assert text not in shown
    assert "++++++++" in shown


@pytest.mark.parametrize("policy", ["foreground", "background"])
def test_a_deleted_application_takes_along_what_it_deployed(world, policy):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.delete(world.cluster, app, propagation_policy=policy)
    assert world.cluster.find(API_VERSION, "Application", app, NAMESPACE) is None
    assert world.find("ConfigMap", "a", app) is None


def test_without_cascade_what_was_deployed_stays(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.delete(world.cluster, app, cascade=False)
    assert world.cluster.find(API_VERSION, "Application", app, NAMESPACE) is None
    assert world.find("ConfigMap", "a", app) is not None


def test_an_application_whose_cluster_is_unknown_says_so_and_can_be_deleted(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, destination={"name": "nowhere", "namespace": "shop"})
    found = world.until(lambda: world.status(app), lambda s: s.get("conditions"))
    assert "nowhere" in found["conditions"][0]["message"]
    operations.delete(world.cluster, app)
    assert world.cluster.find(API_VERSION, "Application", app, NAMESPACE) is None
