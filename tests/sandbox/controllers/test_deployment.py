"""Deployments over time: how a rollout gets on, and when it is said that it does not."""

from __future__ import annotations

import pytest
from simulation import workload

BROKEN = "nginx:does-not-exist"


def deployment(image="nginx", **spec):
    return workload("Deployment", "web", image=image, **{"replicas": 2, **spec})


def progress(simulation):
    found = simulation.get("Deployment", "web", "apps/v1")["status"]["conditions"]
    return next((c["status"], c["reason"]) for c in found if c["type"] == "Progressing")


def counts(simulation):
    status = simulation.get("Deployment", "web", "apps/v1")["status"]
    return tuple(status.get(n, 0) for n in ("replicas", "updatedReplicas", "availableReplicas"))


@pytest.fixture
def web(simulation):
    """A Deployment whose first rollout is complete, and whose next has a minute."""
    simulation.apply(deployment(progressDeadlineSeconds=60))
    simulation.pass_time(10)
    assert progress(simulation) == ("True", "NewReplicaSetAvailable")
    return simulation


def test_a_rollout_that_stands_still_is_said_to_when_its_deadline_is_over(web):
    web.apply(deployment(BROKEN, progressDeadlineSeconds=60))
    web.pass_time(55)
    assert progress(web)[0] == "True"
    web.pass_time(15)
    assert progress(web) == ("False", "ProgressDeadlineExceeded")
    assert counts(web)[2] == 2, "the old pods go on serving"


def test_the_deadline_undoes_nothing_and_a_good_template_mends_it(web):
    web.apply(deployment(BROKEN, progressDeadlineSeconds=60))
    web.pass_time(300)
    assert progress(web) == ("False", "ProgressDeadlineExceeded")
    web.apply(deployment("nginx:1.27", progressDeadlineSeconds=60))
    web.pass_time(30)
    assert progress(web) == ("True", "NewReplicaSetAvailable")
    assert counts(web) == (2, 2, 2)


def test_each_step_forward_gives_the_deadline_anew(simulation):
    """Five pods, one after the other, each ready after 40 seconds: slow, but never late."""
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "initialDelaySeconds": 40, "periodSeconds": 1}
    spec = {
        "progressDeadlineSeconds": 60,
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "container": {"readinessProbe": probe},
        "replicas": 4,
    }
    simulation.apply(deployment("gitops-lab/hello:1.0.0", **spec))
    simulation.pass_time(60)
    simulation.apply(deployment("gitops-lab/hello:1.1.0", **spec))
    for _ in range(15):
        simulation.pass_time(10)
        assert progress(simulation)[0] == "True"
    simulation.pass_time(60)
    assert counts(simulation) == (4, 4, 4)


def test_a_paused_rollout_has_no_deadline(web):
    web.apply(deployment(BROKEN, progressDeadlineSeconds=60))
    web.pass_time(10)
    web.client.patch("apps/v1", "Deployment", "web", "default", patch={"spec": {"paused": True}})
    web.pass_time(600)
    assert progress(web) == ("Unknown", "DeploymentPaused")
    web.client.patch("apps/v1", "Deployment", "web", "default", patch={"spec": {"paused": None}})
    web.pass_time(50)
    assert progress(web)[1] != "ProgressDeadlineExceeded"
    web.pass_time(30)
    assert progress(web) == ("False", "ProgressDeadlineExceeded")


def test_a_complete_one_is_never_late(web):
    web.pass_time(600)
    for one in web.pods():
        web.client.delete("v1", "Pod", one["metadata"]["name"], "default")
    web.pass_time(5)
    assert progress(web) == ("True", "NewReplicaSetAvailable")


def test_what_a_quota_forbids_is_the_deployments_failure(simulation):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}}
    simulation.apply({**quota, "spec": {"hard": {"pods": "1"}}})
    simulation.apply(deployment(progressDeadlineSeconds=60))
    simulation.pass_time(90)
    found = simulation.get("Deployment", "web", "apps/v1")["status"]["conditions"]
    failure = next(c for c in found if c["type"] == "ReplicaFailure")
    assert failure["reason"] == "FailedCreate"
    assert "exceeded quota: few" in failure["message"]
    assert progress(simulation) == ("False", "ProgressDeadlineExceeded")
