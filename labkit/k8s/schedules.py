"""Schedules as CronJobs and sync windows have them: five fields, a descriptor such as ``@daily``, or ``@every 1h30m``.

What is wrong with one is said in the words of the library that Kubernetes and Argo CD use; when it is due is cronsim's
work.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS: Final = {name: i for i, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
_FIELDS: Final[tuple[tuple[int, int, dict[str, int]], ...]] = (
    (0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS),
)  # fmt: skip
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class NoSchedule(ValueError):
    """A schedule or a time zone that makes no sense, or that never comes."""


def zone(name: str | None) -> ZoneInfo | None:
    """The time zone of that name (``None``: UTC, as the cluster's clock). Raises `NoSchedule`."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NoSchedule(f"unknown time zone {name}") from error


def problem(schedule: str) -> str:
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
            found = _part_problem(part, low, high, words)
            if found:
                return found
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


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        zone(name)
    except NoSchedule:
        return False
    return True


def times(schedule: str, after: datetime, where: ZoneInfo | None = None) -> Iterator[datetime]:
    """The moments after ``after`` at which the schedule is due, in UTC. Raises `NoSchedule`."""
    if said := problem(schedule):
        raise NoSchedule(said)
    if schedule.startswith("@every "):
        return _every(schedule.removeprefix("@every "), after)
    try:
        found = CronSim(
            _DESCRIPTORS.get(schedule, schedule).replace("?", "*"), after.astimezone(where or UTC)
        )
    except CronSimError as error:
        raise NoSchedule(str(error)) from error
    return (moment.astimezone(UTC) for moment in found)


def latest(
    schedule: str, after: datetime, now: datetime, where: ZoneInfo | None = None
) -> tuple[datetime | None, int]:
    """The last moment in ``(after, now]`` at which it was due, and how many there were (100 stand for more)."""
    last, count = None, 0
    for moment in times(schedule, after, where):
        if moment > now:
            return last, count
        last, count = moment, count + 1
        if count > 100:  # a schedule that was down for long: look at its end only
            return _near(schedule, now, where) or last, count
    return last, count


def _near(schedule: str, now: datetime, where: ZoneInfo | None) -> datetime | None:
    for hours in (1, 24, 24 * 31, 24 * 366):
        found = None
        for moment in times(schedule, now - timedelta(hours=hours), where):
            if moment > now:
                break
            found = moment
        if found is not None:
            return found
    return None


def _every(text: str, after: datetime) -> Iterator[datetime]:
    parts = re.findall(r"([0-9.]+)(ns|us|ms|s|m|h)", text)
    pause = timedelta(seconds=max(1.0, sum(float(number) * _UNITS[unit] for number, unit in parts)))
    moment = after.replace(microsecond=0)
    while True:
        moment += pause
        yield moment
