"""Evictions: a pod is asked to go, and goes if its disruption budget still has room.

Source: Kubernetes' pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.errors import ApiError, TooManyRequests
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver import problems
from labkit.sandbox.apiserver.definitions import set_condition
from labkit.sandbox.apiserver.object_meta import timestamp
from labkit.sandbox.apiserver.requests import WriteOptions

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]

_NO_MORE: Final = "Cannot evict pod as it would violate the pod's disruption budget."
_TWO: Final = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
)


def spend_budget(api: Api, pod: JSON, *, dry_run: bool = False) -> None:
    """Take one disruption from the pod's budget.

    Raises `TooManyRequests` where there is none left, and a 500 for a pod that has several budgets.
    """
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
        raise problems.status_error(500, "", _TWO)
    if not budgets or _is_free(budgets[0], pod):
        return
    name, now = budgets[0]["metadata"]["name"], api.clock.now()
    api.verbs.update(
        resource,
        namespace,
        name,
        lambda old: _spend(old, pod["metadata"]["name"], now),
        WriteOptions(dry_run=dry_run),
        subresource="status",
    )


def mark(api: Api, pod: JSON) -> None:
    """Let the pod say who sent it away."""
    resource = api.resource("v1", "Pod")

    def transform(old: JSON) -> JSON:
        status = old.setdefault("status", {})
        set_condition(
            status,
            "DisruptionTarget",
            "True",
            "EvictionByEvictionAPI",
            "Eviction API: evicting",
            api.clock.now(),
        )
        for condition in status["conditions"]:
            if condition["type"] == "DisruptionTarget":
                condition.setdefault("lastProbeTime", None)
                condition["observedGeneration"] = old["metadata"].get("generation", 1)
        return old

    meta = pod["metadata"]
    api.verbs.update(
        resource, meta["namespace"], meta["name"], transform, WriteOptions(), subresource="status"
    )


def _is_free(budget: JSON, pod: JSON) -> bool:
    """A pod that is not ready helps nobody: it may go if the others are enough, or the budget says always."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def _spend(budget: JSON, pod: str, now: datetime) -> JSON:
    status, meta = budget.setdefault("status", {}), budget["metadata"]
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        raise _refused(
            f"The disruption budget {meta['name']} is still being processed by the server.", retry=10
        )
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        raise _refused(_why_not(meta["name"], status))
    status["disruptionsAllowed"] = allowed - 1
    if allowed == 1:
        set_condition(status, "DisruptionAllowed", "False", "InsufficientPods", "", now)
        for condition in status["conditions"]:
            condition["observedGeneration"] = meta.get("generation", 0)
    status.setdefault("disruptedPods", {})[pod] = timestamp(now)
    return budget


def _why_not(name: str, status: JSON) -> str:
    desired, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    if healthy <= desired:
        return f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
    failed = next((c for c in status.get("conditions") or () if c.get("reason") == "SyncFailed"), None)
    if failed is not None:
        why = f"because it failed sync: {failed.get('message', '')}"
        return f"The disruption budget {name} does not allow evicting pods currently {why}"
    return f"The disruption budget {name} does not allow evicting pods currently"


def _refused(text: str, retry: int = 0) -> ApiError:
    details: JSON = {"causes": [{"reason": "DisruptionBudget", "message": text}]}
    return TooManyRequests(_NO_MORE, details=details | ({"retryAfterSeconds": retry} if retry else {}))
