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
    selector_operators,
)
from labkit.sandbox.apiserver.validation.pods import pod_template, template_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_CHANGEABLE: Final = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_MISMATCH: Final = "`selector` does not match template `labels`"


def _selector(spec: JSON, kind: str) -> Iterator[FieldError]:
    """The selector is there, and selects something."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    yield from label_selector(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield bad("spec.selector", selector, f"empty selector is invalid for {kind}")


def _readable(selector: JSON | None) -> bool:
    return not any(True for _ in selector_operators(selector, "spec.selector"))


def _matches(spec: JSON, *, empty: bool = False) -> Iterator[FieldError]:
    """The selector selects the template's pods; `empty`: one that selects everything is asked as well."""
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    parsed = LabelSelector.from_object(selector)
    if (selector is None or parsed.requirements or empty) and not parsed.matches(labels or {}):
        yield bad("spec.template.metadata.labels", labels, _MISMATCH)


def _runs_on(template: JSON, kind: str) -> Iterator[FieldError]:
    """A workload's pods never end of themselves."""
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy")
    if policy and policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
    if pod.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)


def _replica_set_template(spec: JSON) -> Iterator[FieldError]:
    if not _readable(spec.get("selector")):
        yield bad("spec.selector", spec["selector"], "invalid label selector")
        return
    template = spec.get("template") or {}
    yield from _matches(spec)
    yield from pod_template(template, "spec.template")
    yield from _runs_on(template, "ReplicaSet")


def deployment(obj: JSON) -> Iterator[FieldError]:
    """A Deployment."""
    spec = obj["spec"]
    yield from not_negative(spec, "spec", "replicas")
    yield from _selector(spec, "deployment")
    yield from _replica_set_template(spec)
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
    yield from _selector(obj["spec"], "deployment")  # the real server's word
    yield from _replica_set_template(obj["spec"])


def replication_controller(obj: JSON) -> Iterator[FieldError]:
    """A ReplicationController."""
    spec = obj["spec"]
    yield from not_negative(spec, "spec", "minReadySeconds")
    if not spec.get("selector"):
        yield required("spec.selector")
    yield from not_negative(spec, "spec", "replicas")
    template = spec.get("template")
    if template is None:
        yield required("spec.template")
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not LabelSelector.from_labels(spec.get("selector")).matches(labels):
        yield bad("spec.template.metadata.labels", labels or None, _MISMATCH)
    yield from pod_template(template, "spec.template")
    yield from _runs_on(template, "ReplicationController")


def daemon_set(obj: JSON) -> Iterator[FieldError]:
    """A DaemonSet."""
    spec = obj["spec"]
    selector, template = spec.get("selector"), spec.get("template") or {}
    yield from label_selector(selector, "spec.selector")
    if _readable(selector):
        yield from _matches(spec, empty=True)
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield bad("spec.selector", selector, "empty selector is invalid for daemonset")
    yield from pod_template(template, "spec.template")
    yield from _runs_on(template, "DaemonSet")
    yield from not_negative(spec, "spec", "minReadySeconds")
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "RollingUpdate":
        yield from _daemon_rolling(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate")
    elif strategy.get("type") != "OnDelete":
        shown = {"Type": strategy.get("type", ""), "RollingUpdate": strategy.get("rollingUpdate")}
        yield unsupported("spec.updateStrategy", shown, ("RollingUpdate", "OnDelete"))
    yield from not_negative(spec, "spec", "revisionHistoryLimit")


def _daemon_rolling(rolling: JSON, path: str) -> Iterator[FieldError]:
    for check in (percent_or_number, at_most_all):
        for field in ("maxUnavailable", "maxSurge"):
            yield from check(rolling.get(field), f"{path}.{field}")
    down, up = not is_zero(rolling.get("maxUnavailable")), not is_zero(rolling.get("maxSurge"))
    if down and up:
        yield bad(f"{path}.maxSurge", rolling["maxSurge"], "may not be set when maxUnavailable is non-zero")
    if not down and not up:
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def stateful_set(obj: JSON) -> Iterator[FieldError]:
    """A StatefulSet.  Of its template only the labels are looked at: the pods' own creation says the rest."""
    spec = obj["spec"]
    policy = spec.get("podManagementPolicy", "")
    if not policy:
        yield required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        yield bad("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
        yield from choice(retention.get(field), path, ("Retain", "Delete"))
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from not_negative(spec.get("ordinals") or {}, "spec.ordinals", "start")
    yield from _selector(spec, "statefulset")
    template = spec.get("template") or {}
    if not _readable(spec.get("selector")):
        yield bad("spec.selector", spec["selector"], "")
    else:
        yield from _matches(spec)
        yield from template_metadata(template, "spec.template")
    yield from _runs_on(template, "StatefulSet")


def _stateful_strategy(strategy: JSON, path: str) -> Iterator[FieldError]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        yield from not_negative(rolling or {}, f"{path}.rollingUpdate", "partition")
        down = (rolling or {}).get("maxUnavailable")
        yield from percent_or_number(down, f"{path}.rollingUpdate.maxUnavailable")
        if down is not None and is_zero(down):
            yield bad(f"{path}.rollingUpdate.maxUnavailable", down, "cannot be 0")
        yield from at_most_all(down, f"{path}.rollingUpdate.maxUnavailable")
    elif kind == "OnDelete":
        if rolling is not None:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            yield bad(f"{path}.rollingUpdate", rolling, text)
    elif not kind:
        yield required(path)
    else:
        shown = {"Type": kind, "RollingUpdate": rolling}
        yield bad(path, shown, "must be 'RollingUpdate' or 'OnDelete'")


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
    yield from choice(obj.get("preemptionPolicy"), "preemptionPolicy", ("PreemptLowerPriority", "Never"))


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
