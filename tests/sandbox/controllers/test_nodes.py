"""What happens to pods when their node is not as it should be."""

from __future__ import annotations

import pytest
from simulation import pod, simulation, workload

from labkit.errors import ApiError
from labkit.sandbox.controllers.node_health import KUBELET, STOPPED
from labkit.sandbox.controllers.nodes import NOT_READY, UNREACHABLE


@pytest.fixture
def two(tmp_path):
    """A cluster of two nodes."""
    with simulation(tmp_path, ("node-1", "node-2")) as made:
        yield made


def node(cluster, name="node-1"):
    return cluster.get("Node", name, namespace="")


def taints(cluster, name="node-1"):
    return {(t["key"], t["effect"]) for t in node(cluster, name)["spec"].get("taints") or []}


def condition(obj, kind="Ready"):
    return next(c for c in obj["status"]["conditions"] if c["type"] == kind)


def set_ready(cluster, state, reason, name="node-1"):
    """What a lesson does to a node: its Ready condition, with a reason that no kubelet gives."""
    obj = node(cluster, name)
    condition(obj).update(status=state, reason=reason)
    cluster.client.replace_status(obj)


def kubelet(cluster, what, name="node-1"):
    patch = {"metadata": {"annotations": {KUBELET: what}}}
    cluster.client.patch("v1", "Node", name, patch=patch)


def on(name, **spec):
    return {**spec, "nodeSelector": {"kubernetes.io/hostname": name}}


def names(cluster):
    return [one["metadata"]["name"] for one in cluster.pods()]


def test_pods_leave_a_node_that_is_not_ready_after_five_minutes(two):
    two.apply(workload("Deployment", "web", replicas=2))
    two.pass_time(10)
    mine = [p for p in two.pods() if p["spec"]["nodeName"] == "node-1"]
    assert mine, "the scheduler spreads them"
    set_ready(two, "False", "NetworkNotReady")
    two.pass_time(290)
    assert taints(two) == {(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")}
    assert {p["metadata"]["name"] for p in mine} <= set(names(two))
    two.pass_time(60)
    assert {p["spec"]["nodeName"] for p in two.pods()} == {"node-2"}
    assert len(two.pods()) == 2
    assert "TaintManagerEviction" in two.events(mine[0]["metadata"]["name"])


def test_a_node_that_is_ready_again_keeps_its_pods(two):
    two.apply(pod("web", **on("node-1")))
    two.pass_time(10)
    set_ready(two, "False", "NetworkNotReady")
    two.pass_time(200)
    set_ready(two, "True", "KubeletReady")
    two.pass_time(200)
    assert taints(two) == set()
    assert names(two) == ["web"]


@pytest.mark.parametrize(
    ("seconds", "there_at", "gone_at"),
    [(60, 50, 110), (None, 900, None), (0, 0, 40)],
    ids=["for a minute", "for ever", "not at all"],
)
def test_how_long_a_pod_stays_is_what_it_tolerates(two, seconds, there_at, gone_at):
    tolerates = {"key": NOT_READY, "operator": "Exists", "effect": "NoExecute"}
    if seconds is not None:
        tolerates["tolerationSeconds"] = seconds
    two.apply(pod("web", tolerations=[tolerates], **on("node-1")))
    two.pass_time(10)
    set_ready(two, "False", "NetworkNotReady")
    two.pass_time(there_at)
    assert names(two) == ["web"]
    if gone_at is not None:
        two.pass_time(gone_at - there_at)
        assert names(two) == []


def test_nobody_is_sent_to_a_node_that_is_not_ready(two):
    set_ready(two, "False", "NetworkNotReady")
    two.apply(workload("Deployment", "web", replicas=4))
    two.pass_time(10)
    assert {p["spec"]["nodeName"] for p in two.pods()} == {"node-2"}


def test_a_silent_kubelets_node_is_unknown_after_fifty_seconds(two):
    two.pass_time(5)
    kubelet(two, STOPPED)
    two.pass_time(35)
    assert condition(node(two))["status"] == "True"
    two.pass_time(20)
    assert {c["status"] for c in node(two)["status"]["conditions"]} == {"Unknown"}
    assert condition(node(two))["message"] == "Kubelet stopped posting node status."
    assert taints(two) == {(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")}
    assert condition(node(two, "node-2"))["status"] == "True"


def test_pods_of_a_silent_node_wait_for_its_kubelet_to_end(two):
    two.apply(workload("Deployment", "web", replicas=1))
    two.pass_time(10)
    (first,) = two.pods()
    where = first["spec"]["nodeName"]
    kubelet(two, STOPPED, where)
    two.pass_time(60)
    assert condition(two.get("Pod", first["metadata"]["name"]))["status"] == "False"
    assert "NodeNotReady" in two.events(first["metadata"]["name"])
    with pytest.raises(ApiError, match="connection refused"):
        two.log(first["metadata"]["name"])
    two.pass_time(330)
    old, new = sorted(two.pods(), key=lambda p: p["spec"]["nodeName"] != where)
    assert old["metadata"]["deletionTimestamp"]
    assert condition(old, "DisruptionTarget")["reason"] == "DeletionByTaintManager"
    assert new["spec"]["nodeName"] != where
    assert condition(new)["status"] == "True"
    two.pass_time(300)
    assert old["metadata"]["name"] in names(two)
    kubelet(two, "simulated", where)
    two.pass_time(60)
    assert condition(node(two, where))["status"] == "True"
    assert taints(two, where) == set()
    assert names(two) == [new["metadata"]["name"]]


def test_what_ran_on_goes_on_when_the_kubelet_is_back_in_time(two):
    two.apply(pod("web", **on("node-1")))
    two.pass_time(10)
    kubelet(two, STOPPED)
    two.pass_time(120)
    assert condition(two.get("Pod", "web"))["status"] == "False"
    kubelet(two, "simulated")
    two.pass_time(20)
    found = two.get("Pod", "web")
    assert condition(found)["status"] == "True"
    assert found["status"]["containerStatuses"][0]["restartCount"] == 0


def test_pods_of_a_node_that_is_gone_go_after_it(two):
    two.apply(pod("web", **on("node-1")))
    two.pass_time(10)
    two.client.delete("v1", "Node", "node-1")
    two.pass_time(30)
    assert names(two) == ["web"]
    two.pass_time(20)
    assert names(two) == []


def test_a_node_made_by_hand_is_as_its_maker_says(two):
    by_hand = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "by-hand"}}
    two.client.create(by_hand)
    made = node(two, "by-hand")
    ready = {"type": "Ready", "status": "True", "reason": "Mine", "message": ""}
    two.client.replace_status({**made, "status": {**made["status"], "conditions": [ready]}})
    two.pass_time(600)
    assert condition(node(two, "by-hand"))["status"] == "True"
