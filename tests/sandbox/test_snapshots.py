"""Snapshots: saved and restored while the cluster runs; nobody who watches is left with what is no more."""

from __future__ import annotations

import json
import time

import pytest

from labkit.errors import SettingsError
from labkit.sandbox.store import Key, Store

from .conftest import Server

ROOT = "/sandbox/snapshots"
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def running(tmp_path):
    """A cluster with controllers and a node, thirty times as fast as time."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    server = Server(folder, "--clock-speed", "30").start()
    yield server
    server.stop()


@pytest.fixture
def http(running):
    client = running.http()
    yield client
    client.close()


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": data}


def until(condition):
    """Wait for something that comes by itself."""
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def names(http, path=MAPS):
    return {one["metadata"]["name"] for one in http.call("GET", path)[1]["items"]}


def test_what_was_added_changed_and_deleted_is_undone(http):
    http.call("POST", MAPS, config_map("kept", a="1"))
    http.call("POST", MAPS, config_map("lost", a="1"))
    status, said, _ = http.call("PUT", f"{ROOT}/before")
    assert (status, said["name"]) == (200, "before")
    http.call("PUT", f"{MAPS}/kept", config_map("kept", a="2"))
    http.call("DELETE", f"{MAPS}/lost")
    http.call("POST", MAPS, config_map("new"))
    assert http.call("POST", f"{ROOT}/before/restore")[0] == 200
    assert {"kept", "lost"} <= names(http)
    assert "new" not in names(http)
    assert http.call("GET", f"{MAPS}/kept")[1]["data"] == {"a": "1"}


def test_resource_versions_never_go_back(http):
    http.call("POST", MAPS, config_map("a", v="1"))
    http.call("PUT", f"{ROOT}/before")
    latest = http.call("PUT", f"{MAPS}/a", config_map("a", v="2"))[1]["metadata"]["resourceVersion"]
    http.call("POST", f"{ROOT}/before/restore")
    restored = http.call("GET", f"{MAPS}/a")[1]["metadata"]["resourceVersion"]
    assert int(restored) > int(latest)
    stale = {**config_map("a", v="3"), "metadata": {"name": "a", "resourceVersion": latest}}
    assert http.call("PUT", f"{MAPS}/a", stale)[0] == 409


def test_watchers_are_told_to_list_again(running, http):
    http.call("PUT", f"{ROOT}/before")
    version = http.call("GET", MAPS)[1]["metadata"]["resourceVersion"]
    other = running.http()
    other.connection.request(
        "GET",
        f"{MAPS}?watch=true&resourceVersion={version}",
        headers={"Authorization": f"Bearer {http.token}"},
    )
    stream = other.connection.getresponse()
    http.call("POST", f"{ROOT}/before/restore")
    event = json.loads(stream.readline())
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert stream.read() == b""
    other.close()
    status, text, _ = http.call("GET", f"{MAPS}?watch=true&resourceVersion={version}&timeoutSeconds=1")
    assert status == 200
    assert (json.loads(text) if isinstance(text, str) else text)["object"]["code"] == 410


def test_the_lab_goes_on_after_a_restore(http):
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    http.call("POST", deployments, {"metadata": {"name": "web"}, "spec": spec})

    def ready(name, count):
        return http.call("GET", f"{deployments}/{name}")[1].get("status", {}).get("readyReplicas") == count

    until(lambda: ready("web", 2))
    before = names(http, PODS)
    http.call("PUT", f"{ROOT}/two")
    http.call("DELETE", f"{deployments}/web")
    until(lambda: not names(http, PODS))
    http.call("POST", f"{ROOT}/two/restore")
    assert names(http, PODS) == before
    http.call(
        "PATCH", f"{deployments}/web", {"spec": {"replicas": 3}}, as_type="application/merge-patch+json"
    )
    until(lambda: ready("web", 3))
    assert before < names(http, PODS)


def test_custom_kinds_come_and_go_with_their_objects(http):
    versions = [
        {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    ]
    spec = {
        "group": "shop.example",
        "scope": "Namespaced",
        "names": {"plural": "carts", "kind": "Cart"},
        "versions": versions,
    }
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    carts = "/apis/shop.example/v1/namespaces/default/carts"
    http.call("PUT", f"{ROOT}/none")
    http.call("POST", crds, {"metadata": {"name": "carts.shop.example"}, "spec": spec})
    cart = {"apiVersion": "shop.example/v1", "kind": "Cart", "metadata": {"name": "one"}}
    until(lambda: http.call("POST", carts, cart)[0] == 201)
    http.call("PUT", f"{ROOT}/one")
    http.call("POST", f"{ROOT}/none/restore")
    assert http.call("GET", carts)[0] == 404
    http.call("POST", f"{ROOT}/one/restore")
    assert names(http, carts) == {"one"}


def test_they_are_listed_replaced_and_deleted(http):
    http.call("PUT", f"{ROOT}/one")
    http.call("PUT", f"{ROOT}/two")
    http.call("PUT", f"{ROOT}/one")
    assert {one["name"] for one in http.call("GET", ROOT)[1]["items"]} == {"one", "two"}
    http.call("DELETE", f"{ROOT}/two")
    assert [one["name"] for one in http.call("GET", ROOT)[1]["items"]] == ["one"]


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("POST", "gone/restore", 404, 'there is no snapshot "gone"; there are: none'),
        ("DELETE", "gone", 404, 'there is no snapshot "gone"'),
        ("PUT", "..%2Fstate", 400, "a snapshot cannot be called"),
        ("PUT", "Name", 400, "a snapshot cannot be called"),
    ],
)
def test_a_name_that_is_none_is_refused(http, method, path, code, words):
    status, said, _ = http.call(method, f"{ROOT}/{path}")
    assert status == code
    assert words in said["message"]


def test_only_who_may_can_restore(http):
    status, said, _ = http.call("POST", f"{ROOT}/one/restore", Impersonate_User="eve")
    assert status == 403
    assert 'cannot post path "/sandbox/snapshots/one/restore"' in said["message"]


def test_a_restore_survives_a_kill(running, http):
    http.call("POST", MAPS, config_map("a"))
    http.call("PUT", f"{ROOT}/before")
    http.call("DELETE", f"{MAPS}/a")
    http.call("POST", f"{ROOT}/before/restore")
    running.kill()
    running.start()
    again = running.http()
    assert "a" in names(again)
    again.close()


def test_a_file_that_is_no_copy_changes_nothing(tmp_path):
    store = Store(tmp_path / "state.db")
    key = Key("configmaps", "default", "a")
    store.put(key, {"metadata": {"name": "a"}})
    (tmp_path / "bad.db").write_bytes(b"no database, this one")
    revision = store.revision
    with pytest.raises(SettingsError, match="not a usable snapshot"):
        store.restore(tmp_path / "bad.db")
    assert store.get(key) is not None
    assert store.revision == revision
    store.close()


def test_services_that_swap_their_addresses_keep_them(fresh):
    http = fresh().http()
    path, addresses = "/api/v1/namespaces/default/services", ("10.96.7.1", "10.96.7.2")

    def make(name, address):
        spec = {"clusterIP": address, "ports": [{"port": 80}]}
        return http.call("POST", path, {"metadata": {"name": name}, "spec": spec})[0]

    assert [make(name, address) for name, address in zip("ab", addresses, strict=True)] == [201, 201]
    http.call("PUT", f"{ROOT}/before")
    assert [http.call("DELETE", f"{path}/{name}")[0] for name in "ab"] == [200, 200]
    assert [make(name, address) for name, address in zip("ba", addresses, strict=True)] == [201, 201]
    http.call("POST", f"{ROOT}/before/restore")
    assert [make("c", address) for address in addresses] == [422, 422]
    http.close()


def test_a_snapshot_says_which_one_it_replaces(fresh):
    http = fresh().http()
    first = http.call("PUT", f"{ROOT}/before")[1]
    second = http.call("PUT", f"{ROOT}/before")[1]
    assert ("replaced" in first, second["replaced"]) == (False, first["created"])
    http.close()
