"""ApplicationSets at work: on a real API server, a real Git host and the controller."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from manifests import config

from labkit.errors import LabError
from labkit.gitops import operations
from labkit.gitops.api import NAMESPACE
from labkit.gitops.api.names import API_VERSION

JSON = dict[str, Any]


class Sets:
    """The ApplicationSets of one test; they are gone when it ends."""

    def __init__(self, world):
        self.world = world
        self.made: list[str] = []

    def create(self, name: str, repo, *generators: JSON, **spec: Any) -> str:
        template = {
            "metadata": {"name": "{{name}}"},
            "spec": {
                "project": "default",
                "source": {"repoURL": repo.url, "path": "apps/{{name}}", "targetRevision": "main"},
                "destination": {"name": "in-cluster", "namespace": "{{name}}"},
                "syncPolicy": {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]},
            },
        }
        self.world.cluster.create(
            {
                "apiVersion": API_VERSION,
                "kind": "ApplicationSet",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"generators": list(generators), "template": template} | spec,
            }
        )
        self.made.append(name)
        return name

    def get(self, name: str) -> JSON:
        return self.world.cluster.get(API_VERSION, "ApplicationSet", name, NAMESPACE)

    def change(self, name: str, **spec: Any) -> None:
        self.world.cluster.patch(API_VERSION, "ApplicationSet", name, NAMESPACE, patch={"spec": spec})

    def delete(self, name: str) -> None:
        with contextlib.suppress(LabError):
            self.world.cluster.delete(API_VERSION, "ApplicationSet", name, NAMESPACE)

    def names(self) -> list[str]:
        return [obj["metadata"]["name"] for obj in operations.list_(self.world.cluster)]

    def has(self, *names: str) -> None:
        self.world.until(self.names, lambda found: found == sorted(names))

    def settled(self, name: str) -> None:
        """Wait until the Application is there, and as Git says."""
        self.world.until(self.names, lambda found: name in found)
        self.world.settled(name)

    def condition(self, name: str, kind: str, status: str) -> JSON:
        """The condition of that kind once it has that status."""

        def look() -> JSON:
            found = (self.get(name).get("status") or {}).get("conditions") or []
            return next((c for c in found if c["type"] == kind), {})

        return self.world.until(look, lambda c: c.get("status") == status)


@pytest.fixture
def sets(world):
    made = Sets(world)
    yield made
    for name in made.made:
        made.delete(name)
    for name in made.names():
        with contextlib.suppress(LabError):
            operations.delete(world.cluster, name, wait=False)
    made.has()


def elements(*names: str) -> JSON:
    return {"list": {"elements": [{"name": name} for name in names]}}


def app_of(world, name: str) -> JSON:
    return {f"apps/{name}/config.yaml": config(name, value=name)}


def test_a_folder_that_is_pushed_becomes_an_application_and_one_that_is_removed_ends_one(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a") | app_of(world, "set-b"))
    generator = {"git": {"repoURL": repo.url, "revision": "main", "directories": [{"path": "apps/*"}]}}
    sets.create("folders", repo, generator | {}, template=folder_template(repo))
    sets.has("set-a", "set-b")
    sets.settled("set-a")
    repo.push(app_of(world, "set-c"))
    sets.has("set-a", "set-b", "set-c")
    sets.settled("set-c")
    repo.push({}, drop=("apps/set-a/config.yaml",))
    sets.has("set-b", "set-c")
    assert world.find("ConfigMap", "set-a", "set-a") is None
    status = sets.get("folders")["status"]
    assert {r["name"] for r in status["resources"]} <= {"set-a", "set-b", "set-c"}
    assert sets.condition("folders", "ResourcesUpToDate", "True")["reason"] == "ApplicationSetUpToDate"


def folder_template(repo) -> JSON:
    name = "{{path.basename}}"
    return {
        "metadata": {"name": name},
        "spec": {
            "project": "default",
            "source": {"repoURL": repo.url, "path": "{{path}}", "targetRevision": "main"},
            "destination": {"name": "in-cluster", "namespace": name},
            "syncPolicy": {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]},
        },
    }


def test_what_is_changed_by_hand_is_changed_back_but_for_what_is_ignored(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a"))
    sets.create(
        "one",
        repo,
        elements("set-a"),
        ignoreApplicationDifferences=[{"jsonPointers": ["/spec/source/targetRevision"]}],
        preservedFields={"annotations": ["mine"]},
    )
    sets.settled("set-a")
    world.cluster.patch(
        API_VERSION,
        "Application",
        "set-a",
        NAMESPACE,
        patch={
            "metadata": {"annotations": {"mine": "kept", "other": "gone"}},
            "spec": {"project": "elsewhere", "source": {"targetRevision": "HEAD"}},
        },
    )
    back = world.until(
        lambda: world.get("set-a"),
        lambda obj: obj["spec"]["project"] == "default" and "other" not in obj["metadata"]["annotations"],
    )
    assert back["spec"]["source"]["targetRevision"] == "HEAD"
    assert back["metadata"]["annotations"]["mine"] == "kept"


def test_an_error_stands_in_the_conditions_and_deletes_nothing(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a"))
    sets.create("one", repo, elements("set-a"))
    sets.has("set-a")
    sets.change("one", generators=[{"git": {"repoURL": f"{repo.url}-gone", "directories": [{"path": "*"}]}}])
    found = sets.condition("one", "ErrorOccurred", "True")
    assert found["reason"] == "ApplicationParamsGenerationError"
    assert "There is no Git repository" in found["message"]
    assert sets.condition("one", "ParametersGenerated", "False")
    assert sets.names() == ["set-a"]
    sets.change("one", generators=[elements("set-a")])
    sets.condition("one", "ErrorOccurred", "False")


def test_an_application_that_may_not_be_is_refused_alone(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a") | app_of(world, "set-b"))
    patch = '{{ if eq .name "set-b" }}spec: {destination: {name: nowhere}}{{ end }}'
    sets.create("one", repo, elements("set-a", "set-b"), goTemplate=True, templatePatch=patch,
                template=go_template(repo))  # fmt: skip
    sets.has("set-a")
    found = sets.condition("one", "ErrorOccurred", "True")
    assert found["reason"] == "ApplicationValidationError"
    assert "there is no cluster 'nowhere'" in found["message"]


def go_template(repo) -> JSON:
    return {
        "metadata": {"name": "{{.name}}"},
        "spec": {
            "project": "default",
            "source": {"repoURL": repo.url, "path": "apps/{{.name}}"},
            "destination": {"name": "in-cluster", "namespace": "{{.name}}"},
        },
    }


def test_another_sets_application_is_left_alone(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a"))
    sets.create("one", repo, elements("set-a"))
    sets.has("set-a")
    sets.create("two", repo, elements("set-a"))
    found = sets.condition("two", "ErrorOccurred", "True")
    assert "it belongs to ApplicationSet one" in found["message"]
    sets.delete("two")
    assert sets.names() == ["set-a"]


def test_a_set_that_may_only_create_changes_and_deletes_nothing(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a") | app_of(world, "set-b"))
    sets.create("one", repo, elements("set-a"), syncPolicy={"applicationsSync": "create-only"})
    sets.has("set-a")
    sets.change("one", generators=[elements("set-b")])
    sets.has("set-a", "set-b")


def test_a_set_that_is_deleted_takes_what_it_deployed_with_it(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a"))
    sets.create("one", repo, elements("set-a"))
    sets.settled("set-a")
    sets.delete("one")
    sets.has()
    assert world.find("ConfigMap", "set-a", "set-a") is None


def test_resources_may_be_kept_when_the_set_is_deleted(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a"))
    sets.create("one", repo, elements("set-a"), syncPolicy={"preserveResourcesOnDeletion": True})
    sets.settled("set-a")
    sets.delete("one")
    sets.has()
    assert world.find("ConfigMap", "set-a", "set-a") is not None


def test_a_preview_shows_what_would_change_and_changes_nothing(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a") | app_of(world, "set-b"))
    sets.create("one", repo, elements("set-a"))
    sets.has("set-a")
    wanted = sets.get("one")
    wanted["spec"]["generators"] = [elements("set-b")]
    found = world.controller.sets.preview(wanted)
    assert [(change.action, change.name) for change in found] == [("delete", "set-a"), ("create", "set-b")]
    assert sets.names() == ["set-a"]


def test_a_controller_that_comes_back_finds_its_sets_as_they_were(world, sets):
    repo = world.repository("shop")
    repo.push(app_of(world, "set-a") | app_of(world, "set-b"))
    sets.create("one", repo, elements("set-a"))
    sets.has("set-a")
    world.stop()
    sets.change("one", generators=[elements("set-a", "set-b")])
    world.start()
    sets.has("set-a", "set-b")
