"""When a CronJob's schedule is due: five fields, a descriptor such as ``@daily``, or ``@every 1h30m``.

The five fields are read by cronsim, which follows Debian's cron in the rules that matter here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
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


def times(schedule: str, after: datetime, where: ZoneInfo | None = None) -> Iterator[datetime]:
    """The moments after ``after`` at which the schedule is due, in UTC. Raises `NoSchedule`."""
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
