"""The pages of pull requests on the lab's Git host: what is asked, discussed, held up and merged there."""

from __future__ import annotations

import base64
import re
from urllib.parse import urlencode

import pytest

from tests.dashboard.conftest import Visitor, config, until

LOGIN = "trainee"


@pytest.fixture
def bakery(shop):
    """A protected repository with an application, and a branch that was pushed."""
    made = shop("bakery")
    made.push(config("bread", kind="rye"))
    made.create(automated=True).wait()
    made.copy.checkout("wheat", create=True)
    made.push(config("bread", kind="wheat"), message="Wheat <b>now</b>")
    made.lab.repos["bakery"].protect()
    return made


@pytest.fixture
def host(chromium, lab, token):
    """A page of the Git host in a real browser, signed in as Git is."""
    context = chromium.new_context(http_credentials={"username": LOGIN, "password": token})
    context.set_default_timeout(40_000)
    page = context.new_page()
    yield page
    context.close()


def test_a_change_goes_from_the_branch_to_the_cluster_on_the_page_alone(host, bakery):
    host.goto(f"{bakery.lab.url}/git/bakery/pulls")
    host.get_by_label("Title").fill("Bread of wheat")
    host.get_by_label("Why?").fill("Everybody asks for it.")
    host.get_by_role("button", name="Open a pull request").click()
    host.wait_for_url("**/git/bakery/pulls/1")
    assert "Bread of wheat" in host.inner_text("h1")
    assert "kind: wheat" in host.inner_text("main")  # what is rendered, and the sources
    assert host.get_by_role("button", name="Merge", exact=True).is_disabled()
    assert "1 approval" in host.inner_text("form")

    host.get_by_label("What you have to say").fill("Why not <i>spelt</i>?\nAsking for a friend.")
    host.get_by_label("You are").fill("colleague")
    host.get_by_role("button", name="Comment").click()
    assert "colleague: Why not <i>spelt</i>?" in host.inner_text("main")

    host.get_by_role("button", name="Approve").click()  # as the trainee, who asked
    assert "trainee opened #1 and cannot approve it" in host.inner_text("main .bad")
    host.get_by_label("You are").fill("colleague")
    host.get_by_role("button", name="Approve").click()
    assert "✓ approved by colleague" in host.inner_text("main")

    host.get_by_label("delete the branch wheat").check()
    host.get_by_role("button", name="Merge", exact=True).click()
    assert "✓ merged" in host.inner_text("main")
    assert host.locator("form").count() == 0
    until(
        lambda: bakery.lab.cluster.get("v1", "ConfigMap", "bread", "bakery")["data"],
        lambda data: data == {"kind": "wheat"},
    )
    assert "wheat" not in bakery.copy.remote_branches()


def test_a_form_of_another_page_does_nothing(bakery, lab, token):
    pull = lab.repos["bakery"].pulls.open("wheat")
    page = f"/git/bakery/pulls/{pull.number}"
    visitor = Visitor(lab.url)
    login = {"Authorization": f"Basic {base64.b64encode(f'{LOGIN}:{token}'.encode()).decode()}"}
    found = re.search(r'name="token" value="([0-9a-f]+)"', visitor.ask(page, **login).text)
    assert found
    said = {"do": "close", "by": "mallory"}
    forged = [
        visitor.post(page, urlencode(said), **login),
        visitor.post(page, urlencode(said | {"token": "0" * 64}), **login),
        visitor.post(page, urlencode(said | {"token": found[1]}), Sec_Fetch_Site="cross-site", **login),
        visitor.post(page, "x" * 200_000, **login),
    ]
    assert [answer.status for answer in forged] == [403] * 4
    assert visitor.post(page, urlencode(said | {"token": found[1]})).status == 401
    assert pull.state == "open"
    wrong = visitor.post(page, urlencode({"do": "explode", "token": found[1]}), **login)
    assert (wrong.status, "explode" in wrong.text) == (409, True)
    done = visitor.post(page, urlencode(said | {"token": found[1]}), **login)
    assert (done.status, done.headers["location"]) == (303, page)
    assert pull.state == "closed"
