"""What differs, who wrote it, and what is not to count."""

from __future__ import annotations

import pytest

from labkit.errors import LabError
from labkit.gitops import operations
from labkit.gitops.diff import jq


@pytest.fixture
def app(world):
    repo = world.repository("diff")
    repo.push(
        {
            "web.yaml": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web"},
                "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
                    },
                },
            }
        }
    )
    name = world.app("diff", repo)
    world.until(lambda: world.status(name).get("sync"), lambda sync: sync)
    operations.sync(world.cluster, name)
    world.settled(name)
    return name


def by_hand(world, app, patch, manager):
    world.cluster.patch("apps/v1", "Deployment", "web", app, patch=patch, field_manager=manager)


def sync_status(world, app):
    return world.status(app)["sync"]["status"]


def test_each_field_that_differs_is_told_with_who_wrote_it(world, app):
    by_hand(world, app, {"spec": {"replicas": 3}}, "kubectl-scale")
    container = {"name": "web", "image": "nginx:1.26"}
    by_hand(world, app, {"spec": {"template": {"spec": {"containers": [container]}}}}, "somebody")
    world.until(lambda: sync_status(world, app), lambda status: status == "OutOfSync")
    found = {
        each["path"]: (each["live"], each["desired"], each["writer"]["manager"])
        for each in world.controller.managed_resources(app)[0]["differences"]
    }
    assert found == {
        "spec.replicas": (3, 1, "kubectl-scale"),
        'spec.template.spec.containers[name="web"].image': ("nginx:1.26", "nginx:1.27", "somebody"),
    }


def test_nothing_is_told_of_what_is_in_sync(world, app):
    assert [item.get("differences") for item in world.controller.managed_resources(app)] == [None]


def ignoring(world, app, **rule):
    rules = [{"group": "apps", "kind": "Deployment", **rule}]
    operations.update(
        world.cluster, app, lambda obj: obj | {"spec": obj["spec"] | {"ignoreDifferences": rules}}
    )


def test_a_managers_fields_do_not_count_where_that_is_said(world, app):
    ignoring(world, app, managedFieldsManagers=["kubectl-scale"])
    by_hand(world, app, {"spec": {"replicas": 3}}, "kubectl-scale")
    operations.refresh(world.cluster, app)
    assert sync_status(world, app) == "Synced"
    by_hand(world, app, {"spec": {"replicas": 4}}, "another")  # the same field, by somebody else
    operations.refresh(world.cluster, app)
    assert sync_status(world, app) == "OutOfSync"


def test_a_pointer_that_does_not_count(world, app):
    ignoring(world, app, jsonPointers=["/spec/replicas"])
    by_hand(world, app, {"spec": {"replicas": 3}}, "kubectl-scale")
    operations.refresh(world.cluster, app)
    assert sync_status(world, app) == "Synced"
    ignoring(world, app, jsonPointers=["/spec/replicas"], name="another")
    operations.refresh(world.cluster, app)
    assert sync_status(world, app) == "OutOfSync"


@pytest.mark.parametrize("expression", [".spec.replicas", ".spec | .replicas", '.spec["replicas"]'])
def test_what_jq_means_does_not_count(world, app, expression):
    ignoring(world, app, jqPathExpressions=[expression])
    by_hand(world, app, {"spec": {"replicas": 3}}, "kubectl-scale")
    operations.refresh(world.cluster, app)
    assert sync_status(world, app) == "Synced"
    by_hand(
        world, app, {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "b"}]}}}}, "x"
    )
    operations.refresh(world.cluster, app)
    assert sync_status(world, app) == "OutOfSync"
    told = [each["path"] for each in world.controller.managed_resources(app)[0]["differences"]]
    assert told == ['spec.template.spec.containers[name="web"].image']  # and not the replicas


@pytest.mark.parametrize(
    ("expression", "said"), [(".spec[", "syntax error"), (".spec | nothing", "nothing/0 is not defined")]
)
def test_what_is_no_jq_is_named(world, app, expression, said):
    ignoring(world, app, jqPathExpressions=[expression])
    operations.refresh(world.cluster, app)
    problems = [item["problem"] for item in world.controller.managed_resources(app)]
    assert any(said in problem and expression in problem for problem in problems), problems


def test_jq_reads_no_environment_and_no_file(monkeypatch):
    monkeypatch.setenv("LAB_SECRET", "s3cret")
    obj = {"kind": "ConfigMap", "data": {"a": "1"}}
    for expression in ('.data | select(env.LAB_SECRET == "s3cret")', '.data | select($ENV | has("PATH"))'):
        assert jq.shared.without(obj, [expression]) == obj
    with pytest.raises(LabError):
        jq.shared.without(obj, ['.data) | (import "/etc/passwd" as $x; .'])


def test_who_scaled_a_deployment_is_named_although_he_used_the_scale_subresource(world, app):
    scale = {"spec": {"replicas": 4}}
    world.cluster.patch(
        "apps/v1", "Deployment", "web", app, patch=scale, subresource="scale", field_manager="kubectl"
    )
    item = world.until(
        lambda: next(i for i in world.controller.managed_resources(app) if i["kind"] == "Deployment"),
        lambda found: found["status"] == "OutOfSync",
    )
    assert [(d["path"], d["writer"]["manager"]) for d in item["differences"]] == [
        ("spec.replicas", "kubectl")
    ]
