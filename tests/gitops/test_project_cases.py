"""Projects and sync windows, held against what Argo CD's own tests expect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from argocd_cases import cases

from labkit.gitops.api.application import Destination, InvalidSpec
from labkit.gitops.projects import Project, Window, can_sync, check, globs, roles

Case = dict[str, Any]


@cases("glob.match")
def test_globs(case: Case) -> None:
    assert globs.match(case["input"]["pattern"], case["input"]["val"]) is case["expected"]


@cases("glob.project")
def test_globs_with_a_no_in_front(case: Case) -> None:
    given = case["input"]
    assert globs.permits(given["pattern"], given["val"], negation=given["allowNegation"]) is case["expected"]


@cases("glob.match_list")
def test_lists_of_globs(case: Case) -> None:
    given = case["input"]
    assert globs.in_list(given["list"], given["val"], given["mode"]) is case["expected"]


@cases("project.source_permitted")
def test_a_projects_sources(case: Case) -> None:
    project = Project("p", {"sourceRepos": case["input"]["sourceRepos"]})
    assert project.permits_source(case["input"]["repoURL"]) is case["expected"]


@cases("project.destination_permitted")
def test_a_projects_destinations(case: Case) -> None:
    to = case["input"]["destination"]
    spec = {
        k: case["input"][k] for k in ("destinations", "permitOnlyProjectScopedClusters") if k in case["input"]
    }
    own = [
        c[part]
        for c in case["input"].get("projectClusters") or []
        for part in ("server", "name")
        if c.get(part)
    ]
    found = Project("p", spec).permits_destination(
        to.get("server", ""), to.get("name", ""), to.get("namespace", ""), own_clusters=own
    )
    assert found is case["expected"]


@cases("project.resource_permitted")
def test_a_projects_kinds(case: Case) -> None:
    given = case["input"]
    found = Project("p", given["spec"]).permits_kind(
        given["group"], given["kind"], given["name"], namespaced=given["namespaced"]
    )
    assert found is case["expected"]


@cases("project.app_namespace_permitted")
def test_where_a_projects_applications_may_lie(case: Case) -> None:
    given = case["input"]
    project = Project("p", {"sourceNamespaces": given["sourceNamespaces"]})
    assert project.permits_namespace(given["appNamespace"], given["controllerNamespace"]) is case["expected"]


def moment(given: Case) -> datetime:
    zone = timezone(timedelta(hours=given["utcOffsetHours"]))
    return datetime(2026, 3, 4, given["hour"], given["minute"], tzinfo=zone).astimezone(UTC)


@cases("syncwindow.active")
def test_a_window_is_open_or_not(case: Case) -> None:
    if case["expected"].get("error"):
        with pytest.raises(InvalidSpec):
            Window.parse(case["input"]["window"])
        return
    window = Window.parse(case["input"]["window"])
    assert window.is_active(moment(case["input"]["now"])) is case["expected"]["active"]


@cases("syncwindow.active_list", "syncwindow.inactive_allow_list")
def test_which_windows_are_open(case: Case) -> None:
    if case["expected"].get("error"):
        with pytest.raises(InvalidSpec):
            [Window.parse(raw) for raw in case["input"]["windows"]]
        return
    wanted = case["category"] == "syncwindow.active_list"
    now = moment(case["input"]["now"])
    found = [
        number
        for number, raw in enumerate(case["input"]["windows"])
        if Window.parse(raw).is_active(now) is wanted and (wanted or raw["kind"] == "allow")
    ]
    assert len(found) == case["expected"]["count"]
    if "index" in case["expected"]:
        assert found == [case["expected"]["index"]]


@cases("syncwindow.can_sync")
def test_whether_windows_let_a_sync_begin(case: Case) -> None:
    base = {"schedule": "* * * * *", "duration": "1h"}
    windows = [(Window.parse(base | raw), raw["active"]) for raw in case["input"]["windows"]]
    assert can_sync(windows, manual=case["input"]["manual"]) is case["expected"]


@cases("syncwindow.matches")
def test_which_applications_a_window_is_about(case: Case) -> None:
    app, raw = case["input"]["app"], case["input"]["window"]
    window = Window.parse({"kind": "allow", "schedule": "* * * * *", "duration": "1h"} | raw)
    assert int(window.matches(app["name"], Destination(**app["destination"]))) == case["expected"]["count"]


@cases("syncwindow.valid")
def test_windows_that_make_no_sense(case: Case) -> None:
    assert case["expected"] is False
    with pytest.raises(InvalidSpec):
        Window.parse(case["input"])


@cases("project.role_name_valid")
def test_role_names(case: Case) -> None:
    assert (not roles.role_name_problem(case["input"])) is case["expected"]


@cases("project.group_name_valid", "project.group_name_valid2")
def test_group_names(case: Case) -> None:
    given = case["input"]
    group = given["groupname"] if isinstance(given, dict) else given
    assert (not roles.group_problem(group)) is case["expected"]


@cases("project.policy_valid")
def test_a_roles_policies(case: Case) -> None:
    given = case["input"]
    problem = roles.policy_problem(given["project"], given["role"], given["policy"])
    assert (not problem) is case["expected"]["valid"]
    assert case["expected"].get("errorContains", "") in problem


@cases("project.policy_object_valid")
def test_the_objects_of_a_roles_policies(case: Case) -> None:
    assert roles.valid_object(case["input"]["project"], case["input"]["object"]) is case["expected"]


@cases("project.action_valid")
def test_the_actions_of_a_roles_policies(case: Case) -> None:
    assert roles.valid_action(case["input"]["action"]) is case["expected"]


@cases("project.destination_valid")
def test_destinations_that_make_no_sense(case: Case) -> None:
    spec = {"destinations": [case["input"]]}
    if case["expected"]:
        check("p", spec)
        return
    with pytest.raises(InvalidSpec):
        check("p", spec)


@cases("project.destination_sa_valid")
def test_service_accounts_that_make_no_sense(case: Case) -> None:
    spec = {"destinationServiceAccounts": [case["input"]]}
    if not case["expected"]["expectedErrMsg"]:
        check("p", spec)
        return
    with pytest.raises(InvalidSpec) as error:
        check("p", spec)
    assert error.value.problem == case["expected"]["expectedErrMsg"]
