"""What the controllers and the nodes make of it."""

import pytest

IMAGE = "nginx:1.27"


@pytest.fixture
def deployment(namespace):
    def build(*, image=IMAGE, replicas=2):
        container = {"name": "web", "image": image, "ports": [{"containerPort": 80}]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
            },
        }

    return build


def available(count):
    def condition(deployment):
        status = deployment.get("status", {})
        observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        counts = (status.get("availableReplicas"), status.get("updatedReplicas"), status.get("replicas"))
        return observed and counts == (count, count, count)

    return condition


def test_a_deployment_becomes_available_through_a_replica_set_and_pods(
    cluster, namespace, deployment, reaches
):
    cluster.create(deployment())
    reaches("apps/v1", "Deployment", "web", available(2))
    (replica_set,) = cluster.list("apps/v1", "ReplicaSet", namespace)
    pods = cluster.list("v1", "Pod", namespace, label_selector="app=web")
    assert len(pods) == 2
    assert {p["metadata"]["ownerReferences"][0]["uid"] for p in pods} == {replica_set["metadata"]["uid"]}
    assert all(p["status"]["phase"] == "Running" and p["status"]["podIP"] for p in pods)


def test_a_new_template_is_rolled_out_and_the_old_replica_set_is_kept(
    cluster, namespace, deployment, reaches
):
    cluster.create(deployment(replicas=1))
    reaches("apps/v1", "Deployment", "web", available(1))
    cluster.apply(deployment(image="nginx:1.26", replicas=1), field_manager="gitops", force=True)
    reaches("apps/v1", "Deployment", "web", available(1))
    sets = cluster.list("apps/v1", "ReplicaSet", namespace)
    assert sorted(s["spec"]["replicas"] for s in sets) == [0, 1]


def test_a_pod_that_is_deleted_comes_back(cluster, namespace, deployment, reaches):
    cluster.create(deployment(replicas=1))
    reaches("apps/v1", "Deployment", "web", available(1))
    (pod,) = cluster.list("v1", "Pod", namespace)
    cluster.delete("v1", "Pod", pod["metadata"]["name"], namespace, grace_period_seconds=0)
    reaches("v1", "Pod", pod["metadata"]["name"], None)
    reaches("apps/v1", "Deployment", "web", available(1))
    (successor,) = cluster.list("v1", "Pod", namespace)
    assert successor["metadata"]["uid"] != pod["metadata"]["uid"]


def test_deleting_a_deployment_takes_its_pods_along(cluster, namespace, deployment, reaches):
    cluster.create(deployment(replicas=1))
    reaches("apps/v1", "Deployment", "web", available(1))
    (pod,) = cluster.list("v1", "Pod", namespace)
    cluster.delete("apps/v1", "Deployment", "web", namespace, propagation_policy="Foreground")
    reaches("apps/v1", "Deployment", "web", None)
    assert cluster.list("apps/v1", "ReplicaSet", namespace).items == []
    reaches("v1", "Pod", pod["metadata"]["name"], None)


def test_an_image_that_is_not_there_is_told_by_the_pod(cluster, namespace, reaches):
    container = {"name": "web", "image": "no-such-registry.invalid/nothing:1"}
    metadata = {"name": "web", "namespace": namespace}
    cluster.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
    )

    def backing_off(pod):
        statuses = pod.get("status", {}).get("containerStatuses", [])
        return any(
            s.get("state", {}).get("waiting", {}).get("reason") == "ImagePullBackOff" for s in statuses
        )

    reaches("v1", "Pod", "web", backing_off)
    events = cluster.list("v1", "Event", namespace, field_selector="involvedObject.name=web")
    assert "Failed" in {event["reason"] for event in events}


def test_an_application_is_asked_through_its_service(cluster, namespace, deployment, reaches):
    cluster.create(deployment(replicas=1))
    cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }
    )
    reaches("apps/v1", "Deployment", "web", available(1))
    reaches("v1", "Endpoints", "web", lambda endpoints: endpoints.get("subsets"))
    answer = cluster.proxy(namespace, "web")
    assert answer.status == 200
    assert "nginx" in answer.text.lower()


def test_a_pods_log_can_be_read(cluster, namespace, deployment, reaches):
    cluster.create(deployment(replicas=1))
    reaches("apps/v1", "Deployment", "web", available(1))
    (pod,) = cluster.list("v1", "Pod", namespace)
    assert isinstance(cluster.logs(namespace, pod["metadata"]["name"], tail_lines=5), str)


def test_a_namespace_goes_with_all_that_is_in_it(cluster, namespace, config, reaches):
    cluster.create(config())
    cluster.delete("v1", "Namespace", namespace)
    reaches("v1", "Namespace", namespace, None, where=None)
    assert cluster.find("v1", "ConfigMap", "settings", namespace) is None
