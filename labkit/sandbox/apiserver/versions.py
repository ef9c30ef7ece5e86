"""Kinds that are the same objects in two groups or versions: how one is written as the other.

Events are in the core group and in ``events.k8s.io``; autoscalers in ``autoscaling/v1`` and ``v2``.  The store keeps
one form (`builtin.SHARED_STORAGE`); the other is made of it when somebody asks for it.

Source: the conversions in Kubernetes' pkg/apis/autoscaling/v1 and pkg/apis/events/v1.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

JSON = dict[str, Any]


class Conversion(Protocol):
    """Between a version and the stored one; both functions make a new object."""

    def to_storage(self, obj: JSON) -> JSON:
        """The object as it is stored."""

    def from_storage(self, obj: JSON) -> JSON:
        """The object in this version."""


# ── events ────────────────────────────────────────────────────────────────────

# events.k8s.io → core
_EVENT_FIELDS: Final = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}


class Events:
    """``events.k8s.io/v1``, stored as core events."""

    def to_storage(self, obj: JSON) -> JSON:
        """See `Conversion`."""
        return {_EVENT_FIELDS.get(key, key): value for key, value in obj.items()}

    def from_storage(self, obj: JSON) -> JSON:
        """See `Conversion`."""
        names = {old: new for new, old in _EVENT_FIELDS.items()}
        return {names.get(key, key): value for key, value in obj.items()}


# ── autoscalers ───────────────────────────────────────────────────────────────

_CPU: Final = "targetCPUUtilizationPercentage"
_CURRENT_CPU: Final = "currentCPUUtilizationPercentage"
_KEPT: Final = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")


class Autoscalers:
    """``autoscaling/v1``: CPU alone; what it has no field for is not shown."""

    def to_storage(self, obj: JSON) -> JSON:
        """See `Conversion`."""
        spec = {key: value for key, value in (obj.get("spec") or {}).items() if key != _CPU}
        percent = (obj.get("spec") or {}).get(_CPU)
        if percent is not None:
            target = {"type": "Utilization", "averageUtilization": percent}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        said = obj.get("status") or {}
        status = {key: said[key] for key in _KEPT if key in said}
        if said.get(_CURRENT_CPU) is not None:
            current = {"averageUtilization": said[_CURRENT_CPU], "averageValue": "0"}
            status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
        return {**obj, "spec": spec, "status": status}

    def from_storage(self, obj: JSON) -> JSON:
        """See `Conversion`."""
        spec = {
            key: value for key, value in (obj.get("spec") or {}).items() if key not in ("metrics", "behavior")
        }
        percent = _cpu((obj.get("spec") or {}).get("metrics"), "target")
        if percent is not None:
            spec[_CPU] = percent
        said = obj.get("status") or {}
        status = {"currentReplicas": 0, "desiredReplicas": 0} | {
            key: said[key] for key in _KEPT if key in said
        }
        percent = _cpu(said.get("currentMetrics"), "current")
        if percent is not None:
            status[_CURRENT_CPU] = percent
        return {**obj, "spec": spec, "status": status}


def _cpu(metrics: list[JSON] | None, key: str) -> int | None:
    for metric in metrics or ():
        resource = metric.get("resource") or {}
        if metric.get("type") == "Resource" and resource.get("name") == "cpu":
            percent: int | None = (resource.get(key) or {}).get("averageUtilization")
            return percent
    return None


CONVERSIONS: Final[dict[tuple[str, str, str], Conversion]] = {
    ("events.k8s.io", "v1", "events"): Events(),
    ("autoscaling", "v1", "horizontalpodautoscalers"): Autoscalers(),
}
