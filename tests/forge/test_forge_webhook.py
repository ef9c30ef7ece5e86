"""A webhook is signed as GitHub signs it, tried again a few times, and its failure is only an answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from labkit.forge import send_webhook
from labkit.forge.webhook import signature


@pytest.fixture
def receiver():
    answers: list[int] = []
    requests: list[tuple[dict, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((dict(self.headers), body))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/webhook", answers, requests
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_signature_is_githubs(receiver):
    url, _, requests = receiver
    delivery = send_webhook(url, {"ref": "refs/heads/main"}, secret="It's a Secret to Everybody")
    headers, body = requests[0]
    expected = hmac.new(b"It's a Secret to Everybody", body, hashlib.sha256).hexdigest()
    assert (delivery.ok, delivery.attempts) == (True, 1)
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert (headers["X-GitHub-Event"], headers["Content-Type"]) == ("push", "application/json")
    assert json.loads(body) == {"ref": "refs/heads/main"}


def test_githubs_own_example_signs_as_documented():
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature(b"Hello, World!", "It's a Secret to Everybody") == documented


def test_a_busy_receiver_is_asked_again(receiver):
    url, answers, requests = receiver
    answers += [503, 429]
    waits = []
    delivery = send_webhook(url, {}, sleep=waits.append)
    assert (delivery.ok, delivery.attempts, len(requests)) == (True, 3, 3)
    assert waits == [0.2, 0.4]


def test_a_receiver_that_refuses_is_not_asked_again(receiver):
    url, answers, requests = receiver
    answers += [400]
    assert send_webhook(url, {}).status == 400
    assert len(requests) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "ftp://host/x", "http:///x", "nonsense"])
def test_no_receiver_is_an_answer_too(url):
    delivery = send_webhook(url, {}, sleep=lambda seconds: None)
    assert not delivery.ok
    assert (delivery.status, delivery.attempts, bool(delivery.problem)) == (0, 3, True)
