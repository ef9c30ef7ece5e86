"""Evictions: a pod is asked to go, and goes if its disruption budget still has room.

Source: Kubernetes' pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import TooManyRequests
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver.object_meta import timestamp
from labkit.sandbox.apiserver.requests import WriteOptions

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]


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
    for budget in budgets:
        name = budget["metadata"]["name"]
        api.verbs.update(
            resource,
            namespace,
            name,
            lambda old: _spend(old, pod["metadata"]["name"], timestamp(api.clock.now())),
            WriteOptions(),
            subresource="status",
        )


def _spend(budget: JSON, pod: str, now: str) -> JSON:
    status, name = budget.setdefault("status", {}), budget["metadata"]["name"]
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        desired, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        text = f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
        raise TooManyRequests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            details={"causes": [{"reason": "DisruptionBudget", "message": text}]},
        )
    status["disruptionsAllowed"] = allowed - 1
    status.setdefault("disruptedPods", {})[pod] = now
    return budget
