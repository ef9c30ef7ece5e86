"""Load, autoscaling and drains, as a trainee watches them with kubectl; thirty times as fast."""

from __future__ import annotations

import json

from .conftest import until


def replicas(kubectl):
    return int(kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"))


def test_load_makes_more_pods_and_quiet_makes_fewer(fast_kubectl):
    kubectl = fast_kubectl
    kubectl("create", "deployment", "web", "--image=registry.k8s.io/hpa-example", "--port=80")
    kubectl("set", "resources", "deployment", "web", "--requests=cpu=200m")
    kubectl("expose", "deployment", "web")
    kubectl("autoscale", "deployment", "web", "--cpu-percent=50", "--min=1", "--max=5")
    kubectl("create", "deployment", "load", "--image=gitops-lab/load:1.0")
    kubectl("set", "env", "deployment/load", "TARGET=http://web", "RATE=20")
    until(lambda: replicas(kubectl) >= 3)
    head, row = (line.split() for line in kubectl("get", "hpa", "web").splitlines())
    assert head == ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS", "REPLICAS", "AGE"]
    assert row[1:3] == ["Deployment/web", "cpu:"]
    assert row[3].endswith("%/50%")
    kubectl("delete", "deployment", "load")
    until(lambda: replicas(kubectl) == 1)
    told = kubectl("describe", "hpa", "web")
    assert "reason: cpu resource utilization (percentage of request) above target" in told
    assert "reason: All metrics below target" in told
    first = json.loads(kubectl("get", "horizontalpodautoscalers.v1.autoscaling", "web", "-o", "json"))
    assert (first["apiVersion"], first["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 50)


def test_what_scales_a_custom_resource_scales_what_stands_behind_it(fast_kubectl):
    """An autoscaler knows nothing of a kind but its scale."""
    kubectl = fast_kubectl
    replicas = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    status = {
        "type": "object",
        "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}},
    }
    schema = {"type": "object", "properties": {"spec": replicas, "status": status}}
    paths = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    version = {
        "name": "v1", "served": True, "storage": True,
        "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}, "scale": paths},
    }  # fmt: skip
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "fleets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "versions": [version],
            "names": {"kind": "Fleet", "plural": "fleets", "singular": "fleet"},
        },
    }  # fmt: skip
    kubectl("apply", "-f", "-", stdin=json.dumps(crd))
    kubectl("wait", "--for=condition=Established", "crd/fleets.example.com", "--timeout=30s")
    fleet = {
        "apiVersion": "example.com/v1",
        "kind": "Fleet",
        "metadata": {"name": "web"},
        "spec": {"replicas": 1},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(fleet))
    kubectl("patch", "fleet", "web", "--subresource=status", "--type=merge",
            "-p", '{"status":{"replicas":1,"selector":"app=web"}}')  # fmt: skip
    kubectl("run", "web", "--image=gitops-lab/load:1.0", "--labels=app=web")
    target = {"type": "AverageValue", "averageValue": "200m"}
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "example.com/v1", "kind": "Fleet", "name": "web"},
            "maxReplicas": 4,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(scaler))
    wanted = "jsonpath={.spec.replicas}"
    until(lambda: int(kubectl("get", "fleet", "web", "-o", wanted)) > 1)


def test_a_drain_hears_why_a_pod_may_not_go(fast_kubectl):
    kubectl = fast_kubectl
    kubectl("create", "deployment", "shop", "--image=nginx:1.27")
    kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
    kubectl("create", "pdb", "one", "--selector=app=shop", "--min-available=1")
    drain = ("drain", "node-1", "--pod-selector=app=shop", "--timeout=2s")
    try:
        until(lambda: kubectl("get", "pdb", "one", "-o", "jsonpath={.status.expectedPods}") == "1")
        assert "would violate the pod's disruption budget" in kubectl(*drain, fails=True)
        kubectl("create", "pdb", "two", "--selector=app=shop", "--min-available=1")
        assert "This pod has more than one PodDisruptionBudget" in kubectl(*drain, fails=True)
        kubectl("delete", "pdb", "one", "two")
        kubectl(*drain[:-1], "--timeout=30s")
    finally:
        kubectl("uncordon", "node-1")
    kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
