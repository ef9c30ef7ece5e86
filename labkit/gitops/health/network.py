"""Service and Ingress: healthy when what is to reach them from outside has an address."""

from __future__ import annotations

from labkit.gitops.health.health import HEALTHY, PROGRESSING, Health
from labkit.k8s.objects import Object, get_path


def service(obj: Object) -> Health:
    """Only a LoadBalancer waits for something."""
    if get_path(obj, "spec", "type") == "LoadBalancer" and not _address(obj):
        return Health(PROGRESSING)
    return Health(HEALTHY)


def ingress(obj: Object) -> Health:
    """Waits for the ingress controller to say where it listens."""
    return Health(HEALTHY) if _address(obj) else Health(PROGRESSING)


def _address(obj: Object) -> bool:
    return bool(get_path(obj, "status", "loadBalancer", "ingress"))
