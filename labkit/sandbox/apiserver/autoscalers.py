"""``autoscaling/v1`` autoscalers, stored as v2: the share of the CPU in fields, everything else in annotations.

Source: pkg/apis/autoscaling/v1/conversion.go and the types of k8s.io/api/autoscaling/v1 in Kubernetes 1.36.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

JSON = dict[str, Any]

_CPU: Final = "targetCPUUtilizationPercentage"
_CURRENT_CPU: Final = "currentCPUUtilizationPercentage"
_KEPT: Final = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
_NAMES: Final = ("metrics", "current-metrics", "conditions", "behavior")


class Autoscalers:
    """See `versions.Conversion`."""

    def to_storage(self, obj: JSON) -> JSON:
        """See `versions.Conversion`."""
        meta, said = _without(obj.get("metadata") or {})
        spec = {key: value for key, value in (obj.get("spec") or {}).items() if key != _CPU}
        metrics = [_wide(metric, "target") for metric in said.get("metrics") or ()]
        percent = (obj.get("spec") or {}).get(_CPU)
        if percent is not None:
            target = {"type": "Utilization", "averageUtilization": percent}
            metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
        if metrics:
            spec["metrics"] = metrics
        if isinstance(said.get("behavior"), dict):
            spec["behavior"] = _cased(said["behavior"], str.lower)
        return {**obj, "metadata": meta, "spec": spec, "status": self._status(obj.get("status") or {}, said)}

    def _status(self, told: JSON, said: JSON) -> JSON:
        status: JSON = {key: told[key] for key in _KEPT if key in told}
        current = [_wide(metric, "current") for metric in said.get("current-metrics") or ()]
        if told.get(_CURRENT_CPU) is not None and not current:
            value = {"averageUtilization": told[_CURRENT_CPU], "averageValue": "0"}
            current = [{"type": "Resource", "resource": {"name": "cpu", "current": value}}]
        if current:
            status["currentMetrics"] = current
        if said.get("conditions"):
            status["conditions"] = said["conditions"]
        return status

    def from_storage(self, obj: JSON) -> JSON:
        """See `versions.Conversion`."""
        before = obj.get("spec") or {}
        spec = {key: value for key, value in before.items() if key not in ("metrics", "behavior")}
        metrics = list(before.get("metrics") or ())
        plain = next((m for m in metrics if _share(m, "target") is not None), None)
        if plain is not None:
            spec[_CPU] = _share(plain, "target")
            metrics.remove(plain)
        told = obj.get("status") or {}
        status: JSON = {"currentReplicas": 0, "desiredReplicas": 0}
        status |= {key: told[key] for key in _KEPT if key in told}
        current = told.get("currentMetrics") or []
        percent = next((p for m in current if (p := _share(m, "current")) is not None), None)
        if percent is not None:
            status[_CURRENT_CPU] = percent
        rest = {
            "metrics": [_narrow(metric, "target") for metric in metrics],
            "current-metrics": [_narrow(metric, "current") for metric in current],
            "conditions": told.get("conditions"),
            "behavior": _cased(before["behavior"], str.upper) if before.get("behavior") else None,
        }
        notes = {f"{_PREFIX}{name}": orjson.dumps(value).decode() for name, value in rest.items() if value}
        meta = obj.get("metadata") or {}
        if notes:
            meta = {**meta, "annotations": {**(meta.get("annotations") or {}), **notes}}
        return {**obj, "metadata": meta, "spec": spec, "status": status}


def _without(meta: JSON) -> tuple[JSON, JSON]:
    """The metadata without the annotations that stand for fields, and what those say."""
    notes = dict(meta.get("annotations") or {})
    said = {}
    for name in _NAMES:
        text = notes.pop(f"{_PREFIX}{name}", None)
        try:
            said[name] = orjson.loads(text) if text is not None else None
        except orjson.JSONDecodeError:
            said[name] = None
    kept = {key: value for key, value in meta.items() if key != "annotations"}
    return (kept | {"annotations": notes} if notes else kept), said


def _share(metric: JSON, key: str) -> int | None:
    """The per cent of a metric that v1 has a field for."""
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    percent: int | None = (resource.get(key) or {}).get("averageUtilization")
    return percent


def _narrow(metric: JSON, key: str) -> JSON:
    """A v2 metric as v1's annotations write it: without the level of ``target`` or ``current``."""
    kind = metric.get("type", "")
    field = kind[:1].lower() + kind[1:]
    source = metric.get(field)
    if not isinstance(source, dict):
        return {"type": kind}
    value = source.get(key) or {}
    made = {k: v for k, v in source.items() if k in ("name", "container")}
    named = source.get("metric") or {}
    if named:
        made["metricName"] = named.get("name", "")
        if named.get("selector"):
            made["metricSelector" if kind == "External" else "selector"] = named["selector"]
    if source.get("describedObject"):
        made["target"] = source["describedObject"]
    for name in ("value", "averageValue", "averageUtilization"):
        if value.get(name) is not None:
            made[_flat(kind, key, name)] = value[name]
    return {"type": kind, field: made}


def _flat(kind: str, key: str, name: str) -> str:
    """``target`` + ``averageValue`` → ``targetAverageValue``; of objects the average stands alone."""
    if kind == "Object" and name == "averageValue":
        return name
    return key + name[0].upper() + name[1:]


def _wide(metric: JSON, key: str) -> JSON:
    """A metric of v1's annotations as v2 has it."""
    kind = metric.get("type", "")
    field = kind[:1].lower() + kind[1:]
    source = metric.get(field)
    if not isinstance(source, dict):
        return {"type": kind}
    made = {k: v for k, v in source.items() if k in ("name", "container")}
    if "metricName" in source:
        selector = source.get("metricSelector") or source.get("selector")
        made["metric"] = {"name": source["metricName"]} | ({"selector": selector} if selector else {})
    if isinstance(source.get("target"), dict):
        made["describedObject"] = source["target"]
    names = ("value", "averageValue", "averageUtilization")
    value = {name: source[flat] for name in names if (flat := _flat(kind, key, name)) in source}
    if key == "target":
        types = {"value": "Value", "averageValue": "AverageValue", "averageUtilization": "Utilization"}
        value["type"] = next((types[name] for name in value), "")
    return {"type": kind, field: {**made, key: value}}


def _cased(value: Any, case: Any) -> Any:
    """Field names as the annotation has them (``ScaleUp``) or as v2 does (``scaleUp``)."""
    if isinstance(value, dict):
        return {case(name[:1]) + name[1:]: _cased(one, case) for name, one in value.items()}
    return [_cased(one, case) for one in value] if isinstance(value, list) else value
