"""PodDisruptionBudgets: what they count, and that an eviction asks them."""

from __future__ import annotations

import pytest
from simulation import pod, workload

from labkit.errors import TooManyRequests
from labkit.sandbox.apiserver.eviction import spend_budget


def budget(**spec):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


def counted(simulation):
    status = simulation.get("PodDisruptionBudget", "web", "policy/v1")["status"]
    return tuple(
        status[n] for n in ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (4, 2, 4, 2)),
        ({"minAvailable": "50%"}, (4, 2, 4, 2)),
        ({"minAvailable": "60%"}, (4, 3, 4, 1)),
        ({"maxUnavailable": 1}, (4, 3, 4, 1)),
        ({"maxUnavailable": "30%"}, (4, 2, 4, 2)),
        ({"minAvailable": 5}, (4, 5, 4, 0)),
    ],
)
def test_how_many_may_go(simulation, spec, expected):
    simulation.apply(workload("Deployment", "web", replicas=4))
    simulation.apply(budget(**spec))
    simulation.pass_time(5)
    assert counted(simulation) == expected


def test_pods_that_nobody_scales_have_no_percentage(simulation):
    simulation.apply({**pod("web")})
    simulation.apply(budget(maxUnavailable=1))
    simulation.pass_time(5)
    found = simulation.get("PodDisruptionBudget", "web", "policy/v1")["status"]
    assert found["conditions"][0]["reason"] == "SyncFailed"
    assert found["disruptionsAllowed"] == 0


def test_an_eviction_spends_the_budget_until_the_pod_came_back(simulation):
    simulation.apply(workload("Deployment", "web", replicas=2))
    simulation.apply(budget(minAvailable=1))
    simulation.pass_time(5)
    first, second = simulation.pods(app="web")
    spend_budget(simulation.api, first)
    with pytest.raises(TooManyRequests):
        spend_budget(simulation.api, second)
    simulation.client.delete("v1", "Pod", first["metadata"]["name"], "default")
    simulation.pass_time(40)
    assert counted(simulation) == (2, 1, 2, 1)
    spend_budget(simulation.api, second)


def test_a_budget_at_rest_writes_nothing(simulation):
    simulation.apply(workload("Deployment", "web", replicas=2))
    simulation.apply(budget(minAvailable=1))
    simulation.pass_time(10)
    before = simulation.get("PodDisruptionBudget", "web", "policy/v1")["metadata"]["resourceVersion"]
    simulation.pass_time(120)
    assert simulation.get("PodDisruptionBudget", "web", "policy/v1")["metadata"]["resourceVersion"] == before
