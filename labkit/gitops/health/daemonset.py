"""DaemonSet: healthy once every node that should has a pod of the newest template."""

from __future__ import annotations

from labkit.gitops.health.health import HEALTHY, PROGRESSING, Health, number
from labkit.k8s.objects import Object, get_path


def health(obj: Object) -> Health:
    """From ``status``; with OnDelete a person decides when pods are renewed, so nothing is waited for."""
    status = obj.get("status") or {}
    if number(obj.get("metadata") or {}, "generation") > number(status, "observedGeneration"):
        return Health(
            PROGRESSING,
            "Waiting for rollout to finish: observed daemon set generation less than desired generation",
        )
    wanted = number(status, "desiredNumberScheduled")
    updated, available = number(status, "updatedNumberScheduled"), number(status, "numberAvailable")
    if get_path(obj, "spec", "updateStrategy", "type") == "OnDelete":
        return Health(HEALTHY, f"daemon set {updated} out of {wanted} new pods have been updated")
    name = (obj.get("metadata") or {}).get("name")
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < wanted:
        return Health(PROGRESSING, f"{waiting} {updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return Health(PROGRESSING, f"{waiting} {available} of {wanted} updated pods are available...")
    return Health(HEALTHY)
