"""The page for somebody who is not the owner: what they may not see is not on it, what they may not do is not done."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

from labkit.gitops.api.names import API_VERSION, NAMESPACE
from tests.dashboard.conftest import Shop, Visitor, config, until

POLICY = """
p, ann, applications, get, team/*, allow
p, ann, applications, sync, team/seen, allow
"""
PARTS = ("head", "loop", "network", "differences", "history", "events", "manifest", "plan", "deletion")


@pytest.fixture(scope="module")
def ann(lab):
    """Ann's token: she may see what is in project ``team``."""
    spec = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    spec["clusterResourceWhitelist"] = [{"group": "*", "kind": "*"}]
    lab.projects.create_from({"metadata": {"name": "team"}, "spec": spec})
    meta = {"name": "argocd-rbac-cm", "namespace": NAMESPACE}
    policy = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"policy.csv": POLICY}}
    lab.cluster.create(policy)
    patch = {"data": {"accounts.ann": "apiKey"}}
    lab.cluster.patch("v1", "ConfigMap", "argocd-cm", NAMESPACE, patch=patch)
    until(lambda: [account["name"] for account in lab.accounts], lambda names: "ann" in names)
    until(lambda: lab.accounts.can_i("get", "applications", "team/x", subject="ann"), bool)
    return lab.accounts.create_token("ann", identity="page")


@pytest.fixture(scope="module")
def teams(lab, ann):
    """Two applications, of which one is Ann's team's; a third of the team, that she may only look at."""
    for name, project in (("seen", "team"), ("vault", "default"), ("watched", "team")):
        made = Shop(lab, name)
        made.push(config(name, text="of-" + name))
        made.create(project=project, namespace=name)
    yield lab
    for name in ("seen", "vault", "watched"):
        lab.clear(name)


@pytest.fixture
def page(stranger, ann):
    assert stranger.sign_in(ann).status == 303
    return stranger


def test_the_page_shows_what_one_may_see(teams, page):
    for path in (
        "/dashboard/",
        "/dashboard/fragments/applications",
        "/dashboard/fragments/applications?as=table",
    ):
        text = page.ask(path).text
        assert "seen" in text
        assert "vault" not in text


def test_what_one_may_not_see_is_refused_as_what_is_not_there(teams, page):
    told = {}
    for name in ("vault", "nowhere"):
        answers = [page.ask(f"/dashboard/applications/{name}")]
        answers += [page.ask(f"/dashboard/fragments/applications/{name}/{part}") for part in PARTS]
        answers.append(page.ask(f"/dashboard/data/applications/{name}/tree"))
        detail = f"details?kind=ConfigMap&namespace={name}&name={name}&tab=live"
        answers.append(page.ask(f"/dashboard/fragments/applications/{name}/{detail}"))
        assert {answer.status for answer in answers} == {403}
        told[name] = answers[1].text.replace(name, "X")
        assert f"of-{name}" not in "".join(answer.text for answer in answers)
    assert told["vault"] == told["nowhere"]
    for part in PARTS:
        assert page.ask(f"/dashboard/fragments/applications/seen/{part}").status == 200


@pytest.mark.parametrize("action", ["sync", "refresh", "rollback", "delete", "terminate"])
def test_no_button_reaches_what_one_may_not_see(teams, page, action):
    body = json.dumps({"confirm": "vault", "cascade": True, "id": 0})
    assert page.act("vault", action, body).status == 403
    assert "operation" not in teams.apps["vault"].object


def test_what_one_may_not_do_is_refused_in_the_policys_words(teams, page):
    refused = page.act("watched", "sync")
    assert refused.status == 403
    assert "permission denied: applications, sync, team/watched, sub: ann" in refused.text
    body = json.dumps({"confirm": "seen", "cascade": True})
    assert "applications, delete, team/seen" in page.act("seen", "delete", body).text
    logs = page.ask(
        "/dashboard/fragments/applications/seen/details?kind=Application&group=argoproj.io&name=seen&tab=logs"
    )
    assert (logs.status, "logs, get, team/seen" in logs.text) == (403, True)
    assert page.act("seen", "refresh").status == 200
    assert page.act("seen", "sync").status == 200
    state = until(
        lambda: teams.apps["seen"].object.get("status", {}).get("operationState"), lambda state: state
    )
    assert state["operation"]["initiatedBy"]["username"] == "ann"


def test_news_are_of_what_one_may_see(teams, page, lab):
    address = urlsplit(lab.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=40)
    try:
        cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
        connection.request("GET", "/dashboard/events", headers={"Cookie": cookie})
        stream = connection.getresponse()
        assert stream.readline().startswith(b"retry")
        for name in ("vault", "seen"):
            patch = {"metadata": {"labels": {"touched": "yes"}}}
            lab.cluster.patch(API_VERSION, "Application", name, NAMESPACE, patch=patch)
        while not (line := stream.readline()).startswith(b"data:"):
            assert b"vault" not in line
        assert json.loads(line.removeprefix(b"data:")) == ["seen"]
    finally:
        connection.close()


def test_a_link_opens_the_page_for_whom_it_was_made(teams, lab, ann):
    with lab.as_(ann) as anns:
        link = anns.dashboard_link("seen")
    guest = Visitor(lab.url)
    answer = guest.ask(link.removeprefix(lab.url))
    assert answer.status == 303
    assert "vault" not in guest.ask("/dashboard/").text
    assert guest.ask("/dashboard/applications/vault").status == 403


def test_a_session_ends_with_its_token(teams, stranger, lab):
    token = lab.accounts.create_token("ann", identity="brief")
    assert stranger.sign_in(token).status == 303
    assert stranger.ask("/dashboard/").status == 200
    lab.accounts.delete_token("brief", "ann")
    assert stranger.ask("/dashboard/").status == 401
    assert stranger.ask("/dashboard/events").status == 401


def test_a_session_is_not_made_anothers(teams, page, lab):
    """The name in the cookie is signed with the rest of it."""
    ((name, value),) = page.cookies.items()
    session, _, signature = value.rpartition(".")
    page.cookies[name] = f"{session.partition('~')[0]}.{signature}"  # without a name it would be the owner's
    assert page.ask("/dashboard/").status == 401
