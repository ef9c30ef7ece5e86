"""Deployment, ReplicaSet, StatefulSet, DaemonSet and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, unsupported
from labkit.sandbox.apiserver.validation import autoscaling
from labkit.sandbox.apiserver.validation.basics import (
    at_most_all,
    choice,
    immutable,
    is_zero,
    label_selector,
    not_negative,
    percent_or_number,
)
from labkit.sandbox.apiserver.validation.pods import pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_CHANGEABLE: Final = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_MISMATCH: Final = "`selector` does not match template `labels`"


def _selects(spec: JSON, kind: str) -> Iterator[FieldError]:
    """The selector is there, selects something, and selects the template's pods."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    else:
        yield from label_selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield bad("spec.selector", selector, f"empty selector is invalid for {kind}")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    parsed = LabelSelector.from_object(selector)
    if (selector is None or parsed.requirements) and not parsed.matches(labels or {}):
        yield bad("spec.template.metadata.labels", labels, _MISMATCH)
    claims = [(each.get("metadata") or {}).get("name") for each in spec.get("volumeClaimTemplates") or ()]
    yield from pod_template(template, "spec.template", claims)
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy and policy != "Always" and policy in ("OnFailure", "Never"):
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        yield forbidden(
            "spec.template.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported"
        )


def deployment(obj: JSON) -> Iterator[FieldError]:
    """A Deployment."""
    spec = obj["spec"]
    yield from not_negative(spec, "spec", "replicas")
    yield from _selects(spec, "deployment")
    yield from _deployment_strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from not_negative(
        spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
    )
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        yield bad("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _deployment_strategy(strategy: JSON, path: str) -> Iterator[FieldError]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield forbidden(
                f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"
            )
    elif kind == "RollingUpdate":
        yield from _rolling(rolling or {}, f"{path}.rollingUpdate")
    else:
        yield from choice(kind, f"{path}.type", ("Recreate", "RollingUpdate"))


def _rolling(rolling: JSON, path: str) -> Iterator[FieldError]:
    down, up = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    yield from percent_or_number(down, f"{path}.maxUnavailable")
    yield from percent_or_number(up, f"{path}.maxSurge")
    if is_zero(down) and is_zero(up):
        yield bad(f"{path}.maxUnavailable", down, "may not be 0 when `maxSurge` is 0")
    yield from at_most_all(down, f"{path}.maxUnavailable")


def selector_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A workload keeps its selector."""
    yield from immutable(new["spec"], old["spec"], "spec", "selector")


def replica_set(obj: JSON) -> Iterator[FieldError]:
    """A ReplicaSet."""
    yield from not_negative(obj["spec"], "spec", "replicas", "minReadySeconds")
    yield from _selects(obj["spec"], "replicaset")


def replication_controller(obj: JSON) -> Iterator[FieldError]:
    """A ReplicationController."""
    spec = obj["spec"]
    yield from not_negative(spec, "spec", "minReadySeconds", "replicas")
    if not spec.get("selector"):
        yield required("spec.selector")
    template = spec.get("template")
    if template is None:
        yield required("spec.template")
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not LabelSelector.from_labels(spec.get("selector")).matches(labels):
        yield bad("spec.template.metadata.labels", labels or None, _MISMATCH)
    yield from pod_template(template, "spec.template")


def daemon_set(obj: JSON) -> Iterator[FieldError]:
    """A DaemonSet."""
    spec = obj["spec"]
    yield from _selects(spec, "daemonset")
    yield from not_negative(spec, "spec", "minReadySeconds")
    strategy = spec.get("updateStrategy") or {}
    yield from choice(
        strategy.get("type"), "spec.updateStrategy.type", ("RollingUpdate", "OnDelete"), needed=True
    )
    if strategy.get("type") == "RollingUpdate":
        rolling, path = strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate"
        yield from percent_or_number(rolling.get("maxUnavailable"), f"{path}.maxUnavailable")
        if is_zero(rolling.get("maxUnavailable")) and is_zero(rolling.get("maxSurge")):
            yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    yield from not_negative(spec, "spec", "revisionHistoryLimit")


def stateful_set(obj: JSON) -> Iterator[FieldError]:
    """A StatefulSet."""
    spec = obj["spec"]
    yield from choice(
        spec.get("podManagementPolicy"), "spec.podManagementPolicy", ("OrderedReady", "Parallel"), needed=True
    )
    strategy = spec.get("updateStrategy") or {}
    yield from choice(
        strategy.get("type"), "spec.updateStrategy.type", ("RollingUpdate", "OnDelete"), needed=True
    )
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        if strategy.get("type") == "OnDelete":
            text = 'only allowed for updateStrategy "RollingUpdate"'
            yield bad("spec.updateStrategy.rollingUpdate", rolling, text)
        yield from not_negative(rolling, "spec.updateStrategy.rollingUpdate", "partition")
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
        yield from choice(retention.get(field), path, ("Retain", "Delete"))
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from _selects(spec, "statefulset")


def stateful_set_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """Only a few fields of a StatefulSet may change."""
    fixed = [{k: v for k, v in one["spec"].items() if k not in _CHANGEABLE} for one in (new, old)]
    if fixed[0] != fixed[1]:
        allowed = ", ".join(f"'{name}'" for name in _CHANGEABLE[:-1])
        text = f"updates to statefulset spec for fields other than {allowed} and '{_CHANGEABLE[-1]}' are forbidden"
        yield forbidden("spec", text)


def autoscaler(obj: JSON) -> Iterator[FieldError]:
    """A HorizontalPodAutoscaler."""
    spec = obj["spec"]
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        yield bad("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield bad("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        yield bad("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        if not target.get(field):
            yield required(f"spec.scaleTargetRef.{field}")
    yield from autoscaling.check(spec)


def disruption_budget(obj: JSON) -> Iterator[FieldError]:
    """A PodDisruptionBudget."""
    spec = obj["spec"]
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        shown = {key: spec[key] for key in ("minAvailable", "selector", "maxUnavailable") if key in spec}
        yield bad("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field, value in (("minAvailable", least), ("maxUnavailable", most)):
        yield from percent_or_number(value, f"spec.{field}")
        yield from at_most_all(value, f"spec.{field}")
    yield from label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    yield from choice(policy, "spec.unhealthyPodEvictionPolicy", ("AlwaysAllow", "IfHealthyBudget"))


def priority_class(obj: JSON) -> Iterator[FieldError]:
    """A PriorityClass."""
    name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
    if name.startswith("system-"):
        if name not in ("system-cluster-critical", "system-node-critical"):
            text = "priority class names with 'system-' prefix are reserved for system use only. error: "
            yield forbidden("metadata.name", f"{text}{name} is not a known system priority class")
    elif value > 1_000_000_000:
        yield forbidden("value", "maximum allowed value of a user defined priority is 1000000000")
    yield from choice(obj.get("preemptionPolicy"), "preemptionPolicy", ("Never", "PreemptLowerPriority"))


def priority_class_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A PriorityClass keeps its value."""
    if new.get("value") != old.get("value"):
        yield forbidden("value", "may not be changed in an update.")
    yield from immutable(new, old, "", "preemptionPolicy")


def revision(obj: JSON) -> Iterator[FieldError]:
    """A ControllerRevision."""
    if obj.get("data") is None:
        yield required("data", "data is mandatory")
    yield from not_negative(obj, "", "revision")


def revision_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """A ControllerRevision keeps its data."""
    yield from immutable(new, old, "", "data")
