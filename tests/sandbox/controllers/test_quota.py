"""ResourceQuota and LimitRange: what is refused, what is filled in, and what the status counts."""

from __future__ import annotations

import pytest
from simulation import pod, workload

from labkit.errors import ApiError, Forbidden


def quota(**spec):
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "all"}, "spec": spec}


def limit_range(**item):
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bounds"},
        "spec": {"limits": [{"type": "Container", **item}]},
    }


def resources(**said):
    """``requests_cpu="1"`` → requests: {cpu: 1}."""
    found = {}
    for name, value in said.items():
        kind, _, resource = name.partition("_")
        found.setdefault(kind, {})[resource] = value
    return {"container": {"resources": found}}


def used(simulation):
    simulation.settle()
    return simulation.get("ResourceQuota", "all")["status"]["used"]


def test_what_is_used_is_counted_as_it_comes_and_goes(simulation):
    hard = {"pods": "5", "requests.memory": "1Gi", "requests.cpu": "2", "count/deployments.apps": "3"}
    simulation.apply(quota(hard=hard))
    said = resources(requests_memory="128Mi", requests_cpu="250m")
    simulation.apply(workload("Deployment", "web", replicas=2, **said))
    assert used(simulation) == {
        "pods": "2",
        "requests.memory": "256Mi",
        "requests.cpu": "500m",
        "count/deployments.apps": "1",
    }
    simulation.client.delete("apps/v1", "Deployment", "web", "default")
    simulation.pass_time(40)
    assert used(simulation) == dict.fromkeys(hard, "0")


def test_a_pod_that_ended_uses_nothing(simulation):
    simulation.apply(quota(hard={"pods": "1", "count/pods": "5"}))
    simulation.apply(pod("once", "busybox", restartPolicy="Never", container={"command": ["true"]}))
    simulation.pass_time(20)
    assert used(simulation) == {"pods": "0", "count/pods": "0"}
    simulation.apply(pod("next"))


def test_services_and_claims_count_by_their_kind(simulation):
    hard = {
        "services.nodeports": "3",
        "requests.storage": "5Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "2Gi",
    }
    simulation.apply(quota(hard=hard))
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "ports": ports},
    }
    simulation.apply(service)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "2Gi"}},
        },
    }
    simulation.apply(claim)
    assert set(used(simulation).items()) == {
        ("services.nodeports", "2"),
        ("requests.storage", "2Gi"),
        ("fast.storageclass.storage.k8s.io/requests.storage", "2Gi"),
    }
    with pytest.raises(
        Forbidden, match=r"requested: services.nodeports=2,used: services.nodeports=2|exceeded quota"
    ):
        simulation.apply({**service, "metadata": {"name": "two"}})
    claim["metadata"]["name"] = "more"
    with pytest.raises(Forbidden, match=r"exceeded quota: all, requested: fast\.storageclass"):
        simulation.apply(claim)


def test_a_service_that_opens_ports_later_is_counted_then(simulation):
    simulation.apply(quota(hard={"services.nodeports": "0"}))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}]},
    }
    simulation.apply(service)
    service["spec"]["type"] = "NodePort"
    with pytest.raises(Forbidden, match=r"requested: services\.nodeports=1, used: services\.nodeports=0"):
        simulation.apply(service)


def test_where_processors_are_limited_every_container_says_how_much(simulation):
    simulation.apply(quota(hard={"requests.cpu": "1", "limits.memory": "1Gi"}))
    with pytest.raises(Forbidden) as caught:
        simulation.apply(pod("web"))
    assert caught.value.message == (
        'pods "web" is forbidden: failed quota: all: must specify limits.memory for: main; requests.cpu for: main'
    )


@pytest.mark.parametrize(
    ("scope", "counted"),
    [
        ({"scopes": ["BestEffort"]}, "1"),
        ({"scopes": ["NotBestEffort"]}, "0"),
        ({"scopes": ["Terminating"]}, "0"),
        ({"scopes": ["NotTerminating", "BestEffort"]}, "1"),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
                }
            },
            "0",
        ),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [
                        {"scopeName": "PriorityClass", "operator": "NotIn", "values": ["high"]}
                    ]
                }
            },
            "1",
        ),
    ],
)
def test_a_scope_says_which_pods_count(simulation, scope, counted):
    simulation.apply(quota(hard={"pods": "4"}, **scope))
    simulation.apply(pod("web"))
    assert used(simulation) == {"pods": counted}


def test_a_quota_at_rest_writes_nothing(simulation):
    simulation.apply(quota(hard={"pods": "4", "requests.memory": "0.5Gi"}))
    simulation.pass_time(5)
    before = simulation.get("ResourceQuota", "all")["metadata"]["resourceVersion"]
    simulation.pass_time(60)
    assert simulation.get("ResourceQuota", "all")["metadata"]["resourceVersion"] == before


def test_a_limit_range_fills_in_and_says_so(simulation):
    simulation.apply(limit_range(default={"cpu": "500m"}, defaultRequest={"cpu": "100m"}))
    made = simulation.apply(pod("web"))
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m"},
        "requests": {"cpu": "100m"},
    }
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu limit for container main; cpu request for container main"
    )


@pytest.mark.parametrize(
    ("item", "said", "message"),
    [
        ({"max": {"cpu": "1"}}, {"limits_cpu": "2"}, "maximum cpu usage per Container is 1, but limit is 2"),
        (
            {"min": {"memory": "64Mi"}},
            {"requests_memory": "32Mi"},
            "minimum memory usage per Container is 64Mi, but request is 32Mi",
        ),
        (
            {"type": "Pod", "max": {"memory": "100Mi"}},
            {"limits_memory": "128Mi"},
            "maximum memory usage per Pod is 100Mi, but limit is 128Mi",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests_cpu": "100m", "limits_cpu": "300m"},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
    ],
)
def test_a_limit_range_refuses(simulation, item, said, message):
    simulation.apply(limit_range(**item))
    with pytest.raises(Forbidden) as caught:
        simulation.apply(pod("web", **resources(**said)))
    assert caught.value.message == f'pods "web" is forbidden: {message}'


def test_a_claim_is_bounded_too(simulation):
    simulation.apply(limit_range(type="PersistentVolumeClaim", max={"storage": "1Gi"}))
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
    with pytest.raises(Forbidden) as caught:
        simulation.apply(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim}
        )
    assert caught.value.message == (
        'persistentvolumeclaims "data" is forbidden: '
        "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"
    )


def test_a_pod_with_two_budgets_cannot_be_evicted(simulation):
    simulation.apply(workload("Deployment", "web", replicas=2))
    for name in ("one", "two"):
        simulation.apply(
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": name},
                "spec": {"minAvailable": 0, "selector": {"matchLabels": {"app": "web"}}},
            }
        )
    simulation.pass_time(5)
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget") as caught:
        simulation.client.evict("default", simulation.pods(app="web")[0]["metadata"]["name"])
    assert caught.value.code == 500


def test_a_pod_that_is_not_ready_goes_without_the_budget(simulation):
    simulation.apply(
        workload(
            "Deployment",
            "web",
            "gitops-lab/unready:1.0",
            replicas=1,
            container={"readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}}},
        )
    )
    budget = {
        "minAvailable": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    simulation.apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web"},
            "spec": budget,
        }
    )
    simulation.pass_time(30)
    name = simulation.pods(app="web")[0]["metadata"]["name"]
    simulation.client.evict("default", name)
    assert simulation.get("Pod", name)["metadata"]["deletionTimestamp"]


def test_a_stateful_set_in_a_namespace_that_goes_is_quiet(simulation, caplog):
    simulation.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    simulation.apply(workload("StatefulSet", "db", "redis", replicas=2, serviceName="db"), "shop")
    simulation.pass_time(10)
    simulation.client.delete("v1", "Namespace", "shop")
    simulation.pass_time(60)
    assert simulation.client.find("v1", "Namespace", "shop") is None
    assert not [record for record in caplog.records if "StatefulSet" in record.name]
