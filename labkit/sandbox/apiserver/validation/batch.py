"""Job and CronJob."""

# ruff: noqa: SIM905 - a table of words is read more easily as text

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
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
        problem = schedule_problem(schedule)
        if problem:
            yield bad("spec.schedule", schedule, problem)
    zone = spec.get("timeZone")
    if zone is not None and not _known_zone(zone):
        yield bad("spec.timeZone", zone, f"unknown time zone {zone}")
    yield from not_negative(spec, "spec", "startingDeadlineSeconds")
    yield from choice(
        spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", ("Allow", "Forbid", "Replace"), needed=True
    )
    yield from not_negative(spec, "spec", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    yield from _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def _known_zone(zone: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


# ── schedules ─────────────────────────────────────────────────────────────────

_DESCRIPTORS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS: Final = {
    name: i + 1 for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())
}
_DAYS: Final = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
_FIELDS: Final[tuple[tuple[int, int, dict[str, int]], ...]] = (
    (0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS),
)  # fmt: skip


def schedule_problem(schedule: str) -> str:
    """What is wrong with a schedule, in the words of the cron library; "" for nothing."""
    if schedule.startswith("@"):
        if schedule in _DESCRIPTORS or re.fullmatch(r"@every ([0-9.]+(ns|us|ms|s|m|h))+", schedule):
            return ""
        return f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for text, (low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            problem = _part_problem(part, low, high, words)
            if problem:
                return problem
    return ""


def _part_problem(part: str, low: int, high: int, words: dict[str, int]) -> str:
    span, *step = part.split("/")
    if len(step) > 1:
        return f"too many slashes: {part}"
    ends = span.split("-")
    if len(ends) > 2:
        return f"too many hyphens: {part}"
    numbers = [low, high]
    if ends[0] not in ("*", "?"):
        numbers = []
        for end in ends:
            value = words.get(end.lower(), -1)
            if value < 0 and not end.isdigit():
                return f'failed to parse int from {end}: strconv.Atoi: parsing "{end}": invalid syntax'
            numbers.append(value if value >= 0 else int(end))
    if step and (not step[0].isdigit() or int(step[0]) == 0):
        if step[0].isdigit():
            return f"step of range should be a positive number: {part}"
        return f'failed to parse int from {step[0]}: strconv.Atoi: parsing "{step[0]}": invalid syntax'
    first, last = numbers[0], numbers[-1]
    if first < low:
        return f"beginning of range ({first}) below minimum ({low}): {part}"
    if last > high:
        return f"end of range ({last}) above maximum ({high}): {part}"
    if first > last:
        return f"beginning of range ({first}) beyond end of range ({last}): {part}"
    return ""
