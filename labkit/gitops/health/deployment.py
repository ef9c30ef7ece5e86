"""Deployment: healthy once its newest template has taken over all replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, SUSPENDED, Health, conditions, number

if TYPE_CHECKING:
    from labkit.k8s.objects import Object


def health(obj: Object) -> Health:
    """From ``status`` as ``kubectl rollout status`` reads it."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if spec.get("paused"):
        return Health(SUSPENDED, "Deployment is paused")
    if number(obj.get("metadata") or {}, "generation") > number(status, "observedGeneration"):
        return Health(
            PROGRESSING,
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        )
    if conditions(obj).get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        name = (obj.get("metadata") or {}).get("name")
        return Health(DEGRADED, f'Deployment "{name}" exceeded its progress deadline')
    wanted, updated = spec.get("replicas"), number(status, "updatedReplicas")
    if wanted is not None and updated < wanted:
        return Health(
            PROGRESSING,
            f"Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated...",
        )
    if (old := number(status, "replicas") - updated) > 0:
        return Health(
            PROGRESSING, f"Waiting for rollout to finish: {old} old replicas are pending termination..."
        )
    if (available := number(status, "availableReplicas")) < updated:
        return Health(
            PROGRESSING,
            f"Waiting for rollout to finish: {available} of {updated} updated replicas are available...",
        )
    return Health(HEALTHY)
