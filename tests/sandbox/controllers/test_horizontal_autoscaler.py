"""HorizontalPodAutoscaler: what it does under load, how fast, and what it says when it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from simulation import pod, workload

from labkit.errors import Invalid
from labkit.sandbox.controllers.replica_calculator import (
    NoProposal,
    Sample,
    Tolerances,
    plain,
    utilization,
)
from labkit.sandbox.controllers.scaling_behavior import Memory, limited, stabilized

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AGO = "2029-12-31T23:00:00Z"


def autoscaler(*metrics, name="web", **spec):
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "maxReplicas": 10,
            "metrics": list(metrics) or [cpu(50)],
            **spec,
        },
    }


def cpu(percent):
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


@pytest.fixture
def web(simulation):
    """A Service of one replica that asks for a tenth of a processor, and a minute of quiet."""
    container = {
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "100m"}},
    }
    simulation.apply(workload("Deployment", "web", "gitops-lab/hello:1.0", replicas=1, container=container))
    simulation.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }
    )
    simulation.pass_time(60)
    return simulation


def load(rate=50):
    env = [{"name": "TARGET", "value": "http://web/"}, {"name": "RATE", "value": str(rate)}]
    return pod("load", "gitops-lab/load:1.0", container={"env": env})


def replicas(simulation):
    return simulation.get("Deployment", "web", "apps/v1")["spec"]["replicas"]


def said(simulation, name="web"):
    status = simulation.get("HorizontalPodAutoscaler", name, "autoscaling/v2")["status"]
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


def test_load_scales_up_and_quiet_scales_down_after_five_minutes(web):
    web.apply(autoscaler())
    web.apply(load())
    web.pass_time(120)
    assert (
        replicas(web) == 6
    )  # 250m of work, 100m requested, 50 % wanted: at most twice at a time, then enough
    status = web.get("HorizontalPodAutoscaler", "web", "autoscaling/v2")["status"]
    assert status["currentMetrics"][0]["resource"]["current"] == {
        "averageUtilization": 43,
        "averageValue": "43m",
    }
    web.client.delete("v1", "Pod", "load", "default")
    web.pass_time(200)
    assert replicas(web) == 6
    assert said(web)["AbleToScale"] == ("True", "ScaleDownStabilized")
    web.pass_time(200)
    assert replicas(web) == 1


def test_an_event_tells_each_change_and_why(web):
    web.apply(autoscaler())
    web.apply(load())
    web.pass_time(60)
    found = {
        event["message"]
        for event in web.client.list("v1", "Event", "default").items
        if event["reason"] == "SuccessfulRescale"
    }
    assert "New size: 4; reason: cpu resource utilization (percentage of request) above target" in found


def test_policies_of_the_behavior_set_the_pace(web):
    slow = {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}
    web.apply(autoscaler(behavior={"scaleUp": slow}))
    web.apply(load())
    seen = []
    for _ in range(4):
        web.pass_time(60)
        seen.append(replicas(web))
    assert [after - before for before, after in pairwise(seen)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("change", "count"), [({"minReplicas": 3}, 3), ({"minReplicas": 2, "maxReplicas": 2}, 2)]
)
def test_the_limits_hold_whatever_the_load(web, change, count):
    web.apply(autoscaler(**change))
    web.pass_time(16)
    assert replicas(web) == count


def test_the_maximum_is_a_reason(web):
    web.apply(autoscaler(maxReplicas=2))
    web.apply(load())
    web.pass_time(90)
    assert replicas(web) == 2
    assert said(web)["ScalingLimited"] == ("True", "TooManyReplicas")


def test_nothing_is_scaled_that_somebody_set_to_zero(web):
    web.apply(autoscaler())
    web.client.patch("apps/v1", "Deployment", "web", "default", patch={"spec": {"replicas": 0}})
    web.pass_time(40)
    assert replicas(web) == 0
    assert said(web)["ScalingActive"] == ("False", "ScalingDisabled")


def test_a_container_of_its_own_can_be_measured(web):
    target = {"type": "AverageValue", "averageValue": "100m"}
    metric = {
        "type": "ContainerResource",
        "containerResource": {"name": "cpu", "container": "main", "target": target},
    }
    web.apply(autoscaler(metric))
    web.apply(load())
    web.pass_time(120)
    assert replicas(web) == 3
    status = web.get("HorizontalPodAutoscaler", "web", "autoscaling/v2")["status"]
    assert status["currentMetrics"][0]["containerResource"]["container"] == "main"


@pytest.mark.parametrize(
    ("spec", "reason", "message"),
    [
        (
            {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"}},
            "FailedGetScale",
            'deployments.apps "gone" not found',
        ),
        (
            {"scaleTargetRef": {"apiVersion": "shop/v1", "kind": "Basket", "name": "web"}},
            "FailedGetScale",
            'no matches for kind "Basket" in group "shop"',
        ),
        (
            {
                "metrics": [
                    {
                        "type": "Pods",
                        "pods": {
                            "metric": {"name": "hits"},
                            "target": {"type": "AverageValue", "averageValue": "10"},
                        },
                    }
                ]
            },
            "FailedGetPodsMetric",
            "unable to get metric hits: unable to fetch metrics from custom metrics API: no custom metrics API",
        ),
        (
            {
                "metrics": [
                    {
                        "type": "External",
                        "external": {
                            "metric": {"name": "queue"},
                            "target": {"type": "AverageValue", "averageValue": "10"},
                        },
                    }
                ]
            },
            "FailedGetExternalMetric",
            "failed to get queue external metric: unable to get external metric default/queue/nil: unable to",
        ),
    ],
)
def test_what_cannot_be_measured_is_said(web, spec, reason, message):
    web.apply(autoscaler(**spec))
    web.pass_time(16)
    assert reason in {one for _, one in said(web).values()}
    events = web.client.list("v1", "Event", "default").items
    assert any(e["reason"] == reason and e["message"].startswith(message) for e in events)


def test_a_container_that_requests_nothing_has_no_share(web):
    web.apply(workload("Deployment", "idle", "gitops-lab/hello:1.0", replicas=1))
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "idle"}
    web.apply(autoscaler(name="idle", scaleTargetRef=ref))
    web.pass_time(60)
    conditions = web.get("HorizontalPodAutoscaler", "idle", "autoscaling/v2")["status"]["conditions"]
    assert "missing request for cpu in container main of Pod idle-" in conditions[-1]["message"]


def test_two_for_the_same_pods_are_one_too_many(web):
    web.apply(autoscaler(name="one"))
    web.apply(autoscaler(name="two"))
    web.pass_time(40)
    assert said(web, "one")["ScalingActive"] == ("False", "AmbiguousSelector")


def test_one_at_rest_writes_nothing(web):
    web.apply(autoscaler())
    web.pass_time(60)
    before = web.get("HorizontalPodAutoscaler", "web", "autoscaling/v2")["metadata"]["resourceVersion"]
    web.pass_time(120)
    after = web.get("HorizontalPodAutoscaler", "web", "autoscaling/v2")["metadata"]["resourceVersion"]
    assert after == before


def test_v1_shows_in_annotations_what_it_has_no_field_for(web):
    memory = {"type": "AverageValue", "averageValue": "64Mi"}
    metric = {"type": "Resource", "resource": {"name": "memory", "target": memory}}
    made = web.apply(autoscaler(cpu(50), metric, behavior={"scaleDown": {"selectPolicy": "Disabled"}}))
    old = web.get("HorizontalPodAutoscaler", "web", "autoscaling/v1")
    assert old["spec"]["targetCPUUtilizationPercentage"] == 50
    notes = old["metadata"]["annotations"]
    assert '"targetAverageValue":"64Mi"' in notes["autoscaling.alpha.kubernetes.io/metrics"]
    assert '"SelectPolicy":"Disabled"' in notes["autoscaling.alpha.kubernetes.io/behavior"]
    web.client.replace(old)
    new = web.get("HorizontalPodAutoscaler", "web", "autoscaling/v2")
    assert new["spec"] == made["spec"]
    assert "annotations" not in new["metadata"]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"metrics": [{"type": "Resource"}]}, "spec.metrics[0].resource"),
        ({"metrics": [cpu(0)]}, "spec.metrics[0].resource.target.averageUtilization"),
        (
            {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 4000}}},
            "spec.behavior.scaleUp.stabilizationWindowSeconds",
        ),
        (
            {"behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 5}]}}},
            "spec.behavior.scaleDown.policies[0].value",
        ),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(simulation, spec, field):
    with pytest.raises(Invalid) as caught:
        simulation.client.create({**autoscaler(**spec), "metadata": {"name": "web", "namespace": "default"}})
    assert field in [cause["field"] for cause in caught.value.details["causes"]]


# ── the arithmetic ────────────────────────────────────────────────────────────


def running(name, *, ready="True", phase="Running", since=AGO, began=AGO, request="1"):
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": since}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": request}}}]},
        "status": {"phase": phase, "startTime": began, "conditions": [condition]},
    }


def used(*values):
    return {f"p{n}": Sample(value, NOW, timedelta(seconds=15)) for n, value in enumerate(values)}


def wanted(samples, found, target=50, current=None):
    count = len(found) if current is None else current
    return utilization(count, target, found, samples, ("", "cpu"), Tolerances(), NOW).replicas


def test_within_a_tenth_nothing_changes():
    found = [running("p0"), running("p1")]
    assert wanted(used(540, 560), found) == 2
    assert wanted(used(560, 560), found) == 3


def test_a_pod_without_metrics_is_idle_on_the_way_up_and_busy_on_the_way_down():
    found = [running("p0"), running("p1"), running("p2")]
    assert wanted(used(1000, 1000), found) == 4  # 200 % of two, 0 of the third: 133 % of three
    assert wanted(used(200, 200), found) == 3  # 100 % guessed for the third: no reason to go down


def test_a_pod_that_is_starting_counts_as_idle_on_the_way_up():
    just_now = "2029-12-31T23:59:55Z"
    found = [running("p0"), running("p1", since=just_now, began=just_now)]
    assert wanted(used(1000, 5000), found) == 2
    found = [running("p0"), running("p1", phase="Pending")]
    assert wanted(used(2000), found) == 4


def test_pods_that_failed_or_go_do_not_count():
    found = [running("p0"), running("p1", phase="Failed")]
    assert wanted(used(1000, 9000), found, current=1) == 2


def test_an_average_amount_needs_no_request():
    found = [running("p0"), running("p1")]
    assert plain(2, 500, found, used(1000, 2000), "cpu", Tolerances(), NOW).replicas == 6


def test_no_ready_pod_says_nothing():
    with pytest.raises(NoProposal, match="did not receive metrics"):
        wanted(used(), [running("p0")])
    with pytest.raises(NoProposal, match="no pods returned by selector"):
        wanted(used(), [])


# ── the pace ──────────────────────────────────────────────────────────────────


def rules(**said):
    return {"selectPolicy": "Max", "policies": [], **said}


def test_of_several_policies_the_largest_change_counts_or_the_smallest_if_asked():
    policies = [
        {"type": "Pods", "value": 4, "periodSeconds": 60},
        {"type": "Percent", "value": 10, "periodSeconds": 60},
    ]
    for select, up, down in (("Max", 14, 6), ("Min", 11, 9), ("Disabled", 10, 10)):
        both = {name: rules(policies=policies, selectPolicy=select) for name in ("scaleUp", "scaleDown")}
        assert limited(Memory(), both, NOW, 10, 40, (1, 50)).replicas == up
        assert limited(Memory(), both, NOW, 10, 1, (1, 50)).replicas == down


def test_a_policy_counts_what_was_done_in_its_period():
    policy = rules(policies=[{"type": "Pods", "value": 4, "periodSeconds": 60}])
    behavior = {"scaleUp": policy, "scaleDown": policy}
    memory = Memory()
    memory.scaled(NOW, behavior, 10, 13)
    soon, later = NOW + timedelta(seconds=30), NOW + timedelta(seconds=61)
    assert limited(memory, behavior, soon, 13, 40, (1, 50)).replicas == 14
    assert limited(memory, behavior, later, 13, 40, (1, 50)).replicas == 17


def test_a_window_takes_the_most_careful_recommendation_of_its_time():
    behavior = {
        "scaleUp": rules(stabilizationWindowSeconds=60),
        "scaleDown": rules(stabilizationWindowSeconds=60),
    }
    memory = Memory()
    memory.begin(NOW, 5)
    assert stabilized(memory, behavior, NOW + timedelta(seconds=15), 5, 9).replicas == 5
    assert stabilized(memory, behavior, NOW + timedelta(seconds=61), 5, 8).replicas == 8
    assert stabilized(memory, behavior, NOW + timedelta(seconds=70), 8, 2).replicas == 8
