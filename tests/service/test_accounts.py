"""Tokens and passwords over HTTP: made, used, taken away, and what somebody may try with them."""

from __future__ import annotations

import base64
import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from tests.service.conftest import Person, until


def part(token, number):
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def who(person):
    return person.get("session/userinfo").body.get("username")


def test_an_accounts_token_says_who_and_nothing_of_what_they_may(town):
    ann = town.person("ann")
    assert who(ann) == "ann"
    claims = part(ann.token, 1)
    assert claims["sub"] == "ann:apiKey"
    assert set(claims) == {"iss", "sub", "iat", "nbf", "jti"}


def test_a_token_that_was_taken_away_opens_nothing(town):
    token = town.owner.post("account/ann/token", {"id": "laptop"}).body["token"]
    ann = Person(town.lab.url, token)
    assert who(ann) == "ann"
    assert town.owner.post("account/ann/token", {"id": "laptop"}).message.endswith("'laptop'")
    assert [t["id"] for t in ann.get("account/ann").body["tokens"] if t["id"] == "laptop"] == ["laptop"]
    assert ann.delete("account/ann/token/laptop").status == 200
    refused = ann.get("applications")
    assert refused.status == 401
    assert "does not have token with id laptop" in refused.message


def test_a_stream_ends_when_its_token_is_taken_away(town):
    token = town.owner.post("account/ann/token", {"id": "stream"}).body["token"]
    address = urlsplit(town.lab.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=40)
    try:
        sent = {"Authorization": f"Bearer {token}"}
        connection.request("GET", "/api/v1/stream/applications?name=web", headers=sent)
        stream = connection.getresponse()
        assert json.loads(stream.readline())["result"]["type"] == "ADDED"
        assert town.owner.delete("account/ann/token/stream").status == 200
        town.touch("web")
        assert not stream.read().strip()
    finally:
        connection.close()


def test_a_token_ends_when_it_was_said_to(town):
    token = town.owner.post("account/ann/token", {"expiresIn": 1}).body["token"]
    assert part(token, 1)["exp"] == part(token, 1)["iat"] + 1
    until(lambda: Person(town.lab.url, token).get("applications").status, lambda status: status == 401)
    assert time.time() >= part(token, 1)["exp"]


def test_one_looks_after_ones_own_tokens_and_not_after_others(town):
    ann = town.person("ann")
    assert ann.post("account/ann/token", {"id": "own"}).status == 200
    refused = ann.post("account/bob/token")
    assert refused.message.startswith("permission denied: accounts, update, bob, sub: ann")
    assert [a["name"] for a in ann.get("account").body["items"]] == ["ann"]
    assert ann.get("account/can-i/applications/get/bank%2Fvault?subject=bob").status == 403


@pytest.mark.parametrize("name", ["login-only", "nobody", "admin"])
def test_only_accounts_with_the_capability_have_tokens(town, name):
    answer = town.owner.post(f"account/{name}/token")
    assert answer.status in (400, 404)
    assert "apiKey" in answer.body["message"] + answer.body["fix"]


def test_forged_and_altered_tokens_are_nobodys(town):
    head, body, signature = town.person("ann").token.split(".")
    claims = part(f"{head}.{body}.", 1) | {"sub": "admin"}
    admin = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for forged in (f"{head}.{admin}.{signature}", f"{none}.{admin}.", f"{none}.{admin}.{signature}", "x.y.z"):
        assert Person(town.lab.url, forged).get("applications").status == 401


def test_an_account_that_is_disabled_is_shut_out_with_all_its_tokens(town):
    carl = town.person("carl")
    assert carl.get("applications").status == 200

    def enabled(said):
        patch = {"data": {"accounts.carl.enabled": said}}
        town.lab.cluster.patch("v1", "ConfigMap", "argocd-cm", "argocd", patch=patch)

    enabled("false")
    refused = until(lambda: carl.get("applications"), lambda answer: answer.status == 401)
    assert "account carl is disabled" in refused.message
    enabled(None)
    until(lambda: carl.get("applications").status, lambda status: status == 200)


def test_a_login_is_a_password_and_another_password_ends_it(town):
    guest = Person(town.lab.url)
    assert town.owner.put("account/password", {"name": "ann", "newPassword": "short"}).status == 400
    said = {"name": "ann", "newPassword": "correct horse"}
    assert town.owner.put("account/password", said).status == 200
    assert guest.post("session", {"username": "ann", "password": "wrong"}).status == 401
    assert guest.post("session", {"username": "nobody", "password": "correct horse"}).status == 401
    ann = Person(
        town.lab.url, guest.post("session", {"username": "ann", "password": "correct horse"}).body["token"]
    )
    assert who(ann) == "ann"
    assert part(ann.token, 1)["sub"] == "ann:login"
    refused = ann.put("account/password", {"currentPassword": "wrong", "newPassword": "battery staple"})
    assert refused.message == "current password does not match"
    issued = part(ann.token, 1)["iat"]
    until(time.time, lambda now: int(now) > issued)  # times in tokens have whole seconds
    said = {"currentPassword": "correct horse", "newPassword": "battery staple"}
    assert ann.put("account/password", said).status == 200
    assert "password has changed" in ann.get("applications").message


def test_the_owners_password_is_the_labs_token(town):
    said = {"username": "admin", "password": town.owner.token}
    admin = Person(town.lab.url, Person(town.lab.url).post("session", said).body["token"])
    assert who(admin) == "admin"
    assert len(admin.names("applications")) >= 3
    assert admin.post("shutdown").status == 403  # it is an account's session, not the owner


def test_a_projects_role_has_tokens_that_open_its_project_only(town):
    made = town.owner.post("projects/shop/roles/ci/token", {"id": "build", "expiresIn": "3600"})
    ci = Person(town.lab.url, made.body["token"])
    assert who(ci) == "proj:shop:ci"
    assert ci.names("applications") == ["prod", "web"]
    assert ci.post("applications/web/sync").status == 200
    assert ci.post("applications/prod/sync").status == 403
    assert ci.get("applications/vault").status == 403
    assert ci.post("projects/shop/roles/ci/token").status == 403
    assert town.owner.post("projects/shop/roles/none/token").status == 404
    assert town.owner.delete("projects/shop/roles/ci/token/0?id=build").status == 200
    refused = ci.get("applications")
    assert refused.status == 401
    assert "lists it no longer" in refused.message
    assert town.owner.delete("projects/shop/roles/ci/token/0?id=build").status == 404


def test_a_token_that_was_taken_away_does_not_come_back_with_the_project(town):
    ci = Person(town.lab.url, town.owner.post("projects/shop/roles/ci/token", {"id": "old"}).body["token"])
    before = town.owner.get("projects/shop").body
    assert ci.get("applications").status == 200
    town.owner.delete("projects/shop/roles/ci/token/0?id=old")
    del before["metadata"]["resourceVersion"]
    before["spec"]["roles"][0]["jwtTokens"] = [{"id": "old", "iat": part(ci.token, 1)["iat"]}]
    assert town.owner.put("projects/shop", {"project": before}).status == 200
    assert ci.get("applications").status == 401


def test_a_role_that_goes_takes_its_tokens_along(town):
    found = town.owner.get("projects/bank").body
    with_role = found | {"spec": {**found["spec"], "roles": [{"name": "teller"}]}}
    del with_role["metadata"]["resourceVersion"]
    assert town.owner.put("projects/bank", {"project": with_role}).status == 200
    teller = Person(town.lab.url, town.owner.post("projects/bank/roles/teller/token").body["token"])
    assert teller.names("projects") == ["bank"]
    for roles in ([], [{"name": "teller"}]):
        changed = with_role | {"spec": {**found["spec"], "roles": roles}}
        assert town.owner.put("projects/bank", {"project": changed}).status == 200
        assert teller.get("projects").status == 401
