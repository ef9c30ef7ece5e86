"""What health is: a word, and a sentence that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from labkit.k8s.objects import Object

HEALTHY, SUSPENDED, PROGRESSING, MISSING, DEGRADED, UNKNOWN = (
    "Healthy",
    "Suspended",
    "Progressing",
    "Missing",
    "Degraded",
    "Unknown",
)
ORDER = (HEALTHY, SUSPENDED, PROGRESSING, MISSING, DEGRADED, UNKNOWN)
"""From best to worst."""


class Health(NamedTuple):
    """One object's health."""

    status: str
    message: str = ""


def worst(statuses: list[str]) -> str:
    """The worst of several; Healthy of none."""
    return max(statuses, key=ORDER.index, default=HEALTHY)


def conditions(obj: Object) -> dict[str, dict[str, Any]]:
    """``status.conditions`` by type."""
    found = (obj.get("status") or {}).get("conditions") or []
    return {condition.get("type", ""): condition for condition in found}


def is_true(condition: dict[str, Any] | None) -> bool:
    """Whether a condition is there and ``True``."""
    return condition is not None and condition.get("status") == "True"


def number(mapping: dict[str, Any], name: str, default: int = 0) -> int:
    """A counter that the API leaves out when it is 0."""
    value = mapping.get(name)
    return default if value is None else int(value)
