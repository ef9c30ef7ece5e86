"""Job and CronJob."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names, schedules
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver.field_errors import FieldError, bad, required, unsupported
from labkit.sandbox.apiserver.validation.basics import (
    IMMUTABLE,
    choice,
    immutable,
    label_selector,
    not_negative,
)
from labkit.sandbox.apiserver.validation.pods import pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_POLICIES: Final = ("OnFailure", "Never")


def job(obj: JSON) -> Iterator[FieldError]:
    """A Job."""
    spec = obj["spec"]
    yield from _job_spec(spec, "spec")
    if spec.get("selector") is None:
        yield required("spec.selector")
    else:
        yield from label_selector(spec["selector"], "spec.selector")
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
        if not LabelSelector.from_object(spec["selector"]).matches(labels or {}):
            yield bad("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _job_spec(spec: JSON, path: str) -> Iterator[FieldError]:
    yield from not_negative(
        spec,
        path,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    )
    yield from choice(spec.get("completionMode"), f"{path}.completionMode", ("NonIndexed", "Indexed"))
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    template = spec.get("template") or {}
    yield from pod_template(template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "")
    place = f"{path}.template.spec.restartPolicy"
    if policy in ("", "Always"):
        shown = ", ".join(f'"{one}"' for one in _POLICIES)
        yield required(place, f"valid values: {shown}")
    elif policy not in _POLICIES:
        yield unsupported(place, policy, _POLICIES)


def job_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """Of a Job only how much of it runs may change."""
    spec, before = new["spec"], old["spec"]
    fixed = (
        "selector",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    )
    if spec.get("completions") != before.get("completions"):
        elastic = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get(
            "parallelism"
        )
        if not elastic:
            yield bad("spec.completions", spec.get("completions"), IMMUTABLE)
    yield from immutable(spec, before, "spec", *fixed)
    if spec.get("template") != before.get("template") and not _may_move(spec, before, old):
        now, then = spec["template"], before["template"]
        if now.get("spec") != then.get("spec"):
            yield bad("spec.template.spec", now.get("spec"), IMMUTABLE)
        else:
            yield bad("spec.template", now, IMMUTABLE)


def _may_move(spec: JSON, before: JSON, old: JSON) -> bool:
    """A suspended Job that never ran may still be told where to run."""
    if not before.get("suspend") or (old.get("status") or {}).get("startTime"):
        return False
    movable = ("nodeSelector", "tolerations", "affinity", "schedulingGates")

    def rest(one: JSON) -> JSON:
        pod = one["template"].get("spec") or {}
        return {key: value for key, value in pod.items() if key not in movable}

    return rest(spec) == rest(before)


def cron_job_name(name: str) -> list[str]:
    """A CronJob's name leaves room for its Jobs' suffix."""
    if len(name) > 52:
        return ["must be no more than 52 characters"]
    return names.dns1123_subdomain(name)


def cron_job(obj: JSON) -> Iterator[FieldError]:
    """A CronJob."""
    spec = obj["spec"]
    schedule = spec.get("schedule", "")
    if not schedule:
        yield required("spec.schedule")
    else:
        problem = schedules.problem(schedule)
        if problem:
            yield bad("spec.schedule", schedule, problem)
    zone = spec.get("timeZone")
    if zone is not None and not schedules.is_zone(zone):
        yield bad("spec.timeZone", zone, f"unknown time zone {zone}")
    yield from not_negative(spec, "spec", "startingDeadlineSeconds")
    yield from choice(
        spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", ("Allow", "Forbid", "Replace"), needed=True
    )
    yield from not_negative(spec, "spec", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    yield from _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")
