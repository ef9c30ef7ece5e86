"""Watching: nothing is missed between a list and what comes after it."""

import threading


def seen(events):
    return [(e.type, e.object["metadata"]["name"]) for e in events if e.type != "BOOKMARK"]


def test_a_watch_goes_on_where_a_list_ended(cluster, namespace, config):
    cluster.create(config("before"))
    version = cluster.list("v1", "ConfigMap", namespace).resource_version
    cluster.create(config("a"))
    cluster.patch("v1", "ConfigMap", "a", namespace, patch={"data": {"x": "1"}})
    cluster.delete("v1", "ConfigMap", "a", namespace)
    with cluster.watch("v1", "ConfigMap", namespace, resource_version=version, timeout=30) as watch:
        assert seen(next(watch) for _ in range(3)) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_without_a_version_what_is_there_comes_first(cluster, namespace, config):
    cluster.create(config("a"))
    mine = "app=mine"
    labelled = config("b")
    labelled["metadata"]["labels"] = {"app": "mine"}
    cluster.create(labelled)
    with cluster.watch("v1", "ConfigMap", namespace, label_selector=mine, timeout=30) as watch:
        assert seen([next(watch)]) == [("ADDED", "b")]


def test_an_object_that_leaves_the_selection_is_deleted_from_it(cluster, namespace, config):
    obj = config("a")
    obj["metadata"]["labels"] = {"app": "mine"}
    cluster.create(obj)
    with cluster.watch("v1", "ConfigMap", namespace, label_selector="app=mine", timeout=30) as watch:
        next(watch)
        cluster.patch("v1", "ConfigMap", "a", namespace, patch={"metadata": {"labels": {"app": None}}})
        assert seen([next(watch)]) == [("DELETED", "a")]


def test_changes_come_while_one_waits_and_the_wait_can_be_ended(cluster, namespace, config):
    version = cluster.list("v1", "ConfigMap", namespace).resource_version
    watch = cluster.watch("v1", "ConfigMap", namespace, resource_version=version, timeout=30)
    arrived, ended, found = threading.Event(), threading.Event(), []

    def read():
        for event in watch:
            if event.type != "BOOKMARK" and event.object["metadata"]["name"] == "a":
                found.append(event.type)
                arrived.set()
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    cluster.create(config("a"))
    assert arrived.wait(15)
    watch.close()
    assert ended.wait(15)
    reader.join()
    assert found == ["ADDED"]


def test_a_watch_ends_after_its_time(cluster, namespace):
    version = cluster.list("v1", "ConfigMap", namespace).resource_version
    list(cluster.watch("v1", "ConfigMap", namespace, resource_version=version, timeout=0.3))
