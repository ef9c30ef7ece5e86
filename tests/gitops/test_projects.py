"""What a project does not permit does not happen, and the Application says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from manifests import config

from labkit.gitops import operations
from labkit.gitops.api import NAMESPACE
from labkit.gitops.api.names import API_VERSION
from labkit.gitops.projects import Project, Window, can_go_on

ANYWHERE = [{"server": "*", "namespace": "*"}]
USUAL = {
    "sourceRepos": ["*"],
    "destinations": ANYWHERE,
    "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],  # CreateNamespace wants it
}


@pytest.fixture
def project(world):
    """Makes the project ``team``; it is gone afterwards, after its applications."""

    def make(**spec):
        return world.cluster.apply(
            {
                "apiVersion": API_VERSION,
                "kind": "AppProject",
                "metadata": {"name": "team", "namespace": NAMESPACE},
                "spec": USUAL | spec,
            },
            field_manager="test",
            force=True,
        )

    yield make
    world.clean()
    if world.cluster.find(API_VERSION, "AppProject", "team", NAMESPACE):
        world.cluster.delete(API_VERSION, "AppProject", "team", NAMESPACE)


def condition(world, name):
    found = world.until(lambda: world.status(name).get("conditions") or [], lambda cs: cs)
    return found[0]


@pytest.fixture
def repo(world):
    made = world.repository("team")
    made.push({"a.yaml": config("a", v="1")})
    return made


@pytest.mark.parametrize(
    "written", ["ssh://git@Host.example:team/Shop", " ssh://GIT@host.example:team/shop.git"]
)
def test_what_is_no_address_is_compared_like_one(written):
    same = "ssh://git@host.example:team/shop"
    assert Project("team", {"sourceRepos": [written]}).permits_source(same)
    assert not Project("team", {"sourceRepos": ["*", f"!{written.strip()}"]}).permits_source(same)
    assert not Project("team", {"sourceRepos": [written]}).permits_source("ssh://git@host.example:team/other")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"sourceRepos": ["https://git.example.org/**"]}, "is not permitted in project 'team'"),
        ({"destinations": [{"server": "*", "namespace": "other-*"}]}, "namespace 'team'"),
        ({"destinations": [*ANYWHERE, {"server": "*", "namespace": "!team"}]}, "namespace 'team'"),
    ],
)
def test_a_source_or_destination_that_is_not_permitted(world, project, repo, spec, said):
    project(**spec)
    app = world.app("team", repo, project="team", automated={})
    told = condition(world, app)
    assert told["type"] == "InvalidSpecError"
    assert said in told["message"]
    assert world.find("ConfigMap", "a", "team") is None
    project()  # permitted now: nobody has to touch the application
    world.settled(app)


def test_a_project_that_does_not_exist(world, repo):
    app = world.app("team", repo, project="nobodys", automated={})
    told = condition(world, app)
    assert "'nobodys', which does not exist" in told["message"]
    assert "default" in told["message"]


def test_a_kind_that_is_not_permitted_is_not_applied(world, project, repo):
    project(namespaceResourceBlacklist=[{"group": "", "kind": "ConfigMap"}])
    app = world.app("team", repo, project="team")
    found = world.until(lambda: world.status(app).get("resources"), lambda resources: resources)
    assert found[0]["status"] == "Unknown"
    operations.sync(world.cluster, app)
    state = world.ended(app, "Failed")["status"]["operationState"]
    assert "resource :ConfigMap is not permitted in project team" in state["message"]
    assert world.find("ConfigMap", "a", "team") is None


def test_a_closed_window_holds_automation_and_says_which(world, project, repo):
    closed = {
        "kind": "deny",
        "schedule": "* * * * *",
        "duration": "1h",
        "applications": ["*"],
        "manualSync": True,
    }
    project(syncWindows=[closed])
    app = world.app("team", repo, project="team", automated={})
    world.until(lambda: world.status(app).get("sync", {}).get("status"), lambda status: status == "OutOfSync")
    operations.refresh(world.cluster, app)
    assert world.find("ConfigMap", "a", "team") is None
    operations.sync(world.cluster, app)  # a person may
    world.settled(app)


def test_a_window_that_lets_nobody_through_holds_a_person_too(world, project, repo):
    closed = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
    project(syncWindows=[closed])
    app = world.app("team", repo, project="team")
    operations.sync(world.cluster, app)
    said = world.until(
        lambda: (world.status(app).get("operationState") or {}).get("message") or "",
        lambda text: "window" in text,
    )
    assert "deny `* * * * *`" in said
    assert world.find("ConfigMap", "a", "team") is None
    project(syncWindows=[])
    world.settled(app)


DAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("windows", "began", "may"),
    [
        ([("deny", 12, False)], 11, False),
        ([("deny", 12, True)], 11, True),
        ([("deny", 12, True)], 12.5, False),  # it could not have begun
        ([("deny", 12, True), ("deny", 12, False)], 11, False),  # one that lets nothing go on
        ([("allow", 11, False)], 11.5, False),
        ([("allow", 11, True)], 11.5, True),
        ([("allow", 11, True)], 10, False),
        ([("allow", 11, True), ("allow", 3, False)], 11.5, False),
        ([("allow", 11, True), ("deny", 12, True)], 11.5, True),
    ],
)
def test_a_sync_that_began_in_time_may_go_on_where_the_windows_say_so(windows, began, may):
    """It is half past twelve; each window is open for the hour that begins when it says."""
    found = [
        Window.parse({"kind": kind, "schedule": f"0 {hour} * * *", "duration": "1h", "syncOverrun": overrun})
        for kind, hour, overrun in windows
    ]
    now, then = DAY + timedelta(hours=12, minutes=30), DAY + timedelta(hours=began, minutes=5)
    assert can_go_on(found, now, then, manual=False) is may
    assert not can_go_on(found, now, now, manual=False)  # whatever windows hold, nothing new begins
