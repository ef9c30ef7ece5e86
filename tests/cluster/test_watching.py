"""A watch goes on over connections that end, and says when it cannot."""

import threading
import time

import pytest

from labkit.errors import ApiError, ClusterUnreachable, Gone

from .server import chunks

PATH = "/api/v1/configmaps"


def event(name, version, event_type="ADDED"):
    return {"type": event_type, "object": {"metadata": {"name": name, "resourceVersion": str(version)}}}


def names(events):
    return [e.object["metadata"]["name"] for e in events if e.type != "BOOKMARK"]


@pytest.fixture
def hold():
    """Keeps an answer open until the test is over."""
    held = threading.Event()
    yield held
    held.set()


def test_events_come_as_the_server_sends_them(server, connect, hold):
    server.on(f"GET {PATH}", 200, chunks(event("a", 1), event("b", 2, "DELETED"), hold=hold))
    with connect().watch("v1", "ConfigMap") as watch:
        assert [(e.type, e.object["metadata"]["name"]) for e in (next(watch), next(watch))] == [
            ("ADDED", "a"),
            ("DELETED", "b"),
        ]


def test_the_next_connection_goes_on_after_the_last_version(server, connect, hold):
    server.on(f"GET {PATH}", 200, chunks(event("a", 5)))
    server.then(f"GET {PATH}", 200, chunks(event("b", 9), hold=hold))
    with connect().watch("v1", "ConfigMap", resource_version="3") as watch:
        assert names([next(watch), next(watch)]) == ["a", "b"]
    asked = server.asked("configmaps")
    assert "resourceVersion=3&" in asked[0]
    assert "resourceVersion=5&" in asked[1]


def test_a_connection_that_breaks_is_made_anew(server, connect, hold):
    server.on(f"GET {PATH}", 200, chunks(event("a", 5), end=False))
    server.then(f"GET {PATH}", 200, chunks(event("b", 6), hold=hold))
    with connect().watch("v1", "ConfigMap", resource_version="3") as watch:
        assert names([next(watch), next(watch)]) == ["a", "b"]


def test_a_break_within_the_first_state_is_told_since_the_rest_of_it_would_be_missed(server, connect):
    server.on(f"GET {PATH}", 200, chunks(event("a", 5), end=False))
    watch = connect().watch("v1", "ConfigMap")
    assert names([next(watch)]) == ["a"]
    with pytest.raises(ClusterUnreachable):
        next(watch)


def test_a_bookmark_moves_the_version_on(server, connect, hold):
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "50"}}}
    server.on(f"GET {PATH}", 200, chunks(event("a", 5), bookmark))
    server.then(f"GET {PATH}", 200, chunks(event("b", 60), hold=hold))
    with connect().watch("v1", "ConfigMap") as watch:
        assert [next(watch).type for _ in range(3)] == ["ADDED", "BOOKMARK", "ADDED"]
    assert "resourceVersion=50&" in server.asked("configmaps")[1]


def test_a_version_that_is_too_old_is_gone_at_once(server, connect):
    status = {
        "kind": "Status",
        "code": 410,
        "reason": "Expired",
        "message": "too old resource version: 1 (9)",
    }
    server.on(f"GET {PATH}", 410, status)
    with pytest.raises(Gone, match="too old resource version"):
        next(connect().watch("v1", "ConfigMap", resource_version="1"))


@pytest.mark.parametrize("reason", ["Expired", "Gone"])
def test_a_version_that_is_too_old_is_gone_within_the_stream_too(server, connect, reason):
    status = {"kind": "Status", "code": 410, "reason": reason, "message": "too old"}
    server.on(f"GET {PATH}", 200, chunks({"type": "ERROR", "object": status}))
    watch = connect().watch("v1", "ConfigMap", resource_version="1")
    with pytest.raises(Gone):
        next(watch)
    assert list(watch) == []


def test_another_error_within_the_stream_is_that_error(server, connect):
    status = {"kind": "Status", "code": 500, "reason": "InternalError", "message": "etcd"}
    server.on(f"GET {PATH}", 200, chunks({"type": "ERROR", "object": status}))
    with pytest.raises(ApiError, match="etcd"):
        next(connect().watch("v1", "ConfigMap", resource_version="1"))


def test_it_ends_after_its_timeout(server, connect, hold):
    server.on(f"GET {PATH}", 200, chunks(event("a", 5), hold=hold))
    begin = time.monotonic()
    assert names(connect().watch("v1", "ConfigMap", resource_version="1", timeout=0.2)) == ["a"]
    assert 0.15 < time.monotonic() - begin < 5


def test_it_is_closed_from_another_thread(server, connect, hold):
    server.on(f"GET {PATH}", 200, chunks(event("a", 5), hold=hold))
    watch = connect().watch("v1", "ConfigMap")
    next(watch)
    closer = threading.Timer(0.05, watch.close)
    closer.start()
    begin = time.monotonic()
    assert list(watch) == []
    assert time.monotonic() - begin < 5
    closer.join()


def test_it_is_closed_from_another_thread_over_tls(tls_server, authority, connect, hold):
    tls_server.on(f"GET {PATH}", 200, chunks(event("a", 5), hold=hold))
    cluster = connect(tls_server.url, cluster={"certificate-authority-data": authority.data})
    watch = cluster.watch("v1", "ConfigMap")
    next(watch)
    closer = threading.Timer(0.05, watch.close)
    closer.start()
    begin = time.monotonic()
    assert list(watch) == []
    assert time.monotonic() - begin < 5
    closer.join()


def test_a_closed_watch_stays_closed(server, connect):
    watch = connect().watch("v1", "ConfigMap")
    watch.close()
    watch.close()
    assert list(watch) == []
    assert server.asked("configmaps") == []


def test_a_server_that_ends_each_connection_at_once_is_not_hammered(server, connect):
    server.on(f"GET {PATH}", 200, chunks())
    assert list(connect().watch("v1", "ConfigMap", resource_version="1", timeout=0.3)) == []
    assert len(server.asked("configmaps")) <= 3


def test_a_server_that_is_gone_is_told(server, connect):
    server.on(f"GET {PATH}", 200, chunks(event("a", 5)))
    watch = connect().watch("v1", "ConfigMap", resource_version="1")
    next(watch)
    server.on(f"GET {PATH}", 200, lambda handler: setattr(handler, "close_connection", True))
    with pytest.raises(ClusterUnreachable):
        next(watch)


def test_lines_that_come_in_pieces_are_put_together(server, connect, hold):
    def write(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in (b'{"type": "ADDED", "ob', b'ject": {"metadata": {"name": "\xc3', b'\xa9"}}}\n{"ty'):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        hold.wait(10)

    server.on(f"GET {PATH}", 200, write)
    with connect().watch("v1", "ConfigMap") as watch:
        assert names([next(watch)]) == ["é"]


def test_a_stream_without_chunks_is_read_as_it_comes(server, connect, hold):
    def write(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b'{"type": "ADDED", "object": {"metadata": {"name": "a"}}}\n')
        handler.wfile.flush()
        hold.wait(10)
        handler.close_connection = True

    server.on(f"GET {PATH}", 200, write)
    watch = connect().watch("v1", "ConfigMap")
    assert names([next(watch)]) == ["a"]
    closer = threading.Timer(0.05, watch.close)
    closer.start()
    assert list(watch) == []
    closer.join()
