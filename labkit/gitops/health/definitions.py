"""CustomResourceDefinition and APIService: healthy when the API server serves what they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, Health, conditions, is_true

if TYPE_CHECKING:
    from labkit.k8s.objects import Object


def custom_resource_definition(obj: Object) -> Health:
    """A CRD is served once its names are accepted and it is established."""
    if (obj.get("status") or {}).get("conditions") is None:
        return Health(PROGRESSING, "Status conditions not found")
    found = conditions(obj)
    if not found:
        return Health(PROGRESSING, "Status conditions not found")
    names, established = found.get("NamesAccepted"), found.get("Established")
    if names and names.get("status") == "False":
        return Health(DEGRADED, f"CRD names have not been accepted: {names.get('message', '')}")
    if established and established.get("reason") == "Installing":
        return Health(PROGRESSING, f"CRD is being installed: {established.get('message', '')}")
    structural = found.get("NonStructuralSchema")
    if is_true(structural):
        return Health(DEGRADED, f"Schema violations found: {(structural or {}).get('message', '')}")
    if not is_true(established):
        return Health(DEGRADED, "CRD is not established")
    if is_true(found.get("Terminating")):
        return Health(PROGRESSING, f"CRD is being terminated: {found['Terminating'].get('message', '')}")
    return Health(HEALTHY, "CRD is healthy")


def api_service(obj: Object) -> Health:
    """An aggregated API is there when ``Available`` says so."""
    available = conditions(obj).get("Available")
    if available is None:
        return Health(PROGRESSING, "Waiting to be processed")
    words = f"{available.get('reason', '')}: {available.get('message', '')}"
    return Health(HEALTHY if is_true(available) else PROGRESSING, words)
