"""One real lab with a few applications, and a browser to look at it with."""

from __future__ import annotations

import http.client
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from labkit.k8s.yaml import dump
from labkit.lab import Lab
from labkit.lab.layout import lay_out

HOSTILE = "<img src=x onerror=alert(1)>"
SECONDS = 40.0


def deployment(name: str, replicas: int = 1, **annotations: str) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]},
            },
        },
    }


def service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


class Shop:
    """An application with its working copy: ``push`` writes manifests and pushes them."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name
        self.copy = lab.repos.create(name).clone()

    def push(self, *objects: dict[str, Any], message: str = "A change") -> str:
        for old in self.copy.path.glob("*.yaml"):
            old.unlink()
        for obj in objects:
            file = self.copy.path / f"{obj['kind'].lower()}-{obj['metadata']['name']}.yaml"
            file.write_text(dump(obj), encoding="utf-8", newline="\n")
        self.copy.add()
        commit = self.copy.commit(message)
        self.copy.push()
        return str(commit.sha)

    def create(self, **policy: Any) -> Any:
        return self.lab.apps.create(self.name, repo=self.name, validate=False, **policy)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("dashboard") / "lab"
    lay_out(home)
    with Lab(home) as lab:
        yield lab
        lab.stop()


@pytest.fixture
def shop(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Shop]]:
    """``shop("web")``: a repository and, once created, an application of that name; both go when the test ends."""
    made: list[str] = []

    def shop(name: str) -> Shop:
        made.append(name)
        return Shop(lab, name)

    yield shop
    for name in made:
        lab.clear(name)


def until(look: Callable[[], Any], reached: Callable[[Any], Any]) -> Any:
    """What ``look`` sees once it is as wanted; fails with what it saw last."""
    end = time.monotonic() + SECONDS
    while not reached(seen := look()):
        assert time.monotonic() < end, f"after {SECONDS} s still: {seen}"
        time.sleep(0.05)
    return seen


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Visitor:
    """A browser without eyes: it keeps cookies and sends what it is told to."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def ask(self, path: str, *, method: str = "GET", body: str = "", **headers: str) -> Answer:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        try:
            connection.request(method, path, body=body or None, headers=sent)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        if "set-cookie" in found:
            name, _, rest = found["set-cookie"].partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return Answer(answer.status, found, text)

    def post(self, path: str, body: str = "{}", **headers: str) -> Answer:
        return self.ask(path, method="POST", body=body, **headers)

    def sign_in(self, token: str) -> Answer:
        form = urlencode({"token": token})
        kind = "application/x-www-form-urlencoded"
        return self.post("/dashboard/login", form, Content_Type=kind)

    def act(self, name: str, action: str, body: str = "{}", **headers: str) -> Answer:
        if not self.csrf:
            page = self.ask("/dashboard/").text
            self.csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
        headers = {"X_CSRF_Token": self.csrf, **headers}
        return self.post(f"/dashboard/applications/{name}/{action}", body, **headers)


@pytest.fixture
def stranger(lab: Lab) -> Visitor:
    return Visitor(lab.url)


@pytest.fixture
def token(lab: Lab) -> str:
    return (lab.home / ".lab" / "token").read_text(encoding="utf-8").strip()


@pytest.fixture
def visitor(stranger: Visitor, token: str) -> Visitor:
    """Somebody who has signed in."""
    assert stranger.sign_in(token).status == 303
    return stranger


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The machine's own Chromium; without one the tests are skipped, or fail where it has to be there.

    No longer than a module: while Playwright runs, its event loop is this thread's, and other tests have their own.
    """
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        problem = "there is no chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("LABKIT_TEST_BROWSER") == "required":
            pytest.fail(problem)
        pytest.skip(problem)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Any, lab: Lab, shop: Any) -> Iterator[Callable[..., Any]]:  # it ends before the shops do
    """``browse("web")``: a page on the dashboard, signed in; the test fails if it complains or leaves the machine."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def complain(text: str, but: str = "") -> None:
        if not but or but not in text:
            complaints.append(text)

    def browse(name: str = "", *, link: str = "", but: str = "", **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(SECONDS * 1000)
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and complain(m.text, but))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda r: r.url.startswith("http://127.0.0.1:") or complain(f"left: {r.url}"))
        page.goto(link or lab.dashboard_link(name))
        page.wait_for_selector("#live[data-state=live]")
        return page

    yield browse
    for context in contexts:
        context.close()
    assert not complaints
