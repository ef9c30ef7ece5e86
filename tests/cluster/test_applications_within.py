"""Logs, and applications asked through the API server's proxy."""

import threading

import pytest

from labkit.errors import ApiError, NotFound

SERVICE = "/api/v1/namespaces/shop/services/web"
LOG = "/api/v1/namespaces/shop/pods/web-1/log"


def service(*ports):
    return {"kind": "Service", "spec": {"ports": list(ports)}}


def test_a_service_is_asked_at_its_first_port_by_name(server, connect):
    server.on(f"GET {SERVICE}", 200, service({"name": "http", "port": 80}, {"name": "admin", "port": 81}))
    server.on(f"GET {SERVICE}:http/proxy/hello", 200, b"version 1", {"X-Host": "web-1"})
    answer = connect().proxy("shop", "web", "/hello")
    assert (answer.status, answer.text, answer.headers["X-Host"]) == (200, "version 1", "web-1")


def test_or_at_the_port_that_is_named(server, connect):
    server.on(f"GET {SERVICE}:8080/proxy/", 200, b"ok")
    assert connect().proxy("shop", "web", port=8080).text == "ok"


def test_an_error_of_the_application_is_an_answer(server, connect):
    server.on(f"GET {SERVICE}:80/proxy/x", 404, b"no such page")
    answer = connect().proxy("shop", "web", "/x", 80)
    assert (answer.status, answer.text) == (404, "no such page")


def test_an_error_of_the_api_server_is_an_error(server, connect):
    status = {"apiVersion": "v1", "kind": "Status", "code": 503, "message": "no endpoints available"}
    server.on(f"GET {SERVICE}:80/proxy/", 503, status)
    with pytest.raises(ApiError, match="no endpoints available"):
        connect().proxy("shop", "web", port=80)


def test_a_service_without_ports_is_told(server, connect):
    server.on(f"GET {SERVICE}", 200, service())
    with pytest.raises(NotFound, match="has no port") as caught:
        connect().proxy("shop", "web")
    assert "spec.ports" in caught.value.fix


def test_logs_are_text_and_are_asked_for_as_wanted(server, connect):
    server.on(f"GET {LOG}", 200, "één\ntwo\n".encode())
    text = connect().logs("shop", "web-1", container="app", tail_lines=0, timestamps=True, previous=True)
    assert text == "één\ntwo\n"
    assert server.requests[-1][1] == f"{LOG}?container=app&tailLines=0&timestamps=true&previous=true"


def test_followed_logs_come_line_by_line_and_can_be_left(server, connect):
    release = threading.Event()

    def write(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"8\r\none\ntwo\n\r\n")
        release.wait(10)

    server.on(f"GET {LOG}", 200, write)
    lines = connect().follow_logs("shop", "web-1")
    assert [next(lines), next(lines)] == ["one", "two"]
    lines.close()
    release.set()
    assert "follow=true" in server.requests[-1][1]


def test_the_last_line_needs_no_end(server, connect):
    server.on(f"GET {LOG}", 200, b"one\ntwo")
    assert list(connect().follow_logs("shop", "web-1")) == ["one", "two"]
