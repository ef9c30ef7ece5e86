"""Evictions: a pod is asked to go, and goes if its disruption budget still has room.

Source: Kubernetes' pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.errors import TooManyRequests
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver import problems
from labkit.sandbox.apiserver.object_meta import timestamp
from labkit.sandbox.apiserver.requests import WriteOptions

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]

_SEVERAL: Final = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
)


def spend_budget(api: Api, pod: JSON) -> None:
    """Take one disruption from the pod's budget.  Raises `TooManyRequests` where there is none left."""
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending"):
        return
    if pod["metadata"].get("deletionTimestamp"):
        return
    namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
    resource = api.resource("policy/v1", "PodDisruptionBudget")
    budgets = [
        budget
        for _, entry in api.store.list(resource.storage, namespace)
        if LabelSelector.from_object((budget := entry.decode())["spec"].get("selector")).matches(labels)
    ]
    if len(budgets) > 1:
        raise problems.status_error(500, "", _SEVERAL)
    for budget in budgets:
        if _is_spared(pod, budget):
            continue
        api.verbs.update(
            resource,
            namespace,
            budget["metadata"]["name"],
            lambda old: _spend(old, pod["metadata"]["name"], timestamp(api.clock.now())),
            WriteOptions(),
            subresource="status",
        )


def _is_spared(pod: JSON, budget: JSON) -> bool:
    """Whether the pod is not ready, so that nobody misses it: it goes without taking from the budget."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)


def _spend(budget: JSON, pod: str, now: str) -> JSON:
    status, name = budget.setdefault("status", {}), budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        text = f"The disruption budget {name} is still being processed by the server."
        raise _refused(text, {"retryAfterSeconds": 10})
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        desired, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        text = f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
        raise _refused(text)
    status["disruptionsAllowed"] = allowed - 1
    status.setdefault("disruptedPods", {})[pod] = now
    return budget


def _refused(text: str, details: JSON | None = None) -> TooManyRequests:
    cause = {"reason": "DisruptionBudget", "message": text}
    return TooManyRequests(
        "Cannot evict pod as it would violate the pod's disruption budget.",
        details={"causes": [cause], **(details or {})},
    )
