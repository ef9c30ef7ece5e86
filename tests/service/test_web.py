from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from labkit import errors
from labkit.gitops.rbac import Access, Caller, Callers
from labkit.lab.service_client import ServiceClient
from labkit.runtime.clock import SystemClock
from labkit.service import web
from labkit.service.ports import listen

TOKEN = "a-token-of-the-lab"
CALLERS = Callers(
    TOKEN,
    Access(lambda _name: None, lambda _name: None),
    SystemClock(),
    config_map=lambda _name: None,
    secret=lambda _name: None,
)


class Desk:
    """A desk that keeps its answers in memory; the HTTP side is what is tested here."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.pushes: list[dict[str, Any]] = []

    def repositories(self, caller: Caller) -> list[dict[str, str]]:
        return [{"name": n, "url": f"u/{n}", "clone_url": f"c/{n}"} for n in self.names]

    def create_repository(self, caller: Caller, name: str) -> dict[str, str]:
        if name in self.names:
            raise errors.AlreadyExists("there is one", where=name, fix="Use another name.")
        self.names.append(name)
        return {"name": name, "url": f"u/{name}", "clone_url": f"c/{name}"}

    def delete_repository(self, caller: Caller, name: str) -> None:
        if name not in self.names:
            raise errors.RepositoryNotFound("no such repository", where=name, fix="labkit repo list")
        self.names.remove(name)

    def dashboard_link(self, caller: Caller) -> dict[str, str]:
        return {"url": "http://127.0.0.1/dashboard/enter?key=k"}

    def webhook(self, payload: dict[str, Any]) -> list[str]:
        self.pushes.append(payload)
        return ["shop"]

    def shut_down(self) -> None:
        pass


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def port(desk: Desk) -> Iterator[int]:
    async def git(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("git")(scope, receive, send)

    sock = listen()
    server = uvicorn.Server(
        uvicorn.Config(
            web.app(desk, {"/git": git}, callers=CALLERS, token=TOKEN), log_level="error", lifespan="off"
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    yield sock.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    sock.close()


@pytest.fixture
def client(port: int) -> ServiceClient:
    return ServiceClient(f"http://127.0.0.1:{port}", TOKEN)


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(
            method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text[:1] in b"[{" and text else text.decode()
    finally:
        connection.close()


def test_health_needs_no_token(port):
    assert ask(port, "GET", "/healthz") == (200, "ok")


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}]
)
def test_everything_else_wants_the_token(port, header):
    status, answer = ask(port, "GET", "/api/v1/repositories", **header)
    assert status == 401
    assert answer["kind"] == "Unauthorized"


def test_a_page_that_points_its_own_name_at_loopback_is_refused(port):
    status, _ = ask(port, "GET", "/healthz", Host="evil.example:80")
    assert status == 421


def test_repositories_are_created_listed_and_deleted(client):
    assert client.post("/api/v1/repositories", {"name": "shop"})["url"] == "u/shop"
    assert [r["name"] for r in client.get("/api/v1/repositories")["items"]] == ["shop"]
    client.delete("/api/v1/repositories/shop")
    assert client.get("/api/v1/repositories")["items"] == []


def test_an_error_arrives_as_the_class_that_was_raised_with_its_fix(client):
    with pytest.raises(errors.RepositoryNotFound) as caught:
        client.delete("/api/v1/repositories/none")
    assert caught.value.fix == "labkit repo list"


def test_a_wrong_token_says_what_to_do(port):
    with pytest.raises(errors.LabError):
        ServiceClient(f"http://127.0.0.1:{port}", "wrong").get("/api/version")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{}", b'{"name": 1}'])
def test_a_malformed_body_is_the_senders_mistake(port, body):
    status, answer = ask(port, "POST", "/api/v1/repositories", body, Authorization=f"Bearer {TOKEN}")
    assert status == 400
    assert answer["kind"] == "BadRequest"


def test_a_body_that_is_too_large_is_not_read_to_its_end(port):
    body = b"x" * (web.BODY_BYTES + 1)
    status, _ = ask(port, "POST", "/api/v1/repositories", body, Authorization=f"Bearer {TOKEN}")
    assert status == 413


def test_a_webhook_may_be_signed_the_way_github_signs(port, desk):
    body = b'{"ref": "refs/heads/main"}'
    signature = "sha256=" + hmac.new(TOKEN.encode(), body, hashlib.sha256).hexdigest()
    assert ask(port, "POST", "/api/webhook", body, X_Hub_Signature_256=signature) == (
        200,
        {"refreshed": ["shop"]},
    )
    assert desk.pushes == [{"ref": "refs/heads/main"}]


@pytest.mark.parametrize("header", ["X_Gitea_Signature", "X_Gogs_Signature", "X_Gitlab_Token"])
def test_a_webhook_may_be_signed_as_other_hosts_do_it(port, desk, header):
    body = b'{"ref": "refs/heads/main"}'
    given = (
        TOKEN if header == "X_Gitlab_Token" else hmac.new(TOKEN.encode(), body, hashlib.sha256).hexdigest()
    )
    assert ask(port, "POST", "/api/webhook", body, **{header: given})[0] == 200
    assert desk.pushes == [{"ref": "refs/heads/main"}]
    assert ask(port, "POST", "/api/webhook", body, **{header: f"{given}0"})[0] == 401


def test_a_ping_is_answered_and_an_event_that_is_no_push_is_refused(port, desk):
    def signed(**headers):
        right = "sha256=" + hmac.new(TOKEN.encode(), b"{}", hashlib.sha256).hexdigest()
        return ask(port, "POST", "/api/webhook", b"{}", X_Hub_Signature_256=right, **headers)

    assert signed(X_GitHub_Event="ping") == (200, {"refreshed": []})
    status, answer = signed(X_GitHub_Event="issues")
    assert (status, answer["message"]) == (400, "unknown webhook event 'issues'")
    assert desk.pushes == []


def test_a_webhook_with_a_wrong_signature_is_refused(port, desk):
    status, _ = ask(port, "POST", "/api/webhook", b"{}", X_Hub_Signature_256="sha256=0")
    assert status == 401
    assert desk.pushes == []


def test_git_is_left_to_the_git_host(port):
    assert ask(port, "GET", "/git/shop.git/info/refs") == (200, "git")


def test_no_service_is_said_as_such():
    sock = listen()
    free = sock.getsockname()[1]
    sock.close()
    with pytest.raises(errors.ServiceNotRunning, match="does not answer"):
        ServiceClient(f"http://127.0.0.1:{free}", TOKEN).get("/api/version")
