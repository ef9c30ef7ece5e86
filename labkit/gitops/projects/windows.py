"""Sync windows: the hours in which a project's applications may be synced, or may not.

An active deny blocks. Else an active allow permits. Else the mere existence of an allow, which is not active now,
blocks. ``manualSync`` on a window lets a person through where automation is held; ``syncOverrun`` lets a sync that
began while it was allowed go on to its end.

Source: the SyncWindow types in pkg/apis/application/v1alpha1/types.go in Argo CD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.projects import globs
from labkit.k8s import schedules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from labkit.gitops.api.application import Destination

JSON = dict[str, Any]
_DESCRIPTION = 255
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(frozen=True)
class Window:
    """One window: from each moment of its schedule, for as long as its duration."""

    kind: str
    schedule: str
    duration: timedelta
    zone: str = ""
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    manual: bool = False
    all_of: bool = False
    overrun: bool = False

    @classmethod
    def parse(cls, raw: JSON, number: int = 0) -> Window:
        """From ``spec.syncWindows``; `InvalidSpec` names the field."""
        where = f"spec.syncWindows[{number}]"
        kind, schedule, duration = raw.get("kind"), raw.get("schedule") or "", str(raw.get("duration") or "")
        if kind not in ("allow", "deny"):
            raise InvalidSpec(f"kind is allow or deny, not {kind!r}", where=f"{where}.kind", fix="kind: deny")
        if problem := schedules.problem(schedule):
            fix = "Five fields: minute, hour, day of month, month, day of week (0 to 6), as in `0 22 * * *`."
            raise InvalidSpec(f"{schedule!r} is no schedule: {problem}", where=f"{where}.schedule", fix=fix)
        if not re.fullmatch(r"([0-9.]+(h|m|s|ms))+", duration):
            raise InvalidSpec(
                f"{duration!r} is no duration", where=f"{where}.duration", fix="Write 2h or 1h30m."
            )
        zone = raw.get("timeZone") or ""
        if zone and not schedules.is_zone(zone):
            raise InvalidSpec(f"unknown time zone {zone!r}", where=f"{where}.timeZone", fix="Europe/Berlin")
        if len(str(raw.get("description") or "")) > _DESCRIPTION:
            raise InvalidSpec(
                f"more than {_DESCRIPTION} characters", where=f"{where}.description", fix="Shorten it."
            )
        parts = re.findall(r"([0-9.]+)(h|ms|m|s)", duration)
        return cls(
            kind,
            schedule,
            timedelta(seconds=sum(float(count) * _UNITS[unit] for count, unit in parts)),
            zone,
            tuple(raw.get("applications") or ()),
            tuple(raw.get("namespaces") or ()),
            tuple(raw.get("clusters") or ()),
            manual=bool(raw.get("manualSync")),
            all_of=bool(raw.get("andOperator")),
            overrun=bool(raw.get("syncOverrun")),
        )

    def is_active(self, now: datetime) -> bool:
        """Whether it is open at that moment."""
        opened = next(schedules.times(self.schedule, now - self.duration, schedules.zone(self.zone)), None)
        return opened is not None and opened < now

    def matches(self, app: str, destination: Destination) -> bool:
        """Whether it is about the application: one of what it names, or all of it (``andOperator``)."""
        said = [
            globs.in_list(list(self.applications), app) if self.applications else None,
            globs.in_list(list(self.namespaces), destination.namespace) if self.namespaces else None,
            any(globs.in_list(list(self.clusters), place) for place in (destination.server, destination.name))
            if self.clusters
            else None,
        ]
        named = [one for one in said if one is not None]
        return bool(named) and (all(named) if self.all_of else any(named))

    def __str__(self) -> str:
        zone = f" {self.zone}" if self.zone else ""
        return f"{self.kind} `{self.schedule}`{zone} for {self.duration}"


def can_sync(windows: Iterable[tuple[Window, bool]], *, manual: bool) -> bool:
    """Whether a sync may begin, by the windows that are about the application and whether each is active."""
    holding = _holding(list(windows))
    return not holding or (manual and all(window.manual for window in holding))


def can_go_on(windows: Sequence[Window], now: datetime, began: datetime, *, manual: bool) -> bool:
    """Whether a sync that began at that moment may go on now, by the windows that are about the application.

    Where all that hold it now have ``syncOverrun``, it may if it might have begun when it did.
    """
    seen = [(window, window.is_active(now)) for window in windows]
    if can_sync(seen, manual=manual):
        return True
    then = [(window, window.is_active(began)) for window in windows]
    return all(window.overrun for window in _holding(seen)) and can_sync(then, manual=manual)


def _holding(windows: Sequence[tuple[Window, bool]]) -> list[Window]:
    """Those that stand in the way: denying ones that are active, else allowing ones of which none is."""
    if denying := [window for window, active in windows if active and window.kind == "deny"]:
        return denying
    allowing = [(window, active) for window, active in windows if window.kind == "allow"]
    return [] if any(active for _, active in allowing) else [window for window, _ in allowing]
