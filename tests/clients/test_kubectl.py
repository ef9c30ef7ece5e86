"""What people do with kubectl on a cluster where things run."""

from __future__ import annotations

import json

import pytest


def test_a_rollout_its_history_and_the_way_back(kubectl):
    kubectl("create", "deployment", "web", "--image=nginx:1.27", "--replicas=2")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("set", "image", "deployment/web", "nginx=nginx:1.26")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    history = kubectl("rollout", "history", "deployment/web").split()
    assert history[-4:-2] == ["1", "<none>"]
    kubectl("rollout", "undo", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert kubectl("get", "deployment/web", "-o", image) == "nginx:1.27"
    kubectl("rollout", "pause", "deployment/web")
    kubectl("set", "image", "deployment/web", "nginx=nginx:1.25")
    assert kubectl("get", "replicasets", "-o", "name").count("replicaset") == 2
    kubectl("rollout", "resume", "deployment/web")
    kubectl("rollout", "restart", "deployment/web")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    assert kubectl("get", "replicasets", "-o", "name").count("replicaset") >= 3


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
def test_the_other_sets_roll_out_too(kubectl, kind):
    labels = {"app": "db"}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": {"statefulset": "StatefulSet", "daemonset": "DaemonSet"}[kind],
        "metadata": {"name": "db"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "db", "image": "redis:7"}]},
            },
        }
        | ({"serviceName": "db"} if kind == "statefulset" else {}),
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    kubectl("rollout", "status", f"{kind}/db", "--timeout=60s")
    kubectl("set", "image", f"{kind}/db", "db=redis:8")
    kubectl("rollout", "status", f"{kind}/db", "--timeout=60s")
    assert "2" in kubectl("rollout", "history", f"{kind}/db").split()
    kubectl("rollout", "undo", f"{kind}/db")
    kubectl("rollout", "status", f"{kind}/db", "--timeout=60s")
    image = kubectl("get", f"{kind}/db", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    assert image == "redis:7"


def test_a_job_is_waited_for_and_tells(kubectl):
    kubectl("create", "job", "hello", "--image=busybox", "--", "echo", "done")
    kubectl("wait", "--for=condition=complete", "job/hello", "--timeout=60s")
    assert kubectl("logs", "job/hello").strip() == "done"
    assert "Completed" in kubectl("events", "--for", "job/hello")
    kubectl("create", "cronjob", "tick", "--image=busybox", "--schedule=0 3 * * *", "--", "echo", "tick")
    kubectl("create", "job", "--from=cronjob/tick", "now")
    kubectl("wait", "--for=condition=complete", "job/now", "--timeout=60s")


def test_deletion_in_each_way(kubectl):
    kubectl("create", "deployment", "web", "--image=nginx:1.27")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("delete", "deployment", "web", "--cascade=orphan")
    assert "replicaset" in kubectl("get", "replicasets", "-o", "name")
    kubectl("create", "deployment", "web", "--image=nginx:1.27")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    kubectl("delete", "deployment", "web", "--cascade=foreground", "--timeout=60s")
    assert kubectl("get", "replicasets", "-o", "name") == ""
    kubectl("create", "deployment", "web", "--image=nginx:1.27")
    kubectl("delete", "deployment", "web", "--cascade=background", "--timeout=60s")
    kubectl("wait", "--for=delete", "pod", "--all", "--timeout=60s")


def test_a_service_answers_through_the_proxy_and_pods_scale(kubectl, namespace):
    kubectl("create", "deployment", "web", "--image=gitops-lab/hello:1.2.3", "--port=8080")
    kubectl("expose", "deployment/web", "--port=80", "--target-port=8080")
    kubectl("scale", "deployment/web", "--replicas=3")
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    answer = kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/services/web:80/proxy/version")
    assert "1.2.3" in answer
    slices = kubectl("get", "endpointslices", "-o", "jsonpath={.items[*].endpoints[*].conditions.ready}")
    assert slices.split() == ["true"] * 3


@pytest.mark.parametrize(
    "command", [("exec", "web", "--", "ls"), ("port-forward", "pod/web", ":80"), ("attach", "web")]
)
def test_what_is_not_simulated_says_so(kubectl, command):
    kubectl("run", "web", "--image=nginx:1.27")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    assert "not simulated" in kubectl(*command, fails=True)
