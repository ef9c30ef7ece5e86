"""RBAC, held against what Argo CD's own tests expect."""

from __future__ import annotations

from typing import Any

import pytest
from argocd_cases import cases

from labkit.gitops.projects import roles
from labkit.gitops.rbac import Claims, Config, Enforcer, InvalidPolicy, Judge, Policy

Case = dict[str, Any]


def enforcer(given: Case) -> Enforcer:
    data = {
        "policy.csv": given.get("userPolicy") or "",
        "policy.default": given.get("defaultRole") or "",
        "policy.matchMode": given.get("matchMode") or "",
    }
    if given.get("scopes"):
        data["scopes"] = str(given["scopes"])
    return Enforcer(
        Config.parse(data),
        built_in=Policy.parse(given.get("builtinPolicy") or ""),
        enabled=given.get("enforceEnabled", True),
    )


@cases("rbac.enforce")
def test_whether_a_subject_may(case: Case) -> None:
    given = case["input"]
    subject, *request = given["request"]
    found = enforcer(given).decide(subject or "", *request, given.get("projectPolicy") or "")
    assert found.allowed is case["expected"], found.reason


@cases("rbac.enforce_claims")
def test_whether_the_owner_of_a_token_may(case: Case) -> None:
    given = case["input"]
    project = given["project"]
    policies = {project["name"]: roles.policy_of(project["name"], project)}
    found = Judge(enforcer(given), policies.get).decide(Claims(given["claims"]), *given["request"])
    assert found.allowed is case["expected"], found.reason


@cases("rbac.policy_valid", "rbac.policy_line_valid")
def test_lines_that_are_no_policy_are_refused(case: Case) -> None:
    if case["expected"]:
        Policy.parse(case["input"])
        return
    with pytest.raises(InvalidPolicy) as error:
        Policy.parse(case["input"])
    assert error.value.where == "policy.csv, line 1"
