"""What a node does for a Pod, on a clock that is turned by hand."""

from __future__ import annotations

import pytest
from simulation import pod

from labkit.errors import NotFound

PROBE = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5, "failureThreshold": 2}


def condition(obj, type_):
    return next(c["status"] for c in obj["status"]["conditions"] if c["type"] == type_)


def state(obj, container=0):
    return obj["status"]["containerStatuses"][container]


def test_a_pod_is_placed_pulled_started_and_ready(simulation):
    simulation.apply(pod("web"))
    simulation.pass_time(3)
    found = simulation.get("Pod", "web")
    assert found["spec"]["nodeName"] == "node-1"
    assert found["status"]["phase"] == "Running"
    assert condition(found, "Ready") == "True"
    assert state(found)["started"] is True
    assert found["status"]["podIP"]
    assert simulation.events("web") == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]


def test_an_image_that_is_on_the_node_is_not_pulled_again(simulation):
    simulation.apply(pod("one", "nginx:1.27"))
    simulation.pass_time(3)
    simulation.apply(pod("two", "nginx:1.27"))
    simulation.pass_time(3)
    assert "Pulling" not in simulation.events("two")
    assert "Pulled" in simulation.events("two")


def test_an_image_that_does_not_exist_is_tried_again_with_growing_pauses(simulation):
    simulation.apply(pod("web", "nginx:does-not-exist"))
    simulation.pass_time(0.5)
    assert state(simulation.get("Pod", "web"))["state"]["waiting"]["reason"] == "ErrImagePull"
    simulation.pass_time(5)
    waiting = state(simulation.get("Pod", "web"))["state"]["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert "does-not-exist" in waiting["message"]
    assert simulation.get("Pod", "web")["status"]["phase"] == "Pending"
    tries = simulation.events("web").count("Pulling")
    simulation.pass_time(600)
    event = next(
        e for e in simulation.client.list("v1", "Event", "default").items if e["reason"] == "Pulling"
    )
    assert tries <= event.get("count", 1) < 10  # minutes between them, by then


def test_a_container_that_ends_is_started_again_with_back_off(simulation):
    simulation.apply(pod("web", "gitops-lab/crash:1.0"))
    simulation.pass_time(4)
    found = state(simulation.get("Pod", "web"))
    assert found["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert found["restartCount"] == 1
    simulation.pass_time(60)
    found = state(simulation.get("Pod", "web"))
    assert 2 <= found["restartCount"] <= 4
    assert found["lastState"]["terminated"]["exitCode"] == 1
    assert "BackOff" in simulation.events("web")


@pytest.mark.parametrize(
    ("policy", "command", "phase"),
    [
        ("Never", "exit 0", "Succeeded"),
        ("Never", "exit 3", "Failed"),
        ("OnFailure", "exit 0", "Succeeded"),
        ("OnFailure", "exit 3", "Running"),
        ("Always", "exit 0", "Running"),
    ],
)
def test_how_a_pod_ends(simulation, policy, command, phase):
    simulation.apply(
        pod("job", "busybox", restartPolicy=policy, container={"command": ["sh", "-c", command]})
    )
    simulation.pass_time(5)
    found = simulation.get("Pod", "job")
    assert found["status"]["phase"] == phase
    assert (state(found)["restartCount"] > 0) == (phase == "Running")


def test_init_containers_come_first_and_one_by_one(simulation):
    inits = [{"name": name, "image": "busybox", "command": ["sleep", "5"]} for name in ("one", "two")]
    simulation.apply(pod("web", initContainers=inits))
    simulation.pass_time(3)
    found = simulation.get("Pod", "web")
    assert "running" in found["status"]["initContainerStatuses"][0]["state"]
    assert "waiting" in found["status"]["initContainerStatuses"][1]["state"]
    assert state(found)["state"]["waiting"]["reason"] == "PodInitializing"
    assert condition(found, "Initialized") == "False"
    simulation.pass_time(15)
    found = simulation.get("Pod", "web")
    assert condition(found, "Initialized") == "True"
    assert condition(found, "Ready") == "True"


def test_a_failing_init_container_holds_the_pod(simulation):
    failing = {"name": "migrate", "image": "busybox", "command": ["sh", "-c", "exit 1"]}
    simulation.apply(pod("web", initContainers=[failing]))
    simulation.pass_time(20)
    found = simulation.get("Pod", "web")
    assert found["status"]["phase"] == "Pending"
    assert found["status"]["initContainerStatuses"][0]["restartCount"] >= 1


def test_readiness_is_asked_and_told(simulation):
    readiness = PROBE | {"httpGet": {"path": "/readyz", "port": 8080}}
    unready = {"env": [{"name": "READY", "value": "false"}], "readinessProbe": readiness}
    simulation.apply(pod("web", "gitops-lab/hello:1.0.0", container=unready))
    simulation.pass_time(30)
    found = simulation.get("Pod", "web")
    assert found["status"]["phase"] == "Running"
    assert condition(found, "Ready") == "False"
    assert state(found)["restartCount"] == 0
    assert "Unhealthy" in simulation.events("web")


def test_what_is_not_alive_is_restarted(simulation):
    dead = {"env": [{"name": "HEALTHY", "value": "false"}], "livenessProbe": PROBE}
    simulation.apply(pod("web", "gitops-lab/hello:1.0.0", container=dead))
    simulation.pass_time(60)
    assert state(simulation.get("Pod", "web"))["restartCount"] >= 1
    assert "Killing" in simulation.events("web")


def test_a_startup_probe_gives_time(simulation):
    slow = {
        "env": [{"name": "START_SECONDS", "value": "20"}],
        "livenessProbe": PROBE,
        "startupProbe": PROBE | {"failureThreshold": 10},
    }
    simulation.apply(pod("web", "gitops-lab/hello:1.0.0", container=slow))
    simulation.pass_time(12)
    assert state(simulation.get("Pod", "web"))["started"] is False
    simulation.pass_time(20)
    found = simulation.get("Pod", "web")
    assert state(found)["started"] is True
    assert state(found)["restartCount"] == 0


def test_a_deleted_pod_is_asked_to_end_and_goes(simulation):
    simulation.apply(pod("web"))
    simulation.pass_time(3)
    simulation.client.delete("v1", "Pod", "web", "default")
    simulation.settle()
    assert "deletionTimestamp" in simulation.get("Pod", "web")["metadata"]
    simulation.pass_time(5)
    with pytest.raises(NotFound):
        simulation.get("Pod", "web")
    assert "Killing" in simulation.events("web")


def test_who_does_not_listen_is_killed_when_the_grace_is_over(simulation):
    deaf = {"command": ["sh", "-c", "while true; do sleep 60; done"]}
    simulation.apply(pod("web", "busybox", container=deaf, terminationGracePeriodSeconds=20))
    simulation.pass_time(3)
    simulation.client.delete("v1", "Pod", "web", "default")
    simulation.pass_time(15)
    assert simulation.get("Pod", "web")
    simulation.pass_time(10)
    with pytest.raises(NotFound):
        simulation.get("Pod", "web")


def test_a_config_map_that_is_missing_is_waited_for(simulation):
    wants = {"envFrom": [{"configMapRef": {"name": "settings"}}]}
    simulation.apply(pod("web", container=wants))
    simulation.pass_time(5)
    waiting = state(simulation.get("Pod", "web"))["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    assert 'configmap "settings" not found' in waiting["message"]
    simulation.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"A": "1"}}
    )
    simulation.pass_time(30)
    assert condition(simulation.get("Pod", "web"), "Ready") == "True"


def test_a_pod_that_nobody_can_place_says_why(simulation):
    huge = {"resources": {"requests": {"cpu": "1000"}}}
    simulation.apply(pod("web", container=huge))
    simulation.pass_time(3)
    found = simulation.get("Pod", "web")
    assert found["status"]["phase"] == "Pending"
    scheduled = next(c for c in found["status"]["conditions"] if c["type"] == "PodScheduled")
    assert "Insufficient cpu" in scheduled["message"]
    assert "FailedScheduling" in simulation.events("web")


def test_nodes_made_by_hand_and_pods_of_another_scheduler_are_left_alone(simulation):
    simulation.client.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "mine"}})
    simulation.apply(pod("there", nodeName="mine"))
    simulation.apply(pod("elsewhere", schedulerName="my-scheduler"))
    simulation.pass_time(30)
    assert simulation.get("Pod", "there")["status"]["phase"] == "Pending"
    assert "nodeName" not in simulation.get("Pod", "elsewhere")["spec"]


def test_a_cluster_where_nothing_happens_writes_only_its_heartbeat(simulation):
    simulation.apply(pod("web"))
    simulation.pass_time(5)
    before = simulation.version()
    simulation.pass_time(60)
    assert simulation.version() - before <= 8  # the node's lease, each ten seconds
