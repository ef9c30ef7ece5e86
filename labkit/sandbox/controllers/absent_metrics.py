"""Metrics of APIs that nobody serves here (Pods, Object, External): what an autoscaler says of them.

They come from adapters, such as Prometheus' or KEDA's. A cluster without one answers in these words.

Source: pkg/controller/podautoscaler/metrics/client.go in Kubernetes 1.36, and the clients that it uses.
"""

from __future__ import annotations

from typing import Any, Final

JSON = dict[str, Any]

KINDS: Final = ("Pods", "Object", "External")
_NO_ADAPTER: Final = "no custom metrics API (custom.metrics.k8s.io) registered"
_CUSTOM: Final = f"unable to fetch metrics from custom metrics API: {_NO_ADAPTER}"


def why(kind: str, said: JSON, namespace: str) -> str:
    """Why a metric has no value; ``said`` is its own part of the spec."""
    name = said["metric"]["name"]
    if kind == "Pods":
        return f"unable to get metric {name}: {_CUSTOM}"
    if kind == "Object":
        about = said["describedObject"]
        return f"unable to get metric {name}: {about['kind']} on {namespace} {about['name']}/{_CUSTOM}"
    absent = f"the server could not find the requested resource (get {name}.external.metrics.k8s.io)"
    selector = _go_text(said["metric"].get("selector"))
    text = (
        f"unable to get external metric {namespace}/{name}/{selector}: "
        f"unable to fetch metrics from external metrics API: {absent}"
    )
    if (said.get("target") or {}).get("averageValue") is not None:
        return f"failed to get {name} external metric: {text}"
    return f"failed to get external metric {name}: {text}"


def _go_text(selector: JSON | None) -> str:
    """A label selector as Go prints it."""
    if selector is None:
        return "nil"
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{e['key']},Operator:{e['operator']},"
        f"Values:[{' '.join(e.get('values') or ())}],}},"
        for e in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
