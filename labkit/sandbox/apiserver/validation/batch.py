"""Job and CronJob."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names, schedules
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.apiserver.field_errors import FieldError, bad, required, too_long, unsupported
from labkit.sandbox.apiserver.validation import job_policies
from labkit.sandbox.apiserver.validation.basics import (
    IMMUTABLE,
    choice,
    domain_path,
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
    yield from _generated(obj)
    yield from _job_spec(spec, "spec")
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    yield from label_selector(selector, "spec.selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if not LabelSelector.from_object(selector).matches(labels or {}):
        shown = dict(sorted((labels or {}).items())) or None
        yield bad("spec.template.metadata.labels", shown, "`selector` does not match template `labels`")
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        host = f"{obj['metadata'].get('name', '')}-{completions - 1}"
        if names.dns1123_label(host):
            text = f"will not able to create pod with invalid DNS name: {host}"
            yield bad("metadata.name", obj["metadata"].get("name", ""), text)


def _generated(obj: JSON) -> Iterator[FieldError]:
    """The labels and the selector that the server made are still what it made."""
    spec, meta = obj["spec"], obj["metadata"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    said = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    wanted = {
        "batch.kubernetes.io/controller-uid": meta.get("uid", ""),
        "batch.kubernetes.io/job-name": meta.get("name", ""),
        "controller-uid": meta.get("uid", ""),
        "job-name": meta.get("name", ""),
    }
    for key in ("controller-uid", "job-name"):
        for name in (f"batch.kubernetes.io/{key}", key):
            path = f"spec.template.metadata.labels[{name}]"
            if name not in said:
                yield required(path, f"must be '{wanted[name]}'")
            elif said[name] != wanted[name]:
                yield bad(path, dict(sorted(said.items())), f"must be '{wanted[name]}'")
    if not LabelSelector.from_object(spec["selector"]).matches(wanted):
        yield bad("spec.selector", spec["selector"], "`selector` not auto-generated")


def _job_spec(spec: JSON, path: str) -> Iterator[FieldError]:
    yield from not_negative(
        spec,
        path,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    )
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    manager = spec.get("managedBy")
    if manager is not None:
        yield from domain_path(manager, f"{path}.managedBy")
        if len(manager) > 63:
            yield too_long(f"{path}.managedBy", 63)
    yield from job_policies.check(spec, path)
    template = spec.get("template") or {}
    yield from pod_template(template, f"{path}.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "")
    place = f"{path}.template.spec.restartPolicy"
    if policy in ("", "Always"):
        shown = ", ".join(f'"{one}"' for one in _POLICIES)
        yield required(place, f"valid values: {shown}")
    elif policy not in _POLICIES:
        yield unsupported(place, policy, _POLICIES)
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield bad(place, policy, 'only "Never" is supported when podFailurePolicy is specified')


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


def cron_job(obj: JSON) -> Iterator[FieldError]:
    """A CronJob."""
    spec = obj["spec"]
    schedule = spec.get("schedule", "")
    if not schedule:
        yield required("spec.schedule")
    else:
        yield from _schedule(schedule)
    yield from not_negative(spec, "spec", "startingDeadlineSeconds")
    if spec.get("timeZone") is not None:
        yield from _time_zone(spec["timeZone"])
    yield from choice(
        spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", ("Allow", "Forbid", "Replace"), needed=True
    )
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _job_spec(template, "spec.jobTemplate.spec")
    if template.get("selector") is not None:
        text = "`selector` will be auto-generated"
        yield bad("spec.jobTemplate.spec.selector", template["selector"], text)
    if template.get("manualSelector"):
        yield unsupported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false"))
    yield from not_negative(spec, "spec", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def new_cron_job(obj: JSON) -> Iterator[FieldError]:
    """A CronJob's name leaves room for its Jobs' suffix."""
    name = obj["metadata"].get("name", "")
    if len(name) > 52:
        yield bad("metadata.name", name, "must be no more than 52 characters")


def _schedule(schedule: str) -> Iterator[FieldError]:
    problem = schedules.problem(schedule)
    if problem and "TZ" not in schedule:
        yield bad("spec.schedule", schedule, problem)
    if "TZ" in schedule:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield bad("spec.schedule", schedule, text)


def _time_zone(zone: str) -> Iterator[FieldError]:
    if not zone:
        yield bad("spec.timeZone", zone, "timeZone must be nil or non-empty string")
        return
    if zone.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield bad("spec.timeZone", zone, text)
    if not schedules.is_zone(zone):
        yield bad("spec.timeZone", zone, f"unknown time zone {zone}")
