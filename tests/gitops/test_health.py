"""Health of built-in kinds, where a rule has a corner: hooks, failures of init containers, odd status."""

from __future__ import annotations

from typing import Any

from labkit.gitops import health

HELD = ["argocd.argoproj.io/hook-finalizer"]
IGNORED = {"argocd.argoproj.io/ignore-restart-policy": "true"}
DONE = {"conditions": [{"type": "Complete", "status": "True", "message": "done"}]}


def pod(policy: str = "Never", annotations: dict[str, str] | None = None, **status: Any) -> dict[str, Any]:
    meta = {"name": "work", "annotations": annotations or {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"restartPolicy": policy},
        "status": status,
    }


def job(**meta: Any) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work", **meta}, "status": DONE}


def test_a_hook_that_is_deleted_before_its_end_was_noted_is_judged_by_its_end() -> None:
    deleted = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert health.assess(job(**deleted, finalizers=HELD)) == ("Healthy", "done")
    assert health.assess(job(**deleted)) == ("Progressing", "Pending deletion")


def test_a_hook_s_pod_is_not_taken_for_one_that_runs_for_ever() -> None:
    running = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    hook = {"argocd.argoproj.io/hook": "PostSync"}
    assert health.assess(pod(annotations=IGNORED, **running)) == ("Healthy", "")
    assert health.assess(pod(annotations=IGNORED | hook, **running)) == ("Progressing", "")


def test_a_failed_pod_says_which_container_failed_and_how() -> None:
    def ended(name: str, **how: Any) -> dict[str, Any]:
        return {"name": name, "state": {"terminated": how}}

    first = pod(
        phase="Failed", initContainerStatuses=[ended("fetch", exitCode=3)], containerStatuses=[ended("main")]
    )
    assert health.assess(first) == ("Degraded", 'container "fetch" failed with exit code 3')
    told = pod(phase="Failed", containerStatuses=[ended("main", reason="OOMKilled", message="no memory")])
    assert health.assess(told) == ("Degraded", "no memory")


def test_a_rolling_update_without_a_partition_counts_as_partitioned() -> None:
    """As in Argo CD, which looks whether ``rollingUpdate`` is there."""
    status = {"observedGeneration": 1, "readyReplicas": 1, "updatedReplicas": 1}
    status |= {"updateRevision": "b", "currentRevision": "a"}
    spec = {
        "replicas": 1,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
    }
    obj = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"generation": 1}}
    found = health.assess({**obj, "spec": spec, "status": status})
    assert found == ("Healthy", "partitioned roll out complete: 1 new pods have been updated...")


def test_a_status_that_no_rule_can_read_is_unknown_and_no_crash() -> None:
    odd = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "status": {"conditions": "none"}}
    found = health.assess(odd)
    assert found is not None
    assert found.status == "Unknown"
    assert found.message.startswith("its status cannot be read")
