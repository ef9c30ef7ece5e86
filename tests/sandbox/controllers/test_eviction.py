"""Evictions: what ``kubectl drain`` asks for, and when the answer is no."""

from __future__ import annotations

import pytest
from simulation import pod, workload

from labkit.errors import TooManyRequests


def budget(name="web", **spec):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


@pytest.fixture
def web(simulation):
    """Two pods that are ready."""
    simulation.apply(workload("Deployment", "web", replicas=2))
    simulation.pass_time(5)
    return simulation


def names(simulation):
    return [one["metadata"]["name"] for one in simulation.pods(app="web")]


def causes(error):
    return [cause["message"] for cause in error.value.details["causes"]]


def test_a_pod_that_is_evicted_says_so_and_goes(web):
    name = names(web)[0]
    web.client.evict("default", name)
    (said,) = [c for c in web.get("Pod", name)["status"]["conditions"] if c["type"] == "DisruptionTarget"]
    assert (said["status"], said["reason"]) == ("True", "EvictionByEvictionAPI")
    web.pass_time(60)
    assert name not in names(web)
    assert len(names(web)) == 2


def test_a_budget_without_room_says_what_it_needs(web):
    web.apply(budget(minAvailable=2))
    web.pass_time(5)
    with pytest.raises(TooManyRequests) as error:
        web.client.evict("default", names(web)[0])
    assert causes(error) == ["The disruption budget web needs 2 healthy pods and has 2 currently"]
    web.pass_time(60)
    assert not any("deletionTimestamp" in one["metadata"] for one in web.pods(app="web"))


def test_a_budget_that_was_not_looked_at_yet_says_later(web):
    web.client.create({**budget(minAvailable=1), "metadata": {"name": "web", "namespace": "default"}})
    with pytest.raises(TooManyRequests) as error:
        web.client.evict("default", names(web)[0])
    assert causes(error) == ["The disruption budget web is still being processed by the server."]
    assert error.value.details["retryAfterSeconds"] == 10


def test_the_last_one_that_may_go_uses_up_the_budget_at_once(web):
    web.apply(budget(minAvailable=1))
    web.pass_time(5)
    first, second = names(web)
    web.client.evict("default", first)
    status = web.get("PodDisruptionBudget", "web", "policy/v1")["status"]
    assert status["disruptionsAllowed"] == 0
    assert status["conditions"][0]["reason"] == "InsufficientPods"
    with pytest.raises(TooManyRequests):
        web.client.evict("default", second)


def test_a_pod_that_has_ended_needs_no_budget(simulation):
    simulation.apply(pod("web", image="busybox", restartPolicy="Never", container={"command": ["true"]}))
    simulation.apply(budget(minAvailable=1))
    simulation.pass_time(10)
    simulation.client.evict("default", "web")
    simulation.pass_time(5)
    assert simulation.pods() == []
