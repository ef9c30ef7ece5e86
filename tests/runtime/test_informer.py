"""What an informer makes of changes that come in the server's order, and of answers that come when they like."""

from __future__ import annotations

import pytest

from labkit.runtime.informer import Informer


def service(version: int, **meta):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "web", "uid": "1", "resourceVersion": str(version), **meta},
    }


@pytest.fixture
def informer():
    made = Informer("v1", "Service")
    made.replace([service(5)], "7")
    return made


def test_an_answer_is_known_at_once(informer):
    informer.answered("MODIFIED", service(9, labels={"a": "b"}))
    assert informer.get("shop", "web")["metadata"]["labels"] == {"a": "b"}


def test_an_answer_that_the_watch_overtook_does_not_bring_an_object_back(informer):
    informer.observe("DELETED", service(9))
    informer.answered("MODIFIED", service(8, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert informer.get("shop", "web") is None


def test_an_answer_to_a_create_is_taken_before_the_watch_comes_to_it(informer):
    informer.observe("DELETED", service(9))
    informer.answered("MODIFIED", service(10))
    assert informer.get("shop", "web") is not None


def test_what_the_watch_tells_late_is_still_taken_after_an_answer(informer):
    other = service(8)
    other["metadata"]["name"] = "api"
    informer.answered("MODIFIED", service(9))
    informer.observe("ADDED", other)
    assert informer.get("shop", "api") is not None


def test_a_watch_event_older_than_an_answer_changes_nothing(informer):
    told = []
    informer.answered("MODIFIED", service(9, labels={"a": "b"}))
    informer.on_change(lambda event, obj, old: told.append(event))
    told.clear()
    informer.observe("MODIFIED", service(8))
    assert informer.get("shop", "web")["metadata"]["labels"] == {"a": "b"}
    assert told == []


def test_a_listing_says_what_is_gone(informer):
    told = []
    informer.on_change(lambda event, obj, old: told.append((event, obj["metadata"]["resourceVersion"])))
    informer.replace([], "9")
    assert informer.get("shop", "web") is None
    assert told == [("ADDED", "5"), ("DELETED", "5")]


def test_objects_are_found_by_their_mark_as_it_changes():
    def team(obj):
        return str((obj["metadata"].get("labels") or {}).get("team", ""))

    def made(name, version, **labels):
        meta = {
            "name": name,
            "namespace": "x",
            "uid": name,
            "resourceVersion": str(version),
            "labels": labels,
        }
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}

    informer = Informer("v1", "ConfigMap", mark=team)
    informer.replace([made("a", 1, team="red"), made("b", 1, team="red"), made("c", 1)])

    def names(mark):
        return [obj["metadata"]["name"] for obj in informer.marked(mark)]

    assert (names("red"), names("blue"), names("")) == (["a", "b"], [], [])
    informer.observe("MODIFIED", made("a", 2, team="blue"))
    informer.observe("DELETED", made("b", 3, team="red"))
    assert (names("red"), names("blue")) == ([], ["a"])
