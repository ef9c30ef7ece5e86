"""Waves and hooks, with Jobs that really run on the sandbox's kubelet."""

from __future__ import annotations

from manifests import config, job

from labkit.gitops import operations
from labkit.gitops.api.names import HOOK_FINALIZER


def said(state):
    return {r["name"]: r["hookPhase"] for r in state["syncResult"]["resources"]}


def jobs(world, app):
    return world.cluster.list("batch/v1", "Job", app).items


def test_waves_come_in_their_order_and_wait_for_health(world):
    repo = world.repository("waves")
    late = config("late", v="1")
    late["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "5"}
    first = job("first", hook="Sync")
    del first["metadata"]["annotations"]["argocd.argoproj.io/hook"]
    first["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = "-1"
    repo.push({"late.yaml": late, "first.yaml": first, "middle.yaml": config("middle", v="1")})
    app = world.app("waves", repo, automated={})
    state = world.settled(app)["status"]["operationState"]
    order = [r["name"] for r in state["syncResult"]["resources"]]
    assert order == ["waves", "first", "middle", "late"]
    made = world.find("ConfigMap", "middle", app)["metadata"]["creationTimestamp"]
    assert world.find("Job", "first", app, "batch/v1")["status"]["completionTime"] <= made


def test_hooks_run_before_and_after_and_are_let_go(world):
    repo = world.repository("hooks")
    repo.push(
        {
            "before.yaml": job("before", hook="PreSync"),
            "after.yaml": job("after", hook="PostSync"),
            "a.yaml": config("a", v="1"),
        }
    )
    app = world.app("hooks", repo, automated={})
    status = world.settled(app)["status"]
    order = [r["name"] for r in status["operationState"]["syncResult"]["resources"]]
    assert order == ["hooks", "before", "a", "after"]
    assert said(status["operationState"])["after"] == "Succeeded"
    assert {r["name"] for r in status["resources"]} == {"a"}
    found = world.until(
        lambda: jobs(world, app),
        lambda jobs: not any(HOOK_FINALIZER in (j["metadata"].get("finalizers") or []) for j in jobs),
    )
    assert {j["metadata"]["name"] for j in found} == {"before", "after"}
    shown = world.controller.resource_tree(app)
    assert {n["name"] for n in shown if n["kind"] == "Job"} == {"before", "after"}
    parents = {p["name"] for n in shown if n["kind"] == "Pod" for p in n["parentRefs"]}
    assert parents == {"before", "after"}  # so their logs can be asked for


def test_a_hook_with_a_generated_name_runs_once_for_each_sync(world):
    repo = world.repository("generated")
    first = repo.push(
        {"before.yaml": job("migrate-", hook="PreSync", generate=True), "a.yaml": config("a", v="1")}
    )
    app = world.app("generated", repo, automated={})
    world.settled(app, first)
    names = [j["metadata"]["name"] for j in jobs(world, app)]
    assert len(names) == 1
    assert names[0].startswith(f"migrate-{first[:7]}-presync-")
    second = repo.push({"a.yaml": config("a", v="2")})
    world.settled(app, second)
    assert len(jobs(world, app)) == 2


def test_delete_policies_are_carried_out_once_the_end_is_noted(world):
    repo = world.repository("policies")
    repo.push(
        {
            "gone.yaml": job("gone", hook="PreSync")
            | {"metadata": _hook("gone", "PreSync", "HookSucceeded")},
            "kept.yaml": job("kept", hook="PreSync") | {"metadata": _hook("kept", "PreSync", "HookFailed")},
            "a.yaml": config("a", v="1"),
        }
    )
    app = world.app("policies", repo, automated={})
    state = world.settled(app)["status"]["operationState"]
    assert said(state)["gone"] == said(state)["kept"] == "Succeeded"
    world.until(lambda: [j["metadata"]["name"] for j in jobs(world, app)], lambda names: names == ["kept"])


def test_a_hook_is_made_anew_for_the_next_sync(world):
    repo = world.repository("again")
    repo.push({"before.yaml": job("before", hook="PreSync"), "a.yaml": config("a", v="1")})
    app = world.app("again", repo, automated={})
    world.settled(app)
    uid = jobs(world, app)[0]["metadata"]["uid"]
    second = repo.push({"a.yaml": config("a", v="2")})
    world.settled(app, second)
    assert [j["metadata"]["name"] for j in jobs(world, app)] == ["before"]
    assert jobs(world, app)[0]["metadata"]["uid"] != uid


def test_a_failing_hook_stops_the_sync_before_anything_is_deployed(world):
    repo = world.repository("failing")
    repo.push(
        {
            "before.yaml": job("before", hook="PreSync", fails=True),
            "alarm.yaml": job("alarm", hook="SyncFail"),
            "a.yaml": config("a", v="1"),
        }
    )
    app = world.app("failing", repo)
    operations.sync(world.cluster, app)
    state = world.ended(app, "Failed")["status"]["operationState"]
    assert "Job before" in state["message"]
    assert said(state)["before"] == "Failed"
    assert said(state)["alarm"] == "Succeeded"
    assert world.find("ConfigMap", "a", app) is None


def test_a_misspelt_hook_is_never_applied(world):
    repo = world.repository("misspelt")
    repo.push({"before.yaml": job("before", hook="PreSink"), "a.yaml": config("a", v="1")})
    app = world.app("misspelt", repo, automated={})
    world.settled(app)
    assert jobs(world, app) == []


def test_a_controller_that_dies_while_a_hook_runs_does_not_run_it_twice(world):
    repo = world.repository("crash")
    slow = job("slow", hook="PreSync")
    slow["spec"]["template"]["spec"]["containers"][0]["command"] = ["sleep", "2"]
    repo.push({"slow.yaml": slow, "a.yaml": config("a", v="1")})
    app = world.app("crash", repo, automated={})
    found = world.until(lambda: jobs(world, app), lambda jobs: jobs)
    uid = found[0]["metadata"]["uid"]
    world.stop()
    world.until(lambda: jobs(world, app)[0].get("status", {}).get("completionTime"), lambda t: t)
    world.start()
    world.settled(app)
    assert [j["metadata"]["uid"] for j in jobs(world, app)] == [uid]


def test_a_deleted_application_takes_its_hooks_along(world):
    repo = world.repository("leftover")
    repo.push({"before.yaml": job("before", hook="PreSync"), "a.yaml": config("a", v="1")})
    app = world.app("leftover", repo, automated={})
    world.settled(app)
    operations.delete(world.cluster, app)
    assert jobs(world, app) == []


def test_an_operation_can_be_terminated(world):
    repo = world.repository("endless")
    slow = job("slow", hook="PreSync")
    slow["spec"]["template"]["spec"]["containers"][0]["command"] = ["sleep", "600"]
    repo.push({"slow.yaml": slow, "a.yaml": config("a", v="1")})
    app = world.app("endless", repo)
    operations.sync(world.cluster, app)
    world.until(lambda: jobs(world, app), lambda jobs: jobs)
    world.until(
        lambda: world.status(app)["operationState"]["syncResult"]["resources"], lambda rs: len(rs) == 2
    )
    operations.terminate(world.cluster, app)
    state = world.ended(app, "Failed")["status"]["operationState"]
    assert state["message"] == "Operation terminated"
    world.until(lambda: jobs(world, app), lambda jobs: jobs == [])
    assert world.find("ConfigMap", "a", app) is None


def test_a_failed_sync_is_tried_again_as_its_policy_says(world):
    repo = world.repository("retry")
    repo.push({"late.yaml": {"apiVersion": "example.org/v1", "kind": "Late", "metadata": {"name": "late"}}})
    app = world.app(
        "retry",
        repo,
        automated={},
        syncPolicy={"retry": {"limit": 20, "backoff": {"duration": "1s", "factor": 1, "maxDuration": "1s"}}},
    )
    state = world.until(
        lambda: world.status(app).get("operationState") or {}, lambda s: s.get("retryCount", 0) >= 2
    )
    assert "Late" in state["message"]
    world.cluster.create(_definition())
    world.settled(app)
    assert world.status(app)["operationState"]["phase"] == "Succeeded"
    world.cluster.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", "lates.example.org")


def _hook(name, phase, policy):
    return {
        "name": name,
        "annotations": {
            "argocd.argoproj.io/hook": phase,
            "argocd.argoproj.io/hook-delete-policy": policy,
        },
    }


def _definition():
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "lates.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": "Late", "plural": "lates", "singular": "late"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    }


def endless(name, hook):
    made = job(name, hook=hook)
    pod = made["spec"]["template"]["spec"]
    pod["terminationGracePeriodSeconds"] = 1
    pod["containers"][0]["command"] = ["sh", "-c", "sleep 86400"]
    return made


def test_a_sync_that_waits_for_ever_is_replaced_by_the_commit_that_mends_it(world):
    repo = world.repository("stuck")
    stuck = repo.push({"a.yaml": config("a", v="1"), "migrate.yaml": endless("migrate", "PreSync")})
    retry = {"limit": 2, "refresh": True}
    app = world.app("stuck", repo, syncPolicy={"automated": {}, "retry": retry})
    world.until(
        lambda: world.status(app).get("operationState") or {},
        lambda state: "PreSync hook Job migrate" in state.get("message", ""),
    )
    mended = repo.push({"migrate.yaml": job("migrate", hook="PreSync"), "a.yaml": config("a", v="2")})
    status = world.settled(app, mended)["status"]
    assert [entry["revision"] for entry in status["history"]] == [mended] != [stuck]
    assert world.find("ConfigMap", "a", app)["data"] == {"v": "2"}
    assert status["operationState"]["operation"]["sync"]["revision"] == mended


def test_without_refresh_it_stays_with_the_revision_that_it_began_with(world):
    repo = world.repository("stuck")
    repo.push({"a.yaml": config("a", v="1"), "migrate.yaml": endless("migrate", "PreSync")})
    app = world.app("stuck", repo, automated={})
    waiting = world.until(
        lambda: world.status(app).get("operationState") or {},
        lambda state: "PreSync hook Job migrate" in state.get("message", ""),
    )
    head = repo.push({"migrate.yaml": job("migrate", hook="PreSync")})
    world.until(lambda: world.status(app)["sync"], lambda sync: sync["revision"] == head)
    operations.refresh(world.cluster, app)
    state = world.status(app)["operationState"]
    assert (state["phase"], state["startedAt"]) == ("Running", waiting["startedAt"])
    operations.terminate(world.cluster, app)  # then, and only then, the newer one may begin
    world.settled(app, head)
