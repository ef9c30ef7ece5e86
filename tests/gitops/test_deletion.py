"""The end of an application: hooks before and after, what waits for a person, what stays."""

from __future__ import annotations

import pytest
from manifests import config, job

from labkit.gitops import operations
from labkit.gitops.api import NAMESPACE
from labkit.gitops.api.names import API_VERSION
from tests.gitops.test_bad_input import condition
from tests.gitops.test_sync_options import with_option

AUTOMATED = {"prune": True, "selfHeal": True}
POLICY = "argocd.argoproj.io/hook-delete-policy"


def gone(world, app):
    world.until(lambda: world.find("Application", app, NAMESPACE, API_VERSION), lambda obj: obj is None)


def hook(name, phase, *, wave=0, policy="", **options):
    made = job(name, hook=phase, **options)
    made["metadata"]["annotations"] |= {"argocd.argoproj.io/sync-wave": str(wave)}
    if policy:
        made["metadata"]["annotations"][POLICY] = policy
    return made


def events(world, app):
    """Which Jobs came to their end, in the order of their ends."""
    jobs = world.cluster.list("batch/v1", "Job", app).items
    done = [one for one in jobs if (one.get("status") or {}).get("completionTime")]
    return [one["metadata"]["name"] for one in sorted(done, key=lambda one: one["status"]["completionTime"])]


def test_hooks_run_before_and_after_what_was_deployed_goes(world):
    repo = world.repository("shop")
    repo.push(
        {
            "a.yaml": config("a", v="1"),
            "last.yaml": hook("last", "PostDelete", wave=1),
            "first.yaml": hook("first", "PostDelete", generate=True),
            "backup.yaml": hook("backup", "PreDelete", policy="HookSucceeded"),
        }
    )
    app = world.app("shop", repo, automated=AUTOMATED)
    status = world.settled(app)["status"]
    assert [entry["name"] for entry in status["resources"] if not entry.get("hook")] == ["a"]
    assert events(world, app) == []
    assert len([f for f in world.get(app)["metadata"]["finalizers"] if "-delete-finalizer" in f]) == 4
    seen = []

    def look():
        """What is there at this moment: the backup is made while the application's objects are."""
        job_there = world.find("Job", "backup", app, "batch/v1")
        done = job_there is not None and bool((job_there.get("status") or {}).get("succeeded"))
        seen.append((job_there is not None and not done, world.find("ConfigMap", "a", app) is not None))
        return world.find("Application", app, NAMESPACE, API_VERSION)

    operations.delete(world.cluster, app, wait=False)
    world.until(look, lambda obj: obj is None)
    assert all(there for running, there in seen if running)
    assert world.find("ConfigMap", "a", app) is None
    assert world.find("Job", "backup", app, "batch/v1") is None  # HookSucceeded
    found = events(world, app)
    assert found[-1] == "last"
    assert found[0].startswith("first")
    for one in world.cluster.list("batch/v1", "Job", app).items:
        assert "finalizers" not in one["metadata"]


def test_a_hook_that_fails_holds_up_the_deletion_and_says_how_to_go_on(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "backup.yaml": hook("backup", "PreDelete", fails=True)})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.delete(world.cluster, app, wait=False)
    message = condition(world, app, "DeletionError")
    assert "PreDelete hook Job backup failed" in message
    assert "Delete the Job backup to run it again" in message
    assert world.find("ConfigMap", "a", app) is not None
    # as the message says: without its finalizers it goes on
    left = [f for f in world.get(app)["metadata"]["finalizers"] if not f.startswith("pre-delete")]
    world.cluster.patch(API_VERSION, "Application", app, NAMESPACE, patch={"metadata": {"finalizers": left}})
    gone(world, app)
    assert world.find("ConfigMap", "a", app) is None


def test_without_cascade_no_hook_runs(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "backup.yaml": hook("backup", "PreDelete")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.delete(world.cluster, app, cascade=False)
    assert world.find("ConfigMap", "a", app) is not None
    assert world.find("Job", "backup", app, "batch/v1") is None


def test_hooks_that_git_dropped_are_waited_for_no_longer(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "backup.yaml": hook("backup", "PreDelete")})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    repo.push({}, drop=("backup.yaml",))
    world.until(
        lambda: world.get(app)["metadata"]["finalizers"],
        lambda found: found == ["resources-finalizer.argocd.argoproj.io"],
    )


@pytest.mark.parametrize("option", ["Delete=false", "Delete=confirm"])
def test_what_is_not_to_be_deleted_stays_or_waits_for_a_person(world, option):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": with_option(config("b", v="1"), option)})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.delete(world.cluster, app, wait=False)
    if option == "Delete=confirm":
        assert "waiting for deletion confirmation of ConfigMap b" in condition(world, app, "DeletionError")
        assert world.find("ConfigMap", "a", app) is not None  # nothing goes before
        operations.confirm_deletion(world.cluster, app)
    gone(world, app)
    assert world.find("ConfigMap", "a", app) is None
    assert (world.find("ConfigMap", "b", app) is not None) == (option == "Delete=false")


def test_definitions_of_kinds_stay_as_in_argo_cd(world):
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "toys.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": "Toy", "plural": "toys"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                }
            ],
        },
    }
    repo = world.repository("shop")
    toy = {"apiVersion": "example.org/v1", "kind": "Toy", "metadata": {"name": "bear"}}
    repo.push({"crd.yaml": definition, "toy.yaml": toy})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app)
    operations.delete(world.cluster, app)
    assert world.find("Toy", "bear", app, "example.org/v1") is None
    assert (
        world.find("CustomResourceDefinition", "toys.example.org", "", "apiextensions.k8s.io/v1") is not None
    )
    world.cluster.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", "toys.example.org")
