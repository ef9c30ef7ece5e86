"""Real kubectl, unchanged, against the API alone."""

import json

import pytest

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27"}]}
"""


def test_apply_creates_changes_and_leaves_alone(kubectl):
    assert "created" in kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    assert "configured" in kubectl("apply", "-f", "-", stdin=DEPLOYMENT.replace("1.27", "1.28"))
    assert kubectl("get", "deploy", "web", "-o", "jsonpath={..image}") == "nginx:1.28"


def test_server_side_apply_knows_whose_a_field_is(kubectl):
    kubectl("apply", "--server-side", "--field-manager=alice", "-f", "-", stdin=DEPLOYMENT)
    other = DEPLOYMENT.replace("1.27", "1.28")
    said = kubectl("apply", "--server-side", "--field-manager=bob", "-f", "-", stdin=other, fails=True)
    assert 'conflict with "alice"' in said
    kubectl("apply", "--server-side", "--field-manager=bob", "--force-conflicts", "-f", "-", stdin=other)


def test_diff_shows_what_would_change(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    with pytest.raises(
        AssertionError, match=r"nginx:1\.28"
    ):  # kubectl diff exits with 1 when there is a difference
        kubectl("diff", "-f", "-", stdin=DEPLOYMENT.replace("1.27", "1.28"))


def test_create_commands_speak_protobuf_and_are_understood(kubectl):
    kubectl("create", "configmap", "settings", "--from-literal=colour=blue")
    kubectl("create", "secret", "generic", "keys", "--from-literal=password=sesame")
    kubectl("create", "deployment", "web", "--image=nginx:1.27", "--replicas=3", "--port=80")
    kubectl("create", "job", "once", "--image=busybox:1.36", "--", "true")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "rolebinding", "readers", "--role=reader", "--user=alice")
    assert kubectl("get", "configmap", "settings", "-o", "jsonpath={.data.colour}") == "blue"
    assert json.loads(kubectl("get", "deploy", "web", "-o", "json"))["spec"]["replicas"] == 3
    assert kubectl("auth", "can-i", "list", "pods", "--as=alice").strip() == "yes"
    assert kubectl("auth", "can-i", "list", "secrets", "--as=alice", fails=True) == ""
    assert kubectl("create", "token", "robot").count(".") == 2


def test_get_shows_each_kinds_columns(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    head, row = kubectl("get", "deployments", "-o", "wide").splitlines()
    names = "NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR"
    assert head.split() == names.split()
    assert row.split()[:4] == ["web", "0/2", "0", "0"]
    assert "nginx:1.27" in row


def test_describe_explain_scale_label_patch_delete(kubectl):
    kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    assert "StrategyType:           RollingUpdate" in kubectl("describe", "deployment", "web")
    assert "maxSurge" in kubectl("explain", "deployment.spec.strategy.rollingUpdate")
    kubectl("scale", "deployment", "web", "--replicas=5")
    kubectl("label", "deployment", "web", "tier=front")
    kubectl("patch", "deployment", "web", "-p", '{"spec": {"minReadySeconds": 7}}')
    kubectl("rollout", "restart", "deployment", "web")
    found = json.loads(kubectl("get", "deployment", "web", "-o", "json"))
    assert (found["spec"]["replicas"], found["spec"]["minReadySeconds"]) == (5, 7)
    assert found["metadata"]["labels"] == {"tier": "front"}
    kubectl("delete", "deployment", "web", "--cascade=background")
    assert "NotFound" in kubectl("get", "deployment", "web", fails=True)


def test_a_misspelt_field_is_refused_by_name(kubectl):
    said = kubectl("apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas", "replica"), fails=True)
    assert 'unknown field "spec.replica"' in said


def test_exec_is_said_not_to_be_simulated(kubectl):
    kubectl("run", "shell", "--image=busybox:1.36")
    assert "not simulated" in kubectl("exec", "shell", "--", "ls", fails=True)
