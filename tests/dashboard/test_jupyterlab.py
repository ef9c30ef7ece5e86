"""The page inside JupyterLab: through its proxy, for whoever JupyterLab has let in."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from labkit.dashboard.access import PROXY_HEADER, proxy_key
from labkit.lab import jupyter
from labkit.settings import Settings

from .conftest import config


def test_the_proxys_key_opens_the_page_and_nothing_else(stranger, token):
    header = {PROXY_HEADER.replace("-", "_"): proxy_key(token)}
    page = stranger.ask("/dashboard/", **header)
    assert page.status == 200
    assert "Sign out" not in page.text
    assert stranger.ask("/api/v1/repositories", **header).status == 401
    assert stranger.ask("/dashboard/", **{PROXY_HEADER.replace("-", "_"): "0" * 64}).status == 401
    assert stranger.post("/dashboard/applications/a/refresh", **header).status == 403


@pytest.mark.browser
def test_the_page_lives_in_jupyterlab(browse, lab, shop):
    made = shop("web")
    made.push(config("a", v="1"), message="Seen from a notebook")
    made.create(automated=True).wait()
    settings = Settings.find(lab.home)
    running = jupyter.start(settings)
    try:
        address = urlsplit(running.url)
        token = parse_qs(address.query)["token"][0]
        page = browse(link=f"http://{address.netloc}/labkit/dashboard/?token={token}", but="ERR_")
        page.locator(".tile a", has_text="web").click()
        page.locator('.rnode[data-kind="ConfigMap"]').wait_for()
        page.locator("#live[data-state=live]").wait_for()
        made.push(config("a", v="1"), config("b", v="2"), message="And again")
        page.locator('#loop [data-key="received"]', has_text="And again").wait_for()
        page.get_by_role("button", name="Refresh", exact=True).click()
        page.locator(".toast", has_text="compared with Git").wait_for()
    finally:
        running.stop()
    kept = settings.state / "jupyter" / "config" / "jupyter_server_config.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert settings.token() not in json.dumps(json.loads(kept.read_text(encoding="utf-8")))
