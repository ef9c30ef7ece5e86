"""Cells that show how long ago something was.

Source: apimachinery's util/duration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import get_path
from labkit.sandbox.apiserver.cells.values import NONE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = dict[str, Any]


def timed(cell: Callable[[JSON, datetime], str]) -> Callable[[JSON, datetime], str]:
    """Mark a cell that needs the time."""
    cell.timed = True  # type: ignore[attr-defined]
    return cell


def age(value: str | None, now: datetime) -> str:
    """How long ago, as people read it: ``5m12s``, ``3d4h``."""
    if not value:
        return UNKNOWN
    return span((now - datetime.fromisoformat(value)).total_seconds())


def span(seconds: float) -> str:
    """A duration in one or two units, the more the longer ago (``HumanDuration``)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(much: int, unit: str, rest: int, rest_unit: str) -> str:
    return f"{much}{unit}{rest}{rest_unit}" if rest else f"{much}{unit}"


def ago(path: str) -> Callable[[JSON, datetime], str]:
    """How long ago the time in a field is; ``<none>`` where there is none."""

    @timed
    def cell(obj: JSON, now: datetime) -> str:
        value = get_path(obj, *path.split("."))
        return age(value, now) if value else NONE

    return cell
