"""ReplicaSet: healthy once it has the replicas it wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, Health, conditions, is_true, number

if TYPE_CHECKING:
    from labkit.k8s.objects import Object


def health(obj: Object) -> Health:
    """From ``status``; a quota or an admission rule that refuses its pods shows as ReplicaFailure."""
    status = obj.get("status") or {}
    if number(obj.get("metadata") or {}, "generation") > number(status, "observedGeneration"):
        return Health(
            PROGRESSING,
            "Waiting for rollout to finish: observed replica set generation less than desired generation",
        )
    failure = conditions(obj).get("ReplicaFailure")
    if is_true(failure):
        return Health(DEGRADED, str((failure or {}).get("message", "")))
    wanted = (obj.get("spec") or {}).get("replicas")
    available = number(status, "availableReplicas")
    if wanted is not None and available < wanted:
        return Health(
            PROGRESSING,
            f"Waiting for rollout to finish: {available} out of {wanted} new replicas are available...",
        )
    return Health(HEALTHY)
