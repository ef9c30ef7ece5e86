"""Conditions: what a controller says about an object, one statement a type, and since when it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.runtime.recorder import timestamp

if TYPE_CHECKING:
    from datetime import datetime

Condition = dict[str, Any]


def condition(
    name: str, status: str, reason: str, message: str, now: datetime, *, updated: str = ""
) -> Condition:
    """A new condition; ``updated`` names the field that tells when it was last looked at, for kinds that have one."""
    made = {"type": name, "status": status, "reason": reason, "message": message}
    made["lastTransitionTime"] = timestamp(now)
    if updated:
        made[updated] = timestamp(now)
    return made


def find(conditions: list[Condition], name: str) -> Condition | None:
    """The condition of that type."""
    return next((c for c in conditions if c["type"] == name), None)


def put(conditions: list[Condition], new: Condition) -> list[Condition]:
    """The conditions with a new one in the place of the old of its type.

    The same status and reason as before is no news. The transition's time stays while the status does.
    """
    old = find(conditions, new["type"])
    if old is not None and (old["status"], old.get("reason")) == (new["status"], new.get("reason")):
        return conditions
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old.get("lastTransitionTime")}
    return [*without(conditions, new["type"]), new]


def without(conditions: list[Condition], name: str) -> list[Condition]:
    """The conditions but that of one type."""
    return [c for c in conditions if c["type"] != name]
