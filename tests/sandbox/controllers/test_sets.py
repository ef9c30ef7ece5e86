"""StatefulSet, DaemonSet and ReplicationController, on a clock that is turned by hand."""

from __future__ import annotations

import pytest
from simulation import simulation as simulated
from simulation import workload


def names(pods):
    return [pod["metadata"]["name"] for pod in pods]


def images(pods):
    return [pod["spec"]["containers"][0]["image"] for pod in pods]


def change_image(simulation, kind, name, image, **spec):
    simulation.apply(workload(kind, name, image, **spec))


CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard"},
    "provisioner": "labkit.sandbox/volumes",
    "volumeBindingMode": "WaitForFirstConsumer",
}
CLAIMS = [
    {
        "metadata": {"name": "data"},
        "spec": {
            "storageClassName": "standard",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
]


# -- StatefulSet


def test_a_stateful_sets_pods_come_one_after_the_other(simulation):
    simulation.apply(workload("StatefulSet", "db", replicas=3, serviceName="db"))
    seen = []
    for _ in range(60):
        simulation.pass_time(0.1)
        found = names(simulation.pods(app="db"))
        if not seen or seen[-1] != found:
            seen.append(found)
    assert seen == [["db-0"], ["db-0", "db-1"], ["db-0", "db-1", "db-2"]]
    status = simulation.get("StatefulSet", "db", "apps/v1")["status"]
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (3, 3, 3)
    assert status["currentRevision"] == status["updateRevision"]


def test_in_parallel_they_come_together(simulation):
    simulation.apply(
        workload("StatefulSet", "db", replicas=3, serviceName="db", podManagementPolicy="Parallel")
    )
    simulation.settle()
    assert names(simulation.pods(app="db")) == ["db-0", "db-1", "db-2"]


def test_one_that_does_not_get_ready_holds_up_those_after_it(simulation):
    simulation.apply(workload("StatefulSet", "db", "nginx:does-not-exist", replicas=3, serviceName="db"))
    simulation.pass_time(60)
    assert names(simulation.pods(app="db")) == ["db-0"]


def test_the_highest_goes_first_and_a_name_comes_back(simulation):
    simulation.apply(workload("StatefulSet", "db", replicas=3, serviceName="db"))
    simulation.pass_time(10)
    simulation.client.delete("v1", "Pod", "db-1", "default")
    simulation.pass_time(10)
    assert names(simulation.pods(app="db")) == ["db-0", "db-1", "db-2"]
    simulation.apply(workload("StatefulSet", "db", replicas=1, serviceName="db"))
    simulation.pass_time(20)
    assert names(simulation.pods(app="db")) == ["db-0"]
    deleted = [m for m in simulation.events("db") if m == "SuccessfulDelete"]
    assert deleted


def test_a_new_template_is_rolled_out_from_the_last_to_the_partition(simulation):
    spec = {"replicas": 3, "serviceName": "db"}
    simulation.apply(workload("StatefulSet", "db", "nginx:1.26", **spec))
    simulation.pass_time(10)
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    change_image(simulation, "StatefulSet", "db", "nginx:1.27", updateStrategy=strategy, **spec)
    simulation.pass_time(30)
    assert images(simulation.pods(app="db")) == ["nginx:1.26", "nginx:1.27", "nginx:1.27"]
    status = simulation.get("StatefulSet", "db", "apps/v1")["status"]
    assert status["currentRevision"] != status["updateRevision"]
    assert (status["currentReplicas"], status["updatedReplicas"]) == (1, 2)
    change_image(
        simulation, "StatefulSet", "db", "nginx:1.27", updateStrategy={"type": "RollingUpdate"}, **spec
    )
    simulation.pass_time(30)
    assert images(simulation.pods(app="db")) == ["nginx:1.27"] * 3
    status = simulation.get("StatefulSet", "db", "apps/v1")["status"]
    assert status["currentRevision"] == status["updateRevision"]


def test_on_delete_waits_for_somebody_to_delete(simulation):
    spec = {"replicas": 2, "serviceName": "db", "updateStrategy": {"type": "OnDelete"}}
    simulation.apply(workload("StatefulSet", "db", "nginx:1.26", **spec))
    simulation.pass_time(10)
    change_image(simulation, "StatefulSet", "db", "nginx:1.27", **spec)
    simulation.pass_time(10)
    assert images(simulation.pods(app="db")) == ["nginx:1.26"] * 2
    simulation.client.delete("v1", "Pod", "db-0", "default")
    simulation.pass_time(10)
    assert images(simulation.pods(app="db")) == ["nginx:1.27", "nginx:1.26"]


def test_a_template_of_the_past_is_its_old_revision_again(simulation):
    spec = {"replicas": 1, "serviceName": "db"}
    for image in ("nginx:1.26", "nginx:1.27", "nginx:1.26"):
        change_image(simulation, "StatefulSet", "db", image, **spec)
        simulation.pass_time(20)
    found = simulation.client.list("apps/v1", "ControllerRevision", "default").items
    assert sorted(one["revision"] for one in found) == [2, 3]


def test_claims_are_made_bound_and_kept(simulation):
    simulation.client.create(CLASS)
    simulation.apply(workload("StatefulSet", "db", replicas=2, serviceName="db", volumeClaimTemplates=CLAIMS))
    simulation.pass_time(10)
    claims = simulation.client.list("v1", "PersistentVolumeClaim", "default").items
    assert sorted(names(claims)) == ["data-db-0", "data-db-1"]
    assert {claim["status"]["phase"] for claim in claims} == {"Bound"}
    assert len(simulation.pods(app="db")) == 2
    simulation.client.delete("apps/v1", "StatefulSet", "db", "default", propagation_policy="Foreground")
    simulation.pass_time(60)
    assert simulation.pods(app="db") == []
    assert len(simulation.client.list("v1", "PersistentVolumeClaim", "default").items) == 2


def test_a_container_mounts_what_a_claim_template_gives_its_pod(simulation):
    made = workload("StatefulSet", "db", replicas=1, serviceName="db", volumeClaimTemplates=CLAIMS)
    mounts = [{"name": "data", "mountPath": "/data"}]
    made["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = mounts
    simulation.client.create(CLASS)
    simulation.apply(made)
    simulation.pass_time(10)
    assert [pod["status"]["phase"] for pod in simulation.pods(app="db")] == ["Running"]


def test_a_pod_that_is_refused_is_told_of(simulation):
    made = workload("StatefulSet", "db", replicas=1, serviceName="db")
    made["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [
        {"name": "data", "mountPath": "/data"}
    ]
    simulation.apply(made)
    simulation.pass_time(10)
    assert simulation.pods(app="db") == []
    events = simulation.client.list("v1", "Event", "default").items
    assert any(e["reason"] == "FailedCreate" and 'Not found: "data"' in e["message"] for e in events)


@pytest.mark.parametrize(("policy", "left"), [("Retain", 2), ("Delete", 1)])
def test_claims_of_a_smaller_set(simulation, policy, left):
    simulation.client.create(CLASS)
    retention = {"persistentVolumeClaimRetentionPolicy": {"whenScaled": policy, "whenDeleted": "Retain"}}
    spec = {"serviceName": "db", "volumeClaimTemplates": CLAIMS} | retention
    simulation.apply(workload("StatefulSet", "db", replicas=2, **spec))
    simulation.pass_time(10)
    simulation.apply(workload("StatefulSet", "db", replicas=1, **spec))
    simulation.pass_time(30)
    assert len(simulation.client.list("v1", "PersistentVolumeClaim", "default").items) == left


# -- DaemonSet


@pytest.fixture
def three(tmp_path):
    with simulated(tmp_path, ("node-1", "node-2", "node-3")) as made:
        yield made


def test_a_daemon_runs_once_on_each_node(three):
    three.apply(workload("DaemonSet", "agent"))
    three.pass_time(5)
    assert sorted(pod["spec"]["nodeName"] for pod in three.pods(app="agent")) == [
        "node-1",
        "node-2",
        "node-3",
    ]
    status = three.get("DaemonSet", "agent", "apps/v1")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["numberAvailable"]) == (3, 3, 3)
    gone = three.pods(app="agent")[0]
    three.client.delete("v1", "Pod", gone["metadata"]["name"], "default")
    three.pass_time(10)
    assert len(three.pods(app="agent")) == 3


def test_a_daemon_goes_to_the_nodes_that_it_selects(three):
    three.client.patch("v1", "Node", "node-2", patch={"metadata": {"labels": {"disk": "ssd"}}})
    daemon = workload("DaemonSet", "agent")
    daemon["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    three.apply(daemon)
    three.pass_time(5)
    assert [pod["spec"]["nodeName"] for pod in three.pods(app="agent")] == ["node-2"]
    three.client.patch("v1", "Node", "node-2", patch={"metadata": {"labels": {"disk": None}}})
    three.pass_time(10)
    assert three.pods(app="agent") == []


def test_a_daemon_stays_away_from_tainted_nodes_but_not_from_cordoned_ones(three):
    three.client.patch("v1", "Node", "node-1", patch={"spec": {"unschedulable": True}})
    three.client.patch(
        "v1", "Node", "node-2", patch={"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}
    )
    three.settle()
    three.apply(workload("DaemonSet", "agent"))
    three.pass_time(5)
    assert sorted(pod["spec"]["nodeName"] for pod in three.pods(app="agent")) == ["node-1", "node-3"]


def test_daemons_are_replaced_one_at_a_time(three):
    three.apply(workload("DaemonSet", "agent", "nginx:1.26"))
    three.pass_time(5)
    change_image(three, "DaemonSet", "agent", "nginx:1.27")
    fewest = 3
    for _ in range(300):
        three.pass_time(0.1)
        status = three.get("DaemonSet", "agent", "apps/v1")["status"]
        fewest = min(fewest, status.get("numberAvailable", 0))
    assert images(three.pods(app="agent")) == ["nginx:1.27"] * 3
    assert fewest == 2
    assert three.get("DaemonSet", "agent", "apps/v1")["status"]["updatedNumberScheduled"] == 3


# -- ReplicationController


def test_a_replication_controller_keeps_its_number(simulation):
    old = workload("ReplicationController", "web", api_version="v1", replicas=2)
    old["spec"]["selector"] = {"app": "web"}
    simulation.apply(old)
    simulation.pass_time(5)
    assert len(simulation.pods(app="web")) == 2
    assert simulation.get("ReplicationController", "web")["status"]["readyReplicas"] == 2
    simulation.client.delete("v1", "Pod", names(simulation.pods(app="web"))[0], "default")
    simulation.pass_time(10)
    assert len(simulation.pods(app="web")) == 2


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_a_set_at_rest_writes_nothing(simulation, kind):
    spec = {"serviceName": "db", "replicas": 2} if kind == "StatefulSet" else {}
    simulation.apply(workload(kind, "db", **spec))
    simulation.pass_time(10)
    before = simulation.get(kind, "db", "apps/v1")["metadata"]["resourceVersion"]
    simulation.pass_time(120)
    assert simulation.get(kind, "db", "apps/v1")["metadata"]["resourceVersion"] == before
