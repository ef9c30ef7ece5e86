"""On the way to a server: TLS, credentials, keep-alive, and every way in which it can fail."""

import socket
import warnings

import pytest
from urllib3.exceptions import InsecureRequestWarning

from labkit.cluster import Cluster
from labkit.errors import ApiError, ClusterError, ClusterUnreachable, Forbidden, Gone, NotFound, Unauthorized

from .conftest import Certificate

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}


@pytest.fixture
def closed_port():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def test_a_server_with_the_kubeconfigs_authority_is_trusted(tls_server, authority, connect):
    tls_server.on("GET /version", 200, VERSION)
    cluster = connect(tls_server.url, cluster={"certificate-authority-data": authority.data})
    assert cluster.version() == "v1.36.0"


def test_another_authority_is_not_trusted_and_the_error_says_what_to_do(tls_server, connect):
    stranger = Certificate("stranger", authority=True)
    cluster = connect(tls_server.url, cluster={"certificate-authority-data": stranger.data})
    with pytest.raises(ClusterUnreachable, match="no trusted TLS connection") as caught:
        cluster.version()
    assert "write" in caught.value.fix
    assert tls_server.url in caught.value.problem


def test_another_host_name_is_not_trusted_unless_it_is_the_one_asked_for(tls_server, authority, connect):
    known = {"certificate-authority-data": authority.data}
    tls_server.on("GET /version", 200, VERSION)
    with pytest.raises(ClusterUnreachable, match="no trusted TLS"):
        connect(tls_server.url, cluster=known | {"tls-server-name": "other"}).version()
    assert connect(tls_server.url, cluster=known | {"tls-server-name": "kubernetes"}).version() == "v1.36.0"


def test_insecure_is_the_kubeconfigs_own_word_and_needs_no_warning(tls_server, connect):
    tls_server.on("GET /version", 200, VERSION)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", InsecureRequestWarning)
        assert connect(tls_server.url, cluster={"insecure-skip-tls-verify": True}).version()
    assert said == []


def test_a_client_certificate_is_presented(tls_server, authority, connect):
    me, seen = Certificate("me", issuer=authority), []

    def answer(handler):
        seen.append(dict(pair for part in handler.connection.getpeercert()["subject"] for pair in part))
        handler.send_response(200)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    tls_server.on("GET /version", 200, answer)
    known = {"certificate-authority-data": authority.data}
    user = {"client-certificate-data": me.data, "client-key-data": me.key_data}
    connect(tls_server.url, cluster=known, user=user).version()
    assert seen == [{"commonName": "me"}]


def test_a_token_is_sent_and_never_shown(server, connect):
    cluster = connect(user={"token": "s3cret"})
    with pytest.raises(NotFound) as caught:
        cluster.raw("/nothing")
    assert server.requests[-1][2]["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in f"{cluster!r} {cluster.access!r} {caught.value} {vars(caught.value)}"


def test_connections_are_kept_alive(server, connect):
    seen = set()

    def answer(handler):
        seen.add(handler.client_address)
        handler.send_response(200)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"{}")

    server.on("GET /version", 200, answer)
    cluster = connect()
    for _ in range(5):
        cluster.version()
    assert len(seen) == 1


def test_a_read_is_repeated_when_the_server_hung_up_a_write_is_not(server, connect):
    def hang_up(handler):
        handler.close_connection = True

    cluster = connect()
    server.on("GET /version", 200, hang_up)
    server.then("GET /version", 200, VERSION)
    assert cluster.version() == "v1.36.0"
    server.on("POST /api/v1/namespaces", 200, hang_up)
    with pytest.raises(ClusterUnreachable):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
    assert len([r for r in server.requests if r[0] == "POST"]) == 1


def test_a_path_before_the_api_is_kept(server, connect):
    server.on("GET /clusters/c-1/version", 200, VERSION)
    assert connect(f"{server.url}/clusters/c-1/").version() == "v1.36.0"


def test_nobody_there_is_told_in_the_labs_words_for_its_own_cluster(closed_port, connect):
    with pytest.raises(ClusterUnreachable) as caught:
        connect(f"http://127.0.0.1:{closed_port}").version()
    assert "labkit up" in caught.value.fix


def test_nobody_there_is_told_with_address_and_kubeconfig_for_another_cluster(closed_port, connect):
    cluster = connect(f"http://127.0.0.1:{closed_port}", own=False)
    with pytest.raises(ClusterUnreachable, match="nothing listens") as caught:
        cluster.version()
    assert str(closed_port) in caught.value.problem
    assert cluster.access.source in caught.value.fix


def test_a_host_that_does_not_exist_is_named(write_kubeconfig):
    cluster = Cluster.from_kubeconfig(write_kubeconfig("https://no-such-host.invalid"))
    with cluster, pytest.raises(ClusterUnreachable) as caught:
        cluster.version()
    assert "no-such-host.invalid" in caught.value.problem


def test_a_server_that_never_answers_is_given_up(server, connect):
    import threading

    release = threading.Event()
    server.on("GET /version", 200, lambda handler: release.wait(10))
    with pytest.raises(ClusterUnreachable, match="did not answer in time"):
        connect(read_seconds=0.05).version()
    release.set()


def test_what_is_not_kubernetes_is_told(server, connect):
    server.on("GET /version", 200, b"<html>Please log in</html>")
    with pytest.raises(ClusterUnreachable, match="not a Kubernetes API server"):
        connect().version()


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (410, "Gone", Gone),
        (410, "Expired", Gone),
    ],
)
def test_a_status_becomes_the_error_that_it_stands_for(server, connect, code, reason, kind):
    server.on(
        "GET /x", code, {"kind": "Status", "code": code, "reason": reason, "message": "the API's words"}
    )
    with pytest.raises(kind) as caught:
        connect().raw("/x")
    assert caught.value.message == "the API's words"


def test_an_error_without_a_status_keeps_its_code_and_first_words(server, connect):
    server.on("GET /x", 502, b"bad gateway\n<long page>")
    with pytest.raises(ApiError) as caught:
        connect().raw("/x")
    assert (caught.value.code, caught.value.message) == (502, "bad gateway")


def test_a_refused_credential_says_how_to_get_a_new_one(server, connect):
    server.on(
        "GET /x", 401, {"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "Unauthorized"}
    )
    with pytest.raises(Unauthorized) as own:
        connect().raw("/x")
    with pytest.raises(Unauthorized) as other:
        connect(own=False).raw("/x")
    assert "labkit kubeconfig" in own.value.fix
    assert "Log in" in other.value.fix


def test_loopback_never_goes_through_a_proxy(server, connect, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.on("GET /version", 200, VERSION)
    assert connect(cluster={"proxy-url": "http://127.0.0.1:9"}).version() == "v1.36.0"


def test_another_cluster_goes_through_the_proxy_that_is_set(server, write_kubeconfig):
    server.on("GET http://api.example.com/version", 200, VERSION)
    path = write_kubeconfig("http://api.example.com", cluster={"proxy-url": server.url})
    with Cluster.from_kubeconfig(path) as cluster:
        assert cluster.version() == "v1.36.0"


def test_a_proxy_of_another_kind_is_refused_with_its_field(write_kubeconfig):
    path = write_kubeconfig("https://api.example.com", cluster={"proxy-url": "socks5://127.0.0.1:9"})
    with pytest.raises(ClusterError) as caught:
        Cluster.from_kubeconfig(path)
    assert "proxy-url" in caught.value.where


def test_a_name_cannot_lead_to_another_path(connect, server):
    cluster = connect()
    for name in ("", ".", "..", "a/b", "%2e%2e"):
        with pytest.raises(ApiError, match="resource name may not be"):
            cluster.get("v1", "ConfigMap", name)
    assert server.asked("configmaps") == []
