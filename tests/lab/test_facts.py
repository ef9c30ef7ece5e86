from __future__ import annotations

import pytest

from labkit.lab.facts import AppStatus, Difference, Entry, Event, Listing, Resource
from labkit.lab.reading import differences_of, pods, tree_of

APPLICATION = {
    "metadata": {"name": "shop", "namespace": "argocd"},
    "status": {
        "sync": {"status": "OutOfSync", "revision": "1234567890"},
        "health": {"status": "Degraded"},
        "resources": [
            {"kind": "Service", "namespace": "shop", "name": "web", "status": "OutOfSync",
             "health": {"status": "Missing"}},
            {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "status": "Synced",
             "health": {"status": "Degraded"}},
        ],
        "history": [
            {"id": 0, "revision": "abcdef1234", "initiatedBy": {"automated": True}},
            {"id": 1, "revision": "1234567890", "initiatedBy": {"username": "trainee"}},
        ],
    },
}  # fmt: skip
NODES = [
    {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "1",
     "health": {"status": "Degraded", "message": "no progress"}},
    {"group": "apps", "kind": "ReplicaSet", "namespace": "shop", "name": "web-1", "uid": "2",
     "parentRefs": [{"uid": "1"}]},
    {"kind": "Pod", "namespace": "shop", "name": "web-1-b", "uid": "4", "parentRefs": [{"uid": "2"}]},
    {"kind": "Pod", "namespace": "shop", "name": "web-1-a", "uid": "3", "parentRefs": [{"uid": "2"}],
     "health": {"status": "Degraded", "message": "Back-off pulling image"}, "images": ["hello:9"]},
]  # fmt: skip
TREE = """\
Application shop  ≠ OutOfSync  ✖ Degraded
├── Service web  ≠ OutOfSync  ○ Missing
└── Deployment web  ✓ Synced  ✖ Degraded
    │ no progress
    └── ReplicaSet web-1
        ├── Pod web-1-…  ✖ Degraded
        │     Back-off pulling image
        └── Pod web-1-…"""


def test_a_tree_reads_from_the_application_down_to_the_pods():
    assert repr(tree_of(APPLICATION, NODES)) == TREE


def test_pods_are_found_below_everything_or_below_one_resource():
    tree = tree_of(APPLICATION, NODES)
    assert [pod.name for pod in pods(tree)] == ["web-1-a", "web-1-b"]
    assert [pod.name for pod in pods(tree, kind="Deployment", name="web")] == ["web-1-a", "web-1-b"]
    assert list(pods(tree, kind="Service")) == []


def test_an_application_that_nobody_has_compared_yet_is_unknown():
    assert repr(AppStatus.of({"metadata": {"name": "new"}})) == "Unknown  Unknown"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"conditions": [{"type": "ComparisonError", "message": "no such path"}]}, "no such path"),
        ({"operationState": {"phase": "Failed", "message": "one task failed"}}, "one task failed"),
        ({"operationState": {"phase": "Succeeded", "message": "all done"}}, ""),
        ({"health": {"status": "Degraded", "message": "a pod fails"}}, "a pod fails"),
    ],
)
def test_the_status_says_why(status, message):
    assert AppStatus.of({"status": status}).message == message


def test_history_says_which_revision_and_whose_doing():
    entries = Listing([Entry.of(item) for item in APPLICATION["status"]["history"]])
    assert repr(entries) == "  0  abcdef1  automated sync\n  1  1234567  trainee"


def config(value: str, **metadata: str) -> dict:
    return {"kind": "ConfigMap", "metadata": {"name": "c"} | metadata, "data": {"a": value}}


def test_a_difference_reads_as_diff_u_without_what_no_person_writes():
    item = {"kind": "ConfigMap", "namespace": "n", "name": "c", "status": "OutOfSync"}
    item |= {
        "liveState": config("1", uid="u"),
        "targetState": config("2"),
        "predictedLiveState": config("2", uid="u"),
    }
    (found,) = differences_of([item])
    assert found.change == "update"
    lines = found.text.splitlines()
    assert lines[:2] == ["--- live ConfigMap/n/c", "+++ desired ConfigMap/n/c"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-  a: '1'", "+  a: '2'"]


def test_only_what_a_sync_would_change_is_a_difference():
    same = {
        "kind": "ConfigMap",
        "name": "c",
        "status": "Synced",
        "liveState": config("1"),
        "targetState": config("1"),
    }
    hook = {"kind": "Job", "name": "j", "status": "OutOfSync", "hook": True, "targetState": config("1")}
    extra = {
        "kind": "ConfigMap",
        "name": "x",
        "status": "OutOfSync",
        "liveState": config("1"),
        "targetState": None,
    }
    assert [d.change for d in differences_of([same, hook, extra])] == ["prune"]


def test_what_is_missing_or_extra_is_created_or_pruned():
    resource = Resource("", "ConfigMap", "n", "c")
    assert Difference(resource, "", "kind: ConfigMap\n").change == "create"
    assert Difference(resource, "kind: ConfigMap\n", "").change == "prune"


def test_an_event_names_its_object():
    item = {
        "type": "Warning",
        "reason": "Failed",
        "message": "m",
        "involvedObject": {"kind": "Pod", "name": "p"},
    }
    assert repr(Event.of(item)) == "Warning  Failed              Pod/p  m"


def test_a_listing_is_a_list_that_prints_well():
    listing = Listing([1, 2, 3])
    assert (len(listing), listing[0], list(listing[1:]), repr(Listing([], "(none yet)"))) == (
        3,
        1,
        [2, 3],
        "(none yet)",
    )
