"""A plan is a value: what was shown is what the sync carries out, whatever comes in between."""

from __future__ import annotations

import itertools
import json

import pytest
from manifests import config

from labkit.errors import ApplicationError
from labkit.gitops import operations
from labkit.gitops.api.names import API_VERSION, NAMESPACE
from labkit.gitops.diff import compare
from labkit.gitops.sync import recorded
from labkit.gitops.sync.plan import Wishes, plan
from labkit.k8s.objects import ObjectKey

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "before", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
    "spec": {
        "suspend": True,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "a", "image": "busybox", "command": ["true"]}],
            }
        },
    },
}


def record(name, action="apply", **fields):
    found = {"phase": "Sync", "wave": 0, "action": action, "group": "", "version": "v1", "kind": "ConfigMap"}
    return found | {"namespace": "n", "name": name, "uid": "1", "reason": "it differs"} | fields


def ask(world, app, plan, **sync):
    asked = recorded.write({"sync": {"prune": True, **sync}}, recorded.EXPECTED, plan)
    world.cluster.patch(API_VERSION, "Application", app, NAMESPACE, patch={"operation": asked})


def extra(app, name):
    tracked = {"argocd.argoproj.io/tracking-id": f"{app}:/ConfigMap:{app}/{name}"}
    return config(name, v="1") | {"metadata": {"name": name, "namespace": app, "annotations": tracked}}


@pytest.fixture
def app(world):
    repo = world.repository("plans")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("b", v="1")})
    name = world.app("plans", repo)
    operations.sync(world.cluster, name)
    world.settled(name)
    return name


def test_a_plan_that_was_looked_at_is_carried_out_and_stands_in_the_operation(world, app):
    plan = world.controller.plan(app, prune=True)
    before = world.status(app)["operationState"]["startedAt"]
    ask(world, app, plan)
    state = world.until(lambda: world.status(app)["operationState"], lambda s: s["startedAt"] != before)
    world.ended(app, "Succeeded")
    assert recorded.read(state["operation"], recorded.PLAN) == plan


def test_a_plan_that_does_not_fit_any_more_is_refused_and_nothing_is_done(world, app):
    plan = world.controller.plan(app, prune=True)
    world.cluster.delete("v1", "ConfigMap", "a", app)
    world.until(lambda: world.status(app)["sync"]["status"], lambda status: status == "OutOfSync")
    ask(world, app, plan)
    message = world.ended(app, "Error")["status"]["operationState"]["message"]
    assert "the plan does not fit any more; nothing was done" in message
    assert "ConfigMap a: apply (Sync: in sync already" in message
    assert "has become create (Sync: it is missing)" in message
    assert world.find("ConfigMap", "a", app) is None


def test_what_is_no_plan_is_an_error_that_says_where_it_stands(world, app):
    patch = {"operation": {"sync": {}, "info": [{"name": recorded.EXPECTED, "value": "[{}]"}]}}
    world.cluster.patch(API_VERSION, "Application", app, NAMESPACE, patch=patch)
    message = world.ended(app, "Error")["status"]["operationState"]["message"]
    assert "operation.info[expected-plan]: it is no plan" in message


def test_a_restart_in_the_middle_goes_on_with_the_same_plan(world):
    repo = world.repository("plans")
    repo.push({"job.yaml": JOB, "a.yaml": config("a", v="1")})
    app = world.app("plans", repo)
    operations.sync(world.cluster, app, prune=True)
    world.until(lambda: world.find("Job", "before", app, "batch/v1"), lambda job: job is not None)
    waits = "waiting for PreSync hook Job before"
    world.until(lambda: world.status(app)["operationState"]["message"], lambda said: waits in said)
    world.stop()
    world.cluster.create(extra(app, "extra"))
    world.start()
    world.cluster.patch("batch/v1", "Job", "before", app, patch={"spec": {"suspend": False}})
    world.ended(app, "Succeeded")
    world.until(lambda: world.status(app)["sync"]["status"], lambda status: status == "OutOfSync")
    assert world.find("ConfigMap", "a", app) is not None
    assert world.find("ConfigMap", "extra", app) is not None  # a plan of now would prune it


def test_what_went_away_is_made_and_a_namesake_is_not_pruned():
    tracked = recorded.restored([record("gone", "prune", uid="7")], [], None)
    (task,) = tracked.tasks
    assert task.prunes
    assert task.live == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "gone", "namespace": "n", "uid": "7"},
    }
    with pytest.raises(ApplicationError, match="ConfigMap lost is in the plan"):
        recorded.restored([record("lost")], [], None)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([record("a"), record("b")], []),
        ([record("b"), record("a")], ["the order of the steps is another"]),
        ([record("a")], ["ConfigMap b: apply (Sync: it differs) is not to be done any more"]),
        ([record("a"), record("b", uid="2")], ["ConfigMap b: it was deleted and made anew since"]),
        ([record("a"), record("b"), record("c", "prune")], ["ConfigMap c: prune (Sync: it differs) is new"]),
        (
            [record("a"), record("b", wave=2)],
            ["ConfigMap b: apply (Sync: it differs) has become apply (Sync, wave 2: it differs)"],
        ),
    ],
    ids=["the same", "order", "less", "another object", "more", "wave"],
)
def test_what_would_be_done_otherwise_is_said(found, said):
    assert recorded.moved([record("a"), record("b")], found) == said


def test_a_plan_in_an_operation_leaves_its_other_notes_alone():
    operation = {"sync": {}, "info": [{"name": "Reason", "value": "a fix"}]}
    with_plan = recorded.write(operation, recorded.PLAN, [record("a")])
    assert recorded.read(with_plan, recorded.PLAN) == [record("a")]
    assert json.loads(with_plan["info"][1]["value"])[0]["name"] == "a"
    assert recorded.write(with_plan, recorded.PLAN, None) == operation


def test_what_is_kept_is_listed_in_the_order_in_which_things_are_made_whatever_was_seen_first():
    def live(kind, name, **annotations):
        meta = {"name": name, "namespace": "shop", "annotations": annotations}
        obj = {"apiVersion": "v1", "kind": kind, "metadata": meta}
        return ObjectKey.of(obj), obj

    late = live("ConfigMap", "late", **{"argocd.argoproj.io/sync-wave": "1"})
    found = [live("Pod", "web"), late, live("Service", "web"), live("Service", "api"), live("Secret", "key")]
    for order in itertools.permutations(found):
        compared = compare({}, dict(order), lambda target, _live: target)
        kept = [(task.key.kind, task.key.name) for task, _ in plan(compared.items, Wishes()).kept]
        expected = [("Secret", "key"), ("Service", "api"), ("Service", "web"), ("Pod", "web")]
        assert kept == [*expected, ("ConfigMap", "late")]
