"""Deletion of owners, and what becomes of what they own."""

from __future__ import annotations

import pytest
from simulation import workload

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def slices(simulation):
    return simulation.client.list("discovery.k8s.io/v1", "EndpointSlice", "default").items


def own(items):
    return [item for item in items if item["metadata"]["name"] != "kubernetes"]


@pytest.mark.parametrize("policy", ["Foreground", "Background"])
def test_a_service_goes_with_its_slices_and_then_it_is_quiet(simulation, policy):
    simulation.apply(workload("Deployment", "web", replicas=2))
    simulation.apply(SERVICE)
    simulation.pass_time(5)
    assert len(own(slices(simulation))) == 1
    simulation.client.delete("v1", "Service", "web", "default", propagation_policy=policy)
    simulation.pass_time(2)
    assert simulation.client.find("v1", "Service", "web", "default") is None
    assert own(slices(simulation)) == []
    before = simulation.version()
    simulation.settle()
    assert simulation.version() == before


@pytest.mark.parametrize(("policy", "left"), [("Foreground", 0), ("Background", 0), ("Orphan", 2)])
def test_a_deployments_pods(simulation, policy, left):
    simulation.apply(workload("Deployment", "web", replicas=2))
    simulation.pass_time(5)
    simulation.client.delete("apps/v1", "Deployment", "web", "default", propagation_policy=policy)
    simulation.pass_time(40)
    assert simulation.client.find("apps/v1", "Deployment", "web", "default") is None
    assert len(simulation.pods(app="web")) == left
    sets = simulation.client.list("apps/v1", "ReplicaSet", "default").items
    assert [one["metadata"].get("ownerReferences") for one in sets] == ([None] if left else [])


def test_in_the_foreground_the_owner_stays_until_all_are_gone(simulation):
    simulation.apply(workload("Deployment", "web", replicas=2))
    simulation.pass_time(5)
    simulation.client.delete("apps/v1", "Deployment", "web", "default", propagation_policy="Foreground")
    simulation.settle()
    found = simulation.get("Deployment", "web", "apps/v1")
    assert found["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert simulation.pods(app="web")
