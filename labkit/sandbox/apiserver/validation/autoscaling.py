"""What a HorizontalPodAutoscaler's metrics and behavior have to be like.

Source: pkg/apis/autoscaling/validation/validation.go in Kubernetes 1.36.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import quantities
from labkit.sandbox.apiserver.field_errors import bad, forbidden, required
from labkit.sandbox.apiserver.validation.basics import choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.sandbox.apiserver.field_errors import FieldError

JSON = dict[str, Any]

_KINDS: Final = ("ContainerResource", "External", "Object", "Pods", "Resource")
_TARGETS: Final = ("AverageValue", "Utilization", "Value")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800


def check(spec: JSON) -> Iterator[FieldError]:
    """The spec's metrics and behavior."""
    for index, metric in enumerate(spec.get("metrics") or ()):
        yield from _metric(metric, f"spec.metrics[{index}]")
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            yield from _rules(rules, f"spec.behavior.{direction}")


def _metric(metric: JSON, path: str) -> Iterator[FieldError]:
    kind = metric.get("type", "")
    errors = list(choice(kind, f"{path}.type", _KINDS, needed=True))
    yield from errors
    if errors:
        return
    field = kind[:1].lower() + kind[1:]
    said = metric.get(field)
    others = [k[:1].lower() + k[1:] for k in _KINDS if k != kind and metric.get(k[:1].lower() + k[1:])]
    for other in others:
        yield forbidden(f"{path}.{other}", "must populate the given metric source only")
    if said is None:
        yield required(f"{path}.{field}", "must populate information for the given metric source")
        return
    path = f"{path}.{field}"
    if kind in ("Resource", "ContainerResource"):
        yield from _resource(kind, said, path)
        return
    if not (said.get("metric") or {}).get("name"):
        yield required(f"{path}.metric.name", "must specify a metric name")
    target = said.get("target") or {}
    yield from _target(target, f"{path}.target")
    yield from _amounts(kind, target, f"{path}.target")
    if kind == "Object":
        for part in ("kind", "name"):
            if not (said.get("describedObject") or {}).get(part):
                yield required(f"{path}.describedObject.{part}")


def _amounts(kind: str, target: JSON, path: str) -> Iterator[FieldError]:
    value, average = target.get("value"), target.get("averageValue")
    if kind == "Pods":
        if average is None:
            yield required(f"{path}.averageValue", "must specify a positive target averageValue")
    elif value is None and average is None:
        yield required(f"{path}.averageValue", "must set either a target value or averageValue")
    elif kind == "External" and value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        yield forbidden(f"{path}.value", text)


def _resource(kind: str, said: JSON, path: str) -> Iterator[FieldError]:
    if not said.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    if kind == "ContainerResource" and not said.get("container"):
        yield required(f"{path}.container", "must specify a container")
    target = said.get("target") or {}
    yield from _target(target, f"{path}.target")
    share, amount = target.get("averageUtilization"), target.get("averageValue")
    if share is None and amount is None:
        text = "must set either a target raw value or a target utilization"
        yield required(f"{path}.target.averageUtilization", text)
    elif share is not None and amount is not None:
        text = "may not set both a target raw value and a target utilization"
        yield forbidden(f"{path}.target.averageValue", text)


def _target(target: JSON, path: str) -> Iterator[FieldError]:
    if not target.get("type"):
        yield required(f"{path}.type", "must specify a metric target type")
    else:
        yield from choice(target["type"], f"{path}.type", _TARGETS)
    for field in ("value", "averageValue"):
        value = target.get(field)
        if value is not None and quantities.parse(value) <= 0:
            yield bad(f"{path}.{field}", value, "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        yield bad(f"{path}.averageUtilization", share, "must be greater than 0")


def _rules(rules: JSON, path: str) -> Iterator[FieldError]:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield bad(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW:
        text = f"must be less than or equal to {_LONGEST_WINDOW}"
        yield bad(f"{path}.stabilizationWindowSeconds", window, text)
    if rules.get("selectPolicy") is not None:
        yield from choice(rules["selectPolicy"], f"{path}.selectPolicy", ("Disabled", "Max", "Min"))
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or ()):
        yield from _policy(policy, f"{path}.policies[{index}]")
    tolerance = rules.get("tolerance")
    if tolerance is not None and quantities.parse(tolerance) < 0:
        yield bad(f"{path}.tolerance", tolerance, "must be greater than or equal to 0")


def _policy(policy: JSON, path: str) -> Iterator[FieldError]:
    yield from choice(policy.get("type", ""), f"{path}.type", ("Percent", "Pods"), needed=True)
    for field in ("value", "periodSeconds"):
        if policy.get(field, 0) <= 0:
            yield bad(f"{path}.{field}", policy.get(field, 0), "must be greater than zero")
    if policy.get("periodSeconds", 0) > _LONGEST_PERIOD:
        text = f"must be less than or equal to {_LONGEST_PERIOD}"
        yield bad(f"{path}.periodSeconds", policy["periodSeconds"], text)
