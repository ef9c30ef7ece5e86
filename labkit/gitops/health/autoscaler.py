"""HorizontalPodAutoscaler: healthy when it can scale."""

from __future__ import annotations

import json

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, Health
from labkit.k8s.objects import Object, annotations_of

_FAILURES = {
    "AbleToScale": {"FailedGetScale", "FailedUpdateScale"},
    "ScalingActive": {
        "FailedGetResourceMetric",
        "FailedGetPodsMetric",
        "FailedGetObjectMetric",
        "FailedGetExternalMetric",
        "FailedComputeMetricsReplicas",
        "InvalidSelector",
    },
}
_V1_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"


def health(obj: Object) -> Health:
    """From its conditions; autoscaling/v1 keeps them in an annotation."""
    found = (obj.get("status") or {}).get("conditions") or []
    if not found and _V1_CONDITIONS in annotations_of(obj):
        found = json.loads(annotations_of(obj)[_V1_CONDITIONS])
    for condition in found:
        if condition.get("reason") in _FAILURES.get(condition.get("type", ""), ()):
            return Health(DEGRADED, str(condition.get("message", "")))
    for condition in found:
        if condition.get("type") in {"AbleToScale", "ScalingLimited"} and condition.get("status") == "True":
            return Health(HEALTHY, str(condition.get("message", "")))
    return Health(PROGRESSING, "Waiting to Autoscale")
