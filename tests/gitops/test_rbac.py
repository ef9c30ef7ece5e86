"""Who may do what: the policy, what overrules what, and what somebody may try against it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labkit.errors import Forbidden, Unauthorized
from labkit.gitops.projects import globs, roles
from labkit.gitops.rbac import Access, Claims, Config, Enforcer, InvalidPolicy, Policy, tokens
from labkit.k8s import expressions

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
KEY = b"a key that nobody knows"
PROJECT: dict[str, Any] = {
    "metadata": {"name": "shop"},
    "spec": {
        "roles": [
            {
                "name": "deployer",
                "policies": [
                    "p, proj:shop:deployer, applications, sync, shop/*, allow",
                    "p, proj:shop:deployer, applications, sync, shop/prod, deny",
                ],
                "groups": ["team-a"],
            }
        ]
    },
}


def access(policy: str = "", *, projects: tuple[dict[str, Any], ...] = (PROJECT,), **data: str) -> Access:
    named = {project["metadata"]["name"]: project for project in projects}
    config = {"metadata": {"resourceVersion": "1"}, "data": {"policy.csv": policy} | data}
    return Access(lambda _name: config, named.get)


def who(subject: str = "", *groups: str) -> Claims:
    return Claims({"sub": subject, "groups": list(groups)})


def test_the_built_in_admin_may_and_a_stranger_may_not():
    assert access().decide(who("admin"), "applications", "sync", "shop/web")
    decision = access().decide(who("eve"), "applications", "sync", "shop/web")
    assert not decision
    assert decision.reason == "no rule allows it"


def test_a_decision_names_the_rule_that_decided():
    found = access("p, ann, applications, *, shop/*, allow\np, ann, applications, delete, */*, deny")
    assert (
        "applications, delete, */*, deny"
        in found.decide(who("ann"), "applications", "delete", "shop/a").reason
    )
    assert "applications, *, shop/*" in found.decide(who("ann"), "applications", "get", "shop/a").reason


def test_a_denial_wins_wherever_it_stands():
    for lines in ("deny allow", "allow deny"):
        policy = "\n".join(f"p, ann, applications, get, shop/*, {effect}" for effect in lines.split())
        assert not access(policy).decide(who("ann"), "applications", "get", "shop/web")


def test_what_everybody_may_cannot_be_denied():
    found = access("p, ann, applications, get, */*, deny", **{"policy.default": "role:readonly"})
    assert found.decide(who("ann"), "applications", "get", "shop/web")
    assert not found.decide(who("ann"), "applications", "sync", "shop/web")


def test_policies_of_other_keys_count_too():
    assert access(**{"policy.team.csv": "p, ann, applications, get, shop/*, allow"}).decide(
        who("ann"), "applications", "get", "shop/web"
    )


def test_a_group_has_what_its_role_has():
    assert access().decide(who("bob", "team-a"), "applications", "sync", "shop/web")
    assert not access().decide(who("bob", "team-a"), "applications", "sync", "shop/prod")
    assert not access().decide(who("bob", "team-b"), "applications", "sync", "shop/web")


def test_scopes_say_which_claims_are_groups():
    found = access("g, ann@example.com, role:admin", scopes="[groups, email]")
    assert found.decide(Claims({"sub": "1", "email": "ann@example.com"}), "projects", "create", "x")
    assert not access("g, ann@example.com, role:admin").decide(
        Claims({"sub": "1", "email": "ann@example.com"}), "projects", "create", "x"
    )


@pytest.mark.parametrize(
    "line", ["p, ann, applications, get, shop/[, allow", "p, ann, applications, get, {a, deny"]
)
def test_a_pattern_that_cannot_be_read_is_an_error_and_no_silent_hole(line):
    with pytest.raises(InvalidPolicy) as error:
        Policy.parse(f"\n{line}", "argocd-rbac-cm: policy.csv")
    assert error.value.where == "argocd-rbac-cm: policy.csv, line 2"
    assert "is no glob" in error.value.problem


def test_a_misspelt_denial_is_an_error():
    with pytest.raises(InvalidPolicy, match="the effect is allow or deny, not 'denied'"):
        Policy.parse("p, ann, applications, get, shop/*, denied")


def test_a_policy_that_makes_no_sense_allows_nobody_but_who_has_to_mend_it_and_says_where_it_is_wrong():
    broken = access("p, ann, applications, get, shop/*, allow\nnonsense")
    with pytest.raises(Forbidden) as refused:
        broken.enforce(who("ann"), "applications", "get", "shop/web")
    assert "argocd/argocd-rbac-cm: policy.csv, line 2" in refused.value.fix
    broken.enforce(who("admin"), "applications", "get", "shop/web")


def test_a_refusal_is_worded_as_argo_cds_and_says_which_rule_is_missing_or_decided():
    found = access("p, ann, applications, sync, shop/web, deny")
    with pytest.raises(Forbidden) as refused:
        found.enforce(who("bob"), "applications", "sync", "shop/web")
    assert refused.value.problem == "permission denied: applications, sync, shop/web, sub: bob"
    assert refused.value.fix.endswith("p, bob, applications, sync, shop/web, allow")
    with pytest.raises(Forbidden) as refused:
        found.enforce(who("ann"), "applications", "sync", "shop/web")
    assert refused.value.fix == "What decided: p, ann, applications, sync, shop/web, deny"


def test_roles_that_nothing_is_said_of_are_found():
    policy = Policy.parse("p, role:a, *, get, x, allow\ng, ann, role:b\ng, role:b, role:a\ng, bob, role:typo")
    assert policy.roles_without_rules() == ["role:typo"]


def test_expressions_are_looked_for_anywhere_and_the_admin_keeps_its_rights():
    found = access(
        "p, ann, applications, get, 'shop', allow".replace("'", ""), **{"policy.matchMode": "regex"}
    )
    assert found.decide(who("ann"), "applications", "get", "my-shop/web")
    assert found.decide(who("admin"), "applications", "delete", "my-shop/web")
    assert not found.decide(who("admin"), "applications", "invented", "my-shop/web")


def test_no_pattern_takes_for_ever():
    assert not globs.match("*a" * 500 + "b", "a" * 2000)
    assert not globs.match("{a,aa}" * 100 + "b", "a" * 150)
    assert not expressions.matches("^(a+)+$", "a" * 3000 + "b")
    assert "longer than" in globs.problem("a*" * 5000)
    assert "nested deeper" in globs.problem("{" * 50 + "a" + "}" * 50)
    assert expressions.problem(r"(\d{1000}){1000}")


def test_a_policy_of_too_many_lines_is_refused():
    with pytest.raises(InvalidPolicy, match="10000 are the most"):
        Policy.parse("p, a, b, c, d, allow\n" * 20_000)


def test_a_request_of_endless_words_is_denied_and_not_matched():
    found = Enforcer(Config.parse({"policy.csv": "p, ann, applications, get, *, allow"}))
    assert not found.decide("ann", "applications", "get", "x" * 100_000)


def test_roles_that_have_each_other_end():
    found = access("g, ann, role:a\ng, role:a, role:b\ng, role:b, role:a\np, role:b, projects, get, x, allow")
    assert found.decide(who("ann"), "projects", "get", "x")


# -- a project that came from Git, unchecked: it speaks for itself and for nobody else


@pytest.mark.parametrize(
    "policy",
    [
        "p, proj:shop:deployer, applications, *, other/*, allow",
        "p, proj:shop:deployer, projects, update, shop, allow",
        "p, *, applications, *, shop/*, allow",
        "g, eve, role:admin",
        "p, proj:shop:deployer, applications, get, shop/*, allow\np, eve, applications, *, */*, allow",
    ],
)
def test_a_project_cannot_grant_what_is_not_its_own(policy):
    assert roles.policy_problem("shop", "deployer", policy)
    project = {"metadata": {"name": "shop"}, "spec": {"roles": [{"name": "deployer", "policies": [policy]}]}}
    found = access(projects=(project,))
    for subject in ("eve", "proj:shop:deployer"):
        assert not found.decide(who(subject), "applications", "delete", "shop/web")
        assert not found.decide(who(subject), "applications", "get", "other/web")


def test_a_line_that_is_not_valid_does_not_take_a_denial_with_it():
    spoilt = json.loads(json.dumps(PROJECT))
    spoilt["spec"]["roles"][0]["policies"].insert(0, "nonsense")
    found = access("p, proj:shop:deployer, applications, *, */*, allow", projects=(spoilt,))
    assert not found.decide(who("proj:shop:deployer"), "applications", "sync", "shop/prod")


def test_a_group_that_smuggles_a_line_in_is_left_out():
    project = {
        "metadata": {"name": "shop"},
        "spec": {"roles": [{"name": "deployer", "groups": ["x\ng, eve, role:admin", "y, role:admin"]}]},
    }
    assert not access(projects=(project,)).decide(who("eve"), "applications", "get", "shop/web")


def test_a_projects_token_is_nobody_in_another_project():
    other = {"metadata": {"name": "other"}, "spec": {}}
    found = access("p, proj:shop:deployer, applications, *, */*, allow", projects=(PROJECT, other))
    assert found.decide(who("proj:shop:deployer"), "applications", "get", "shop/web")
    assert not found.decide(who("proj:shop:deployer"), "applications", "get", "other/web")


# -- tokens


def made(seconds: int = 0, **changes: Any) -> tuple[str, dict[str, Any]]:
    claims = tokens.role_token("shop", "deployer", identity="ci", now=NOW, seconds=seconds) | changes
    listed = {"items": [tokens.listed(claims)]}
    return tokens.issue(claims, KEY), PROJECT | {"status": {"jwtTokensByRole": {"deployer": listed}}}


def test_a_roles_token_is_its_role():
    token, project = made()
    owner = access(projects=(project,)).owner(token, KEY, NOW)
    assert owner.subject == "proj:shop:deployer"


def test_a_token_that_was_taken_away_is_worth_nothing():
    token, _ = made()
    with pytest.raises(Unauthorized, match="lists it no longer"):
        access().owner(token, KEY, NOW)


def test_a_token_ends_with_its_role():
    token, project = made()
    with pytest.raises(Unauthorized, match="lists it no longer"):
        access(projects=(project | {"spec": {"roles": []}},)).owner(token, KEY, NOW)


def test_a_token_has_its_time():
    token, project = made(seconds=60)
    found = access(projects=(project,))
    assert found.owner(token, KEY, NOW + timedelta(seconds=59))
    with pytest.raises(Unauthorized, match="its time is over"):
        found.owner(token, KEY, NOW + timedelta(seconds=60))
    with pytest.raises(Unauthorized, match="its time has not come"):
        found.owner(token, KEY, NOW - timedelta(seconds=5))


def forged(head: dict[str, Any], body: dict[str, Any], signature: str = "") -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, body)
    )
    return ".".join([*parts, signature])


@pytest.mark.parametrize(
    "token",
    [
        forged({"alg": "none"}, {"iss": "argocd", "sub": "proj:shop:deployer", "jti": "ci"}),
        tokens.issue({"iss": "argocd", "sub": "proj:shop:deployer", "jti": "ci"}, b"another key"),
        tokens.issue({"iss": "somebody", "sub": "proj:shop:deployer", "jti": "ci"}, KEY),
        tokens.issue({"iss": "argocd", "sub": "admin"}, KEY),
        tokens.issue({"iss": "argocd", "sub": "proj:shop:deployer", "jti": "ci", "exp": "never"}, KEY),
        tokens.issue({"iss": "argocd", "sub": ["proj:shop:deployer"], "jti": "ci"}, KEY),
        made()[0] + "A",
        made()[0] + ".x",
        "a.b.c",
        "....",
        "",
        "é.é.é",
        "A" * 100_000,
    ],
    ids=lambda token: token[:12] or "empty",
)
def test_tokens_that_are_not_believed(token):
    _, project = made()
    with pytest.raises(Unauthorized) as error:
        access(projects=(project,)).owner(token, KEY, NOW)
    assert token[:40] not in str(error.value) or not token
