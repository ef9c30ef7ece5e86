"""The verbs, and the errors in which they end."""

import pytest

from labkit.errors import AlreadyExists, BadRequest, Conflict, Invalid, NoSuchKind, NotFound


def test_a_server_says_its_version_and_its_kinds(cluster):
    assert cluster.version().startswith("v1.")
    kinds = {(r.api_version, r.kind): r for r in cluster.resources()}
    assert kinds["v1", "ConfigMap"].namespaced
    assert not kinds["v1", "Namespace"].namespaced
    assert "status" in kinds["apps/v1", "Deployment"].subresources
    assert "cm" in kinds["v1", "ConfigMap"].short_names


def test_what_is_created_can_be_read(cluster, namespace, config):
    created = cluster.create(config(colour="blue"))
    assert created["metadata"]["uid"]
    assert created["metadata"]["resourceVersion"]
    assert created["metadata"]["creationTimestamp"]
    assert cluster.get("v1", "ConfigMap", "settings", namespace)["data"] == {"colour": "blue"}


def test_a_second_of_the_same_name_already_exists(cluster, config):
    cluster.create(config())
    with pytest.raises(AlreadyExists, match='configmaps "settings" already exists'):
        cluster.create(config())


def test_a_generated_name_begins_as_asked(cluster, namespace):
    metadata = {"generateName": "run-", "namespace": namespace}
    created = cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    assert created["metadata"]["name"].startswith("run-")
    assert len(created["metadata"]["name"]) == len("run-") + 5


def test_what_is_not_there_is_not_found(cluster, namespace):
    with pytest.raises(NotFound, match='configmaps "nothing" not found') as caught:
        cluster.get("v1", "ConfigMap", "nothing", namespace)
    assert not isinstance(caught.value, NoSuchKind)
    assert caught.value.details["name"] == "nothing"
    assert cluster.find("v1", "ConfigMap", "nothing", namespace) is None


def test_a_namespace_has_to_be_there_first(cluster, config):
    lost = config()
    lost["metadata"]["namespace"] = "no-such-namespace"
    with pytest.raises(NotFound, match='namespaces "no-such-namespace" not found'):
        cluster.create(lost)


def test_a_bad_name_is_invalid_and_names_its_field(cluster, config):
    with pytest.raises(Invalid) as caught:
        cluster.create(config("Not_A_Name"))
    assert caught.value.details["causes"][0]["field"] == "metadata.name"


def test_a_list_is_chosen_by_labels_and_fields(cluster, namespace, config):
    for name, tier in (("a", "web"), ("b", "db")):
        obj = config(name)
        obj["metadata"]["labels"] = {"tier": tier, "app": "shop"}
        cluster.create(obj)

    def names(**selectors):
        return [o["metadata"]["name"] for o in cluster.list("v1", "ConfigMap", namespace, **selectors)]

    assert names(label_selector="tier=web") == ["a"]
    assert names(label_selector="app=shop,tier!=web") == ["b"]
    assert names(label_selector="tier in (web,db)") == ["a", "b"]
    assert names(field_selector="metadata.name=b") == ["b"]
    with pytest.raises(BadRequest):
        names(label_selector="tier in (")


def test_a_stale_write_is_a_conflict(cluster, config):
    stale = cluster.create(config(colour="blue"))
    fresh = cluster.replace(stale | {"data": {"colour": "green"}})
    assert fresh["metadata"]["resourceVersion"] != stale["metadata"]["resourceVersion"]
    with pytest.raises(Conflict, match="the object has been modified"):
        cluster.replace(stale | {"data": {"colour": "red"}})


def test_a_write_that_changes_nothing_leaves_the_version(cluster, config):
    created = cluster.create(config(colour="blue"))
    assert cluster.replace(created)["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_a_merge_patch_sets_and_removes(cluster, namespace, config):
    cluster.create(config(colour="blue", size="big"))
    patched = cluster.patch(
        "v1", "ConfigMap", "settings", namespace, patch={"data": {"colour": None, "shape": "round"}}
    )
    assert patched["data"] == {"size": "big", "shape": "round"}


def test_a_json_patch_is_all_or_nothing(cluster, namespace, config):
    cluster.create(config(colour="blue"))
    patch = [
        {"op": "replace", "path": "/data/colour", "value": "red"},
        {"op": "test", "path": "/data/colour", "value": "green"},
    ]
    with pytest.raises(Invalid):
        cluster.patch("v1", "ConfigMap", "settings", namespace, patch=patch, patch_type="json")
    assert cluster.get("v1", "ConfigMap", "settings", namespace)["data"] == {"colour": "blue"}


def test_a_dry_run_says_what_would_be_and_leaves_no_trace(cluster, namespace, config):
    assert cluster.create(config(), dry_run=True)["metadata"]["uid"]
    assert cluster.find("v1", "ConfigMap", "settings", namespace) is None


def test_a_delete_for_another_object_of_the_name_is_refused(cluster, namespace, config):
    cluster.create(config())
    with pytest.raises(Conflict):
        cluster.delete("v1", "ConfigMap", "settings", namespace, uid="another")
    cluster.delete("v1", "ConfigMap", "settings", namespace)
    assert cluster.find("v1", "ConfigMap", "settings", namespace) is None


def test_a_finalizer_holds_an_object_until_it_is_taken_off(cluster, namespace, config):
    held = config()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    cluster.create(held)
    lingering = cluster.delete("v1", "ConfigMap", "settings", namespace)
    assert lingering["metadata"]["deletionTimestamp"]
    cluster.patch("v1", "ConfigMap", "settings", namespace, patch={"metadata": {"finalizers": None}})
    assert cluster.find("v1", "ConfigMap", "settings", namespace) is None


def test_a_status_is_written_apart_from_the_rest(cluster, namespace):
    created = cluster.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
                },
            },
            "status": {"collisionCount": 7},
        }
    )
    assert "collisionCount" not in created.get("status", {})
    patch = {"status": {"collisionCount": 3}, "spec": {"replicas": 5}}
    written = cluster.patch("apps/v1", "Deployment", "web", namespace, patch=patch, subresource="status")
    assert written["status"]["collisionCount"] == 3
    assert written["spec"]["replicas"] == 0


def test_an_unknown_kind_is_told_with_near_ones(cluster):
    with pytest.raises(NoSuchKind) as caught:
        cluster.get("v1", "Deployment", "web")
    assert "apps/v1 Deployment" in caught.value.fix


def test_many_threads_share_one_cluster(cluster, namespace, config):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda n: cluster.create(config(f"c{n}")), range(40)))
    assert len(cluster.list("v1", "ConfigMap", namespace, label_selector="")) >= 40
