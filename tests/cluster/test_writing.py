"""Writes: what is sent, and who has to agree to it before."""

import json

import pytest

from labkit.cluster import Cluster
from labkit.errors import BadRequest, ConfirmationRequired

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}
PATH = "/api/v1/namespaces/shop/configmaps"


@pytest.fixture
def writable(server):
    for request in (
        f"POST {PATH}",
        f"PUT {PATH}/a",
        f"PATCH {PATH}/a",
        f"DELETE {PATH}/a",
        f"PUT {PATH}/a/status",
    ):
        server.on(request, 200, CONFIG)
    return server


def last(server):
    method, path, headers, content = server.requests[-1]
    return method, path, headers.get("Content-Type"), json.loads(content)


WRITES = {
    "create": lambda c: c.create(CONFIG),
    "replace": lambda c: c.replace(CONFIG),
    "replace_status": lambda c: c.replace_status(CONFIG),
    "patch": lambda c: c.patch("v1", "ConfigMap", "a", "shop", patch={}),
    "apply": lambda c: c.apply(CONFIG, field_manager="test"),
    "delete": lambda c: c.delete("v1", "ConfigMap", "a", "shop"),
    "post through the proxy": lambda c: c.proxy("shop", "web", "/", 80, method="POST", body=b""),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nothing_is_written_to_anothers_cluster_unless_somebody_agrees(writable, connect, write):
    cluster = connect(own=False)
    with pytest.raises(ConfirmationRequired) as caught:
        write(cluster)
    assert [r for r in writable.requests if r[0] != "GET"] == []
    assert cluster.server in caught.value.where
    assert caught.value.fix


def test_a_no_is_a_no(writable, connect):
    with pytest.raises(ConfirmationRequired):
        connect(own=False, confirm=lambda question: False).create(CONFIG)


def test_a_person_is_asked_once_for_each_cluster(writable, connect):
    questions = []

    def confirm(question):
        questions.append(question)
        return True

    for cluster in (connect(own=False, confirm=confirm), connect(own=False, confirm=confirm)):
        cluster.create(CONFIG)
        cluster.delete("v1", "ConfigMap", "a", "shop")
    assert len(questions) == 1
    assert "create ConfigMap a" in questions[0]
    assert cluster.server in questions[0]


def test_a_yes_for_one_cluster_is_none_for_another(writable, connect, write_kubeconfig):
    connect(own=False, confirm=lambda _: True).create(CONFIG)
    other = write_kubeconfig(writable.url.replace("127.0.0.1", "localhost"), name="other")
    with Cluster.from_kubeconfig(other) as cluster, pytest.raises(ConfirmationRequired):
        cluster.create(CONFIG)


def test_reads_and_dry_runs_need_nobody(writable, connect):
    writable.on(f"GET {PATH}/a", 200, CONFIG)
    cluster = connect(own=False)
    cluster.get("v1", "ConfigMap", "a", "shop")
    cluster.create(CONFIG, dry_run=True)
    cluster.apply(CONFIG, field_manager="test", dry_run=True)
    assert "dryRun=All" in writable.requests[-1][1]


@pytest.mark.parametrize(
    ("patch_type", "content_type"),
    [
        ("merge", "application/merge-patch+json"),
        ("json", "application/json-patch+json"),
        ("strategic", "application/strategic-merge-patch+json"),
    ],
)
def test_each_patch_is_sent_as_what_it_is(writable, connect, patch_type, content_type):
    connect().patch("v1", "ConfigMap", "a", "shop", patch=[1], patch_type=patch_type, field_manager="me")
    assert last(writable) == ("PATCH", f"{PATH}/a?fieldManager=me", content_type, [1])


def test_another_kind_of_patch_is_refused(connect):
    with pytest.raises(BadRequest, match="no such patch type"):
        connect().patch("v1", "ConfigMap", "a", "shop", patch={}, patch_type="yaml")


def test_apply_is_server_side_apply(writable, connect):
    connect().apply(CONFIG, field_manager="me", force=True)
    path = f"{PATH}/a?fieldManager=me&force=true"
    assert last(writable) == ("PATCH", path, "application/apply-patch+yaml", CONFIG)


def test_a_delete_carries_its_options(writable, connect):
    connect().delete(
        "v1", "ConfigMap", "a", "shop", propagation_policy="Orphan", grace_period_seconds=0, uid="u"
    )
    options = last(writable)[3]
    assert options["propagationPolicy"] == "Orphan"
    assert options["gracePeriodSeconds"] == 0
    assert options["preconditions"] == {"uid": "u"}


def test_a_delete_that_is_done_hands_back_nothing_one_that_lingers_the_object(writable, connect):
    assert connect().delete("v1", "ConfigMap", "a", "shop") == CONFIG
    writable.on(f"DELETE {PATH}/a", 200, {"kind": "Status", "status": "Success"})
    assert connect().delete("v1", "ConfigMap", "a", "shop") is None


def test_a_status_is_written_on_its_own_path(writable, connect):
    connect().replace_status(CONFIG)
    assert last(writable)[:2] == ("PUT", f"{PATH}/a/status")


def test_an_object_without_a_namespace_goes_into_the_contexts(server, connect):
    server.on("POST /api/v1/namespaces/default/configmaps", 201, CONFIG)
    connect().create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})


def test_an_object_without_a_name_may_be_created_but_not_replaced(server, connect):
    server.on(f"POST {PATH}", 201, CONFIG)
    nameless = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"generateName": "a-", "namespace": "shop"},
    }
    connect().create(nameless)
    with pytest.raises(BadRequest, match="may not be empty"):
        connect().replace(nameless)


def test_a_list_names_each_items_kind(server, connect):
    items = [{"metadata": {"name": "a"}}]
    server.on("GET /api/v1/configmaps", 200, {"metadata": {"resourceVersion": "7"}, "items": items})
    found = connect().list(
        "v1", "ConfigMap", label_selector="app=a,tier!=b", field_selector="metadata.name=a"
    )
    assert found.items == [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}]
    assert found.resource_version == "7"
    assert "labelSelector=app%3Da%2Ctier%21%3Db" in server.requests[-1][1]
