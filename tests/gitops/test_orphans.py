"""Orphaned resources: what a project's applications warn of, and what they leave alone."""

from __future__ import annotations

import pytest

from labkit.gitops.api.names import API_VERSION, NAMESPACE
from labkit.gitops.orphans import WARNING

TRACKING = "argocd.argoproj.io/tracking-id"


def config(name, namespace="", **annotations):
    meta = {"name": name, "annotations": annotations} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}}


@pytest.fixture
def project(world):
    """``project(warn=True)`` writes the project ``watchful``, which looks for orphans so."""
    key = (API_VERSION, "AppProject", "watchful", NAMESPACE)

    def project(*denied, **orphaned):
        spec = {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            "namespaceResourceBlacklist": [{"group": "", "kind": kind} for kind in denied],
            "orphanedResources": orphaned,
        }
        meta = {"name": "watchful", "namespace": NAMESPACE}
        obj = {"apiVersion": API_VERSION, "kind": "AppProject", "metadata": meta, "spec": spec}
        world.cluster.apply(obj, field_manager="test", force=True)

    yield project
    world.clean()
    if world.cluster.find(*key):
        world.cluster.delete(*key)


def warning(world, name):
    found = [c["message"] for c in world.status(name).get("conditions") or [] if c["type"] == WARNING]
    return found[0] if found else ""


def says(world, name, message):
    world.until(lambda: warning(world, name), lambda found: found == message)


def orphans(world, name):
    found = world.controller.orphaned_resources(name)
    return {
        f"{node['kind']}/{node['name']}": [p["name"] for p in node.get("parentRefs") or []] for node in found
    }


def test_what_belongs_to_no_application_is_warned_of_as_soon_as_it_is_there_and_until_it_is_gone(
    world, project
):
    project(warn=True)
    repo = world.repository("tidy")
    repo.push({"web.yaml": config("web")})
    name = world.app("tidy", repo, project="watchful", automated={})
    world.settled(name)
    assert warning(world, name) == ""  # default's ServiceAccount and the root certificate do not count
    world.cluster.create(config("left-over", name))
    says(world, name, "Application has 1 orphaned resources: ConfigMap/left-over")
    pod = {"containers": [{"name": "main", "image": "nginx:1.27"}]}
    labels = {"app": "by-hand"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    meta = {"name": "by-hand", "namespace": name}
    world.cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    says(world, name, "Application has 4 orphaned resources: ConfigMap/left-over, Deployment/by-hand")
    found = orphans(world, name)
    assert found["ConfigMap/left-over"] == []
    assert sorted(len(parents) for parents in found.values()) == [
        0,
        0,
        1,
        1,
    ]  # ReplicaSet and Pod have parents
    world.cluster.delete("apps/v1", "Deployment", "by-hand", name)
    world.cluster.delete("v1", "ConfigMap", "left-over", name)
    says(world, name, "")
    assert world.status(name)["sync"]["status"] == "Synced"


def test_what_is_ignored_denied_or_anothers_is_left_alone(world, project):
    project("Secret", warn=True, ignore=[{"kind": "ConfigMap", "name": "tool-*"}])
    repo = world.repository("shared")
    repo.push({"a/a.yaml": config("a"), "b/b.yaml": config("b")})
    spec = {"project": "watchful", "destination": {"name": "in-cluster", "namespace": "shared"}}
    for part in ("a", "b"):
        world.settled(world.app(f"shared-{part}", repo, path=part, automated={}, **spec))
    world.cluster.create(config("tool-cache", "shared"))
    meta = {"name": "password", "namespace": "shared"}
    world.cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta})
    gone = {TRACKING: "nobody-any-more:/ConfigMap:shared/forsaken"}
    world.cluster.create(config("forsaken", "shared", **gone))
    for part in ("a", "b"):
        says(world, f"shared-{part}", "Application has 1 orphaned resources: ConfigMap/forsaken")


def test_without_warn_they_are_listed_only_and_without_the_field_nothing_is_looked_for(world, project):
    project(warn=False)
    repo = world.repository("calm")
    repo.push({"web.yaml": config("web")})
    name = world.app("calm", repo, project="watchful", automated={})
    world.settled(name)
    world.cluster.create(config("left-over", name))
    world.until(lambda: orphans(world, name), lambda found: list(found) == ["ConfigMap/left-over"])
    assert warning(world, name) == ""
    project(warn=True)
    says(world, name, "Application has 1 orphaned resources: ConfigMap/left-over")
    patch = {"spec": {"orphanedResources": None}}
    world.cluster.patch(API_VERSION, "AppProject", "watchful", NAMESPACE, patch=patch)
    says(world, name, "")
    assert orphans(world, name) == {}
