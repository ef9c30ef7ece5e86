"""Sync options, each seen to do what it says: on the application, on one resource, and not without it."""

from __future__ import annotations

import pytest
from manifests import config, job

from labkit.gitops import operations
from tests.gitops.test_bad_input import condition

AUTOMATED = {"prune": True, "selfHeal": True}
OPTIONS = "argocd.argoproj.io/sync-options"


def deployment(name, **spec):
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
            },
            **spec,
        },
    }


def with_option(obj, option):
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "annotations": {**meta.get("annotations", {}), OPTIONS: option}}}


def operation(world, app):
    return world.status(app).get("operationState") or {}


def failed(world, app):
    return world.ended(app, "Failed")["status"]["operationState"]["message"]


# -- Validate


def test_a_field_that_does_not_exist_is_refused_or_left_out_as_validate_says(world):
    repo = world.repository("shop")
    wrong = deployment("web", replicsa=2)
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePullPolciy"] = "Always"
    repo.push({"a.yaml": wrong})
    app = world.app("shop", repo)
    operations.sync(world.cluster, app)
    assert "replicsa" in failed(world, app)
    operations.sync(world.cluster, app, options=["CreateNamespace=true", "Validate=false"])
    world.ended(app, "Succeeded")
    assert world.find("Deployment", "web", app, "apps/v1")["spec"]["replicas"] == 1


def test_with_validate_off_such_an_object_comes_to_rest(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": with_option(deployment("web", replicsa=2), "Validate=false")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)


# -- RespectIgnoreDifferences


@pytest.mark.parametrize(
    "rule",
    [
        {"jsonPointers": ["/spec/replicas"]},
        {"jqPathExpressions": [".spec | .replicas"]},
        {"managedFieldsManagers": ["autoscaler"]},
    ],
    ids=lambda rule: next(iter(rule)),
)
def test_what_is_ignored_is_overwritten_by_a_sync_unless_it_is_to_be_respected(world, rule):
    repo = world.repository("shop")
    repo.push({"a.yaml": deployment("web")})
    rules = [{"group": "apps", "kind": "Deployment", **rule}]
    app = world.app("shop", repo, ignoreDifferences=rules)
    operations.sync(world.cluster, app)
    world.settled(app)

    def replicas():
        return world.find("Deployment", "web", app, "apps/v1")["spec"]["replicas"]

    def scale(number):
        change = {"spec": {"replicas": number}}
        world.cluster.patch("apps/v1", "Deployment", "web", app, patch=change, field_manager="autoscaler")
        operations.refresh(world.cluster, app)
        assert world.status(app)["sync"]["status"] == "Synced"

    scale(3)
    options = ["CreateNamespace=true", "RespectIgnoreDifferences=true"]
    operations.sync(world.cluster, app, options=options)
    operations.wait_for_operation(world.cluster, app, timeout=30)
    assert replicas() == 3
    operations.sync(world.cluster, app)
    operations.wait_for_operation(world.cluster, app, timeout=30)
    assert replicas() == 1


def test_an_image_of_git_is_written_beside_a_respected_field_of_its_container(world):
    repo = world.repository("shop")
    first = deployment("web")
    first["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    repo.push({"a.yaml": first})
    rules = [
        {
            "group": "apps",
            "kind": "Deployment",
            "jqPathExpressions": [".spec.template.spec.containers[].resources"],
        }
    ]
    options = ("RespectIgnoreDifferences=true",)
    app = world.app("shop", repo, automated=AUTOMATED, ignoreDifferences=rules, options=options)
    world.settled(app)
    by_hand = {
        "spec": {
            "template": {
                "spec": {
                    "containers": [{"name": "web", "resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}]
                }
            }
        }
    }
    world.cluster.patch("apps/v1", "Deployment", "web", app, patch=by_hand, patch_type="strategic")
    first["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.28"
    world.settled(app, repo.push({"a.yaml": first}))
    (container,) = world.find("Deployment", "web", app, "apps/v1")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "nginx:1.28"
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "1Gi"}


# -- FailOnSharedResource


def test_an_object_of_two_applications_is_a_warning_or_a_failure(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": {**config("same", v="1"), "metadata": {"name": "same", "namespace": "default"}}})
    one = world.app("one", repo, automated=AUTOMATED)
    world.settled(one)
    two = world.app("two", repo, options=("FailOnSharedResource=true",))
    assert "ConfigMap/same is part of applications two and one" in condition(
        world, two, "SharedResourceWarning"
    )
    operations.sync(world.cluster, two)
    assert failed(world, two).startswith("Shared resource found: ConfigMap/same")
    world.settled(one)
    operations.sync(world.cluster, two, options=["CreateNamespace=true"])
    world.ended(two, "Succeeded")


# -- SkipDryRunOnMissingResource


def test_a_kind_that_is_not_there_yet_is_refused_before_anything_is_done_unless_that_is_skipped(world):
    repo = world.repository("shop")
    widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}}
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": widget})
    # A namespace that is there, so that the server can be asked, and in which no other test leaves anything.
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kinds"}})
    app = world.app("kinds", repo)
    operations.sync(world.cluster, app)
    assert "dry run" in failed(world, app)
    assert world.find("ConfigMap", "a", app) is None
    repo.push({"b.yaml": with_option(widget, "SkipDryRunOnMissingResource=true")})
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    world.until(lambda: world.find("ConfigMap", "a", app), lambda obj: obj is not None)
    assert "Widget" in failed(world, app)


@pytest.mark.parametrize("bad", ["an object", "a hook after it"])
def test_a_first_sync_makes_the_namespace_and_nothing_more_where_something_is_refused(world, bad):
    refused = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w"}}
    if bad != "an object":
        refused = job("after-", hook="PostSync", generate=True)
        refused["spec"]["backoffLimit"] = -1
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": job("before", hook="PreSync"), "c.yaml": refused})
    app = world.app(bad.replace(" ", "-"), repo)
    operations.sync(world.cluster, app, options=["CreateNamespace=true"])
    message = failed(world, app)
    assert "dry run" in message
    assert ("Widget w" if bad == "an object" else "must be greater than or equal to 0") in message
    assert world.cluster.find("v1", "Namespace", app) is not None
    assert world.find("ConfigMap", "a", app) is None
    assert world.find("Job", "before", app, "batch/v1") is None


def test_a_namespace_in_git_is_made_before_what_lies_in_it_is_tried(world):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "of-its-own"}}
    repo = world.repository("shop")
    repo.push(
        {"a.yaml": config("a", v="1"), "b.yaml": {**config("b"), "data": {"v": 1}}, "n.yaml": namespace}
    )
    app = world.app("of-its-own", repo)
    operations.sync(world.cluster, app)
    assert "ConfigMap b" in failed(world, app)
    assert world.cluster.find("v1", "Namespace", app) is not None
    assert world.find("ConfigMap", "a", app) is None
    repo.push({"b.yaml": config("b", v="1")})
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    world.settled(app)


# -- Force, Replace


def test_what_cannot_be_changed_is_made_anew_where_force_says_so(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": deployment("web")})
    app = world.app("shop", repo)
    operations.sync(world.cluster, app)
    world.settled(app)
    before = world.find("Deployment", "web", app, "apps/v1")["metadata"]["uid"]
    other = deployment("web", selector={"matchLabels": {"app": "other"}})
    other["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    repo.push({"a.yaml": other})
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    message = failed(world, app)
    assert "immutable" in message
    assert "Force=true" in message
    repo.push({"a.yaml": with_option(other, "Force=true")})
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    world.settled(app)
    after = world.find("Deployment", "web", app, "apps/v1")
    assert after["spec"]["selector"] == {"matchLabels": {"app": "other"}}
    assert after["metadata"]["uid"] != before


# -- Prune=confirm


def test_a_prune_waits_for_a_person_where_that_is_said_and_an_old_yes_does_not_count(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": with_option(config("b", v="1"), "Prune=confirm")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.confirm_deletion(world.cluster, app)  # before anybody asked
    world.until(lambda: _seconds_passed(world, app), lambda passed: passed)
    repo.push({"a.yaml": config("a", v="2")}, drop=("b.yaml",))
    state = world.until(
        lambda: operation(world, app), lambda s: "waiting for pruning confirmation" in s.get("message", "")
    )
    assert state["phase"] == "Running"
    assert "ConfigMap b" in state["message"]
    assert world.find("ConfigMap", "b", app) is not None
    operations.confirm_deletion(world.cluster, app)
    world.settled(app)
    assert world.find("ConfigMap", "b", app) is None


def _seconds_passed(world, app):
    """Whether the annotation's second is over: times have whole seconds."""
    from datetime import UTC, datetime

    said = world.get(app)["metadata"]["annotations"]["argocd.argoproj.io/deletion-approved"]
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") > said


# -- ApplyOutOfSyncOnly, PruneLast, namespace metadata, IgnoreExtraneous


def test_only_what_differs_is_applied_where_that_is_said(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    app = world.app("shop", repo, options=("ApplyOutOfSyncOnly=true",))
    operations.sync(world.cluster, app)
    world.settled(app)
    repo.push({"b.yaml": config("b", v="2")})
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app)
    world.until(lambda: world.find("ConfigMap", "b", app), lambda obj: obj["data"] == {"v": "2"})
    status = world.settled(app)["status"]
    assert [entry["name"] for entry in status["operationState"]["syncResult"]["resources"]] == ["b"]
    assert len(status["history"]) == 2


def test_what_is_pruned_last_is_there_until_all_else_is_done(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "z.yaml": with_option(config("z", v="1"), "PruneLast=true")})
    app = world.app("shop", repo)
    operations.sync(world.cluster, app)
    world.settled(app)
    later = {
        **config("c", v="1"),
        "metadata": {"name": "c", "annotations": {"argocd.argoproj.io/sync-wave": "5"}},
    }
    repo.push({"c.yaml": later}, drop=("z.yaml",))
    operations.refresh(world.cluster, app)
    steps = world.controller.plan(app, prune=True)
    assert [(s["action"], s["name"], s["wave"]) for s in steps][-2:] == [
        ("create", "c", 5),
        ("prune", "z", 6),
    ]
    operations.sync(world.cluster, app, prune=True)
    world.settled(app)
    assert world.find("ConfigMap", "z", app) is None


def test_the_namespace_gets_its_labels_and_keeps_those_of_others(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    meta = {"labels": {"team": "blue"}, "annotations": {"note": "made by Git"}}
    app = world.app("shop", repo, automated=AUTOMATED, syncPolicy={"managedNamespaceMetadata": meta})
    world.settled(app)
    found = world.find("Namespace", app, "")["metadata"]
    assert found["labels"]["team"] == "blue"
    assert found["annotations"]["note"] == "made by Git"


def test_a_namespace_that_somebody_deleted_is_healed_with_what_was_in_it(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    before = world.find("Namespace", app, "")["metadata"]["uid"]
    world.cluster.delete("v1", "Namespace", app)
    world.until(
        lambda: (world.find("Namespace", app, "") or {"metadata": {"uid": before}})["metadata"]["uid"],
        lambda uid: uid != before,
    )
    world.until(lambda: world.find("ConfigMap", "a", app), lambda obj: obj is not None)


def test_a_namespace_that_git_has_is_made_once_and_as_git_says(world):
    repo = world.repository("shop")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}}
    repo.push({"a.yaml": config("a", v="1"), "namespace.yaml": namespace})
    app = world.app("shop", repo)
    operations.sync(world.cluster, app)
    state = world.settled(app)["status"]["operationState"]
    assert [r["kind"] for r in state["syncResult"]["resources"]] == ["Namespace", "ConfigMap"]
    assert world.find("Namespace", app, "")["metadata"]["labels"]["a"] == "b"


def test_an_extra_that_says_so_does_not_make_the_application_out_of_sync(world):
    repo = world.repository("shop")
    extra = config("b", v="1")
    extra["metadata"]["annotations"] = {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"}
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": extra})
    app = world.app("shop", repo)
    operations.sync(world.cluster, app)
    world.settled(app)
    head = repo.push({}, drop=("b.yaml",))
    world.until(lambda: world.status(app)["sync"], lambda s: (s["revision"], s["status"]) == (head, "Synced"))
    assert world.find("ConfigMap", "b", app) is not None


# -- ignoreDifferences by jq


def test_a_jq_expression_without_an_end_is_stopped_and_named(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    rules = [{"kind": "ConfigMap", "jqPathExpressions": [".data | until(false; .)"]}]
    app = world.app("shop", repo, automated=AUTOMATED, ignoreDifferences=rules)
    found = world.until(
        lambda: world.status(app).get("resources") or [], lambda rs: any(r["status"] == "Unknown" for r in rs)
    )
    assert [r["name"] for r in found] == ["a"]
    problem = world.controller.managed_resources(app)[0]["problem"]
    assert "more than 1 s" in problem
    assert ".data | until(false; .)" in problem


# -- PrunePropagationPolicy


@pytest.mark.parametrize(("policy", "left"), [("orphan", 1), ("foreground", 0), ("background", 0)])
def test_what_a_pruned_object_made_goes_as_the_policy_says(world, policy, left):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "web.yaml": deployment("web")})
    app = world.app("shop", repo, options=(f"PrunePropagationPolicy={policy}",))
    operations.sync(world.cluster, app)
    world.settled(app)
    repo.push({}, drop=("web.yaml",))
    operations.refresh(world.cluster, app)
    operations.sync(world.cluster, app, prune=True)
    world.until(lambda: world.find("Deployment", "web", app, "apps/v1"), lambda obj: obj is None)

    def sets():
        return world.cluster.list("apps/v1", "ReplicaSet", app).items

    world.until(sets, lambda found: len(found) == left)
    for made in sets():
        assert "ownerReferences" not in made["metadata"]
        world.cluster.delete("apps/v1", "ReplicaSet", made["metadata"]["name"], app)
