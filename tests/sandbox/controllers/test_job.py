"""Jobs: how often they try, how long they wait in between, and when they give up."""

from __future__ import annotations

from datetime import datetime

import pytest


def job(command, **spec):
    policy = spec.pop("restartPolicy", "Never")
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", command]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work"},
        "spec": {"template": {"spec": {"restartPolicy": policy, "containers": [container]}}, **spec},
    }


def status(simulation):
    return simulation.get("Job", "work", "batch/v1")["status"]


def said(simulation):
    """The conditions that are true, with their reasons."""
    return {c["type"]: c["reason"] for c in status(simulation).get("conditions", []) if c["status"] == "True"}


def births(simulation):
    """When each pod was made, in seconds after the first."""
    times = sorted(datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in simulation.pods())
    return [(moment - times[0]).total_seconds() for moment in times]


def test_each_failure_doubles_the_wait(simulation):
    simulation.apply(job("exit 1", backoffLimit=4))
    simulation.pass_time(300)
    gaps = [
        later - earlier for earlier, later in zip(births(simulation), births(simulation)[1:], strict=False)
    ]
    assert gaps == sorted(gaps)
    for gap, wait in zip(gaps, (10, 20, 40, 80), strict=True):
        assert wait <= gap < wait + 8, (
            "the wait begins when the pod has failed, and it needs a moment for that"
        )


def test_it_gives_up_at_its_limit(simulation):
    simulation.apply(job("exit 1", backoffLimit=2))
    simulation.pass_time(20)
    assert said(simulation) == {}
    simulation.pass_time(100)
    assert said(simulation) == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
    assert (status(simulation)["failed"], len(simulation.pods())) == (3, 3)
    assert simulation.events("work").count("SuccessfulCreate") == 3
    assert simulation.events("work")[-1] == "BackoffLimitExceeded"


def test_a_success_in_between_ends_the_waiting(simulation):
    """Only failures in a row count: whoever waits goes on when another pod has succeeded."""
    command = 'if [ "$JOB_COMPLETION_INDEX" = 0 ]; then exit 1; fi; sleep 5'
    simulation.apply(job(command, completions=2, parallelism=2, completionMode="Indexed"))
    simulation.pass_time(10)
    assert status(simulation)["succeeded"] == 1
    first, second, third = births(simulation)
    assert (first, second) == (0, 0)
    assert 5 <= third < 10


def test_containers_that_start_again_in_their_pod_count_too(simulation):
    simulation.apply(job("exit 1", backoffLimit=2, restartPolicy="OnFailure"))
    simulation.pass_time(5)
    assert len(simulation.pods()) == 1
    simulation.pass_time(300)
    assert said(simulation)["Failed"] == "BackoffLimitExceeded"


def test_a_deadline_ends_it_whatever_it_does(simulation):
    simulation.apply(job("sleep 600", activeDeadlineSeconds=60))
    simulation.pass_time(55)
    assert status(simulation)["active"] == 1
    simulation.pass_time(60)
    assert said(simulation) == {"FailureTarget": "DeadlineExceeded", "Failed": "DeadlineExceeded"}
    assert "active" not in status(simulation)


@pytest.mark.parametrize(("seconds", "there"), [(50, True), (70, False)])
def test_a_finished_one_goes_when_its_time_to_live_is_over(simulation, seconds, there):
    simulation.apply(job("true", ttlSecondsAfterFinished=60))
    simulation.pass_time(5)
    assert said(simulation)["Complete"] == "CompletionsReached"
    simulation.pass_time(seconds)
    assert (simulation.client.find("batch/v1", "Job", "work", "default") is not None) is there


def test_a_suspended_one_has_no_pods_and_begins_anew(simulation):
    simulation.apply(job("sleep 600", activeDeadlineSeconds=60))
    simulation.pass_time(40)
    simulation.client.patch("batch/v1", "Job", "work", "default", patch={"spec": {"suspend": True}})
    simulation.pass_time(60)
    assert simulation.pods() == []
    assert said(simulation) == {"Suspended": "JobSuspended"}
    simulation.client.patch("batch/v1", "Job", "work", "default", patch={"spec": {"suspend": False}})
    simulation.pass_time(40)
    assert status(simulation)["active"] == 1
    simulation.pass_time(60)
    assert said(simulation)["Failed"] == "DeadlineExceeded"
