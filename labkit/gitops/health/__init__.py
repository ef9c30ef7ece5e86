"""Health: is what is there doing its work? One file per kind, each a pure function of the object.

Rules and words are Argo CD's (gitops-engine ``pkg/health``; ``custom`` has those for other people's kinds). A kind
without a rule has no health, and does not count when an application's is summed up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from labkit.gitops.health import (
    autoscaler,
    custom,
    daemonset,
    definitions,
    deployment,
    job,
    network,
    pod,
    replicaset,
    statefulset,
    storage,
)
from labkit.gitops.health.health import (
    DEGRADED,
    HEALTHY,
    MISSING,
    ORDER,
    PROGRESSING,
    SUSPENDED,
    UNKNOWN,
    Health,
    worst,
)
from labkit.gitops.sync import hooks
from labkit.k8s.objects import Object, group_of, metadata

__all__ = [
    "DEGRADED",
    "HEALTHY",
    "MISSING",
    "ORDER",
    "PROGRESSING",
    "SUSPENDED",
    "UNKNOWN",
    "Health",
    "aggregate",
    "assess",
    "configure",
    "register",
]

Rule = Callable[[Object], Health]

_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): deployment.health,
    ("apps", "ReplicaSet"): replicaset.health,
    ("apps", "StatefulSet"): statefulset.health,
    ("apps", "DaemonSet"): daemonset.health,
    ("batch", "Job"): job.health,
    ("", "Pod"): pod.health,
    ("", "PersistentVolumeClaim"): storage.health,
    ("", "Service"): network.service,
    ("networking.k8s.io", "Ingress"): network.ingress,
    ("extensions", "Ingress"): network.ingress,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaler.health,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.custom_resource_definition,
    ("apiregistration.k8s.io", "APIService"): definitions.api_service,
    **custom.table(),
}

_SETTING = "resource.customizations.health."
_APPLICATION = f"{_SETTING}argoproj.io_Application"


def configure(settings: Mapping[str, str]) -> list[str]:
    """Take over what the ConfigMap ``argocd-cm`` says of health; which of its settings are not understood.

    Argo CD has Lua there, and there is no Lua here. The one that its documentation gives for Applications switches
    on the rule in Python that says the same; of others a rule must be registered.
    """
    if _APPLICATION in settings:
        _RULES["argoproj.io", "Application"] = custom.application
    else:
        _RULES.pop(("argoproj.io", "Application"), None)
    return sorted(name for name in settings if name.startswith(_SETTING) and name != _APPLICATION)


def register(group: str, kind: str, rule: Rule) -> None:
    """Add a rule for a kind of one's own: a function from the live object to its `Health`."""
    _RULES[group, kind] = rule


def assess(obj: Object) -> Health | None:
    """The health of a live object; ``None`` for a kind that has none, Unknown for what its rule cannot read.

    A hook that is being deleted and held by its finalizer is judged as before: its end is still to be noted.
    """
    if metadata(obj).get("deletionTimestamp") and not hooks.held(obj):
        return Health(PROGRESSING, "Pending deletion")
    rule = _RULES.get((group_of(obj.get("apiVersion", "")), obj.get("kind", "")))
    try:
        return rule(obj) if rule else None
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # a custom resource's status may be anything
        return Health(UNKNOWN, f"its status cannot be read: {error}")


def aggregate(found: Iterable[str]) -> str:
    """An application's health from its resources': the worst of them.

    A missing resource makes it Missing only if nothing is there at all: while some run, "missing" is said by
    OutOfSync, and health tells of those that run.
    """
    statuses = list(found)
    live = [status for status in statuses if status != MISSING]
    return worst(live) if live else (MISSING if statuses else HEALTHY)
