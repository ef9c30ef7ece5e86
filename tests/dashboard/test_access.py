"""Who gets in, and what a page of somebody else can do: nothing."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest

from labkit.dashboard.access import LINK_SECONDS, SESSION_SECONDS, Access
from labkit.gitops.rbac import Access as Policies
from labkit.gitops.rbac import Callers
from labkit.runtime.clock import SystemClock


def test_a_stranger_is_asked_for_the_token_and_told_nothing(stranger, shop):
    shop("secret-name").create()
    for path in ("/dashboard/", "/dashboard/applications/secret-name"):
        answer = stranger.ask(path)
        assert answer.status == 401
        assert "secret-name" not in answer.text
        assert 'name="token"' in answer.text


@pytest.mark.parametrize(
    "path", ["fragments/applications", "fragments/applications/a/head", "data/applications/a/tree", "events"]
)
def test_no_piece_of_a_page_is_given_to_a_stranger(stranger, path):
    assert stranger.ask(f"/dashboard/{path}").status == 401


def test_the_token_opens_the_page_and_a_wrong_one_does_not(stranger, token):
    assert stranger.sign_in("not-the-token").status == 401
    assert not stranger.cookies
    answer = stranger.sign_in(token)
    assert answer.status == 303
    assert {"httponly", "samesite=strict"} <= set(answer.headers["set-cookie"].lower().split("; "))
    assert token not in answer.headers["set-cookie"]
    assert stranger.ask("/dashboard/").status == 200


def test_a_link_opens_the_page_once(lab, stranger):
    link = urlsplit(lab.dashboard_link())
    path = f"{link.path}?{link.query}"
    assert stranger.ask(path).status == 303
    assert stranger.ask("/dashboard/").status == 200
    stranger.cookies.clear()
    again = stranger.ask(path)
    assert again.status == 401
    assert "has been used" in again.text


def test_a_link_to_an_application_goes_there(lab, stranger, shop):
    shop("linked").create()
    link = urlsplit(lab.dashboard_link("linked"))
    assert stranger.ask(f"{link.path}?{link.query}").headers["location"] == "./applications/linked"


def test_every_answer_says_that_it_may_not_be_framed_or_run_other_peoples_scripts(stranger, visitor):
    for path in ("", "login", "static/main.js", "fragments/applications", "nothing-here"):
        headers = visitor.ask(f"/dashboard/{path}").headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers",
    [
        {"X_CSRF_Token": ""},
        {"X_CSRF_Token": "0" * 64},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://evil.example"},
    ],
)
def test_what_another_page_asks_for_is_not_done(visitor, shop, lab, headers):
    shop("stays").create()
    body = json.dumps({"confirm": "stays", "cascade": True})
    assert visitor.act("stays", "delete", body, **headers).status == 403
    assert "stays" in lab.apps


def known(token):
    """Who is known by what they show: here, nobody but the owner."""
    policy = Policies(lambda _name: None, lambda _name: None)
    return Callers(token, policy, SystemClock(), config_map=lambda _name: None, secret=lambda _name: None)


def entrance(token, port, seconds):
    return Access(token, port, seconds, known(token))


def test_a_session_of_one_browser_has_another_form_token_than_that_of_the_next(lab, token):
    access = entrance(token, 1, lambda: 0.0)
    assert access.form_token("one") != access.form_token("two")


def test_a_session_that_somebody_made_up_is_none(stranger, lab):
    port = urlsplit(lab.url).port
    for made_up in ("", "x", "99999999999.aa.bb", f"99999999999.aa.{'0' * 64}"):
        stranger.cookies[f"labkit-{port}"] = made_up
        assert stranger.ask("/dashboard/").status == 401


def test_signing_out_takes_the_session_from_the_browser(visitor):
    page = visitor.ask("/dashboard/").text
    csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
    assert visitor.post("/dashboard/logout", X_CSRF_Token=csrf).status == 200
    assert visitor.ask("/dashboard/").status == 401


def test_a_link_is_good_for_ten_minutes():
    now = [1000.0]
    access = entrance("token", 1, lambda: now[0])
    early, late = (access.link_key(known("token").owner()) for _ in range(2))
    now[0] += LINK_SECONDS - 1
    assert access.enter(early)
    now[0] += 2
    assert not access.enter(late)


def test_a_session_ends_after_twelve_hours():
    from starlette.requests import Request
    from starlette.responses import Response

    now = [1000.0]
    access = entrance("token", 7, lambda: now[0])
    cookie = access.open(Response(), known("token").owner()).headers["set-cookie"].partition(";")[0]
    request = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    assert access.session(request)
    assert not entrance("token", 8, lambda: now[0]).session(request)  # another lab on the same machine
    assert not entrance("another", 7, lambda: now[0]).session(request)
    now[0] += SESSION_SECONDS
    assert not access.session(request)


def test_the_api_token_is_needed_to_make_a_link(lab):
    address = urlsplit(lab.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("POST", "/api/v1/dashboard-links")
    assert connection.getresponse().status == 401
    connection.close()
