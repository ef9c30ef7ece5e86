"""Writes ``Application.status``: only what changed, and nothing at all where nothing did."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from math import inf
from typing import Any

JSON = dict[str, Any]
_ROUNDING = 1.0  # stamps have whole seconds
LONGEST_MESSAGE = 8000
"""Characters of a message: what a chart or a server says may be of any length, an Application may not."""


def difference(old: Any, new: Any) -> Any:
    """The JSON merge patch (RFC 7386) that makes ``new`` of ``old``; ``{}`` where they are the same."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    patch: JSON = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = copy.deepcopy(value)
        elif old[name] != value:
            patch[name] = difference(old[name], value)
    return patch


def set_conditions(status: JSON, found: dict[str, str], owned: set[str], now: datetime) -> None:
    """Replace the conditions of the types in ``owned`` by ``found`` (type → message).

    A condition that stays keeps the time of its beginning.
    """
    before = {c.get("type"): c for c in status.get("conditions") or []}
    kept = [c for c in status.get("conditions") or [] if c.get("type") not in owned]
    for name, said in found.items():
        message, old = bounded(said), before.get(name)
        if old is not None and old.get("message") == message:
            kept.append(old)
        else:
            kept.append({"type": name, "message": message, "lastTransitionTime": stamp(now)})
    if kept:
        status["conditions"] = sorted(kept, key=lambda c: str(c.get("type")))
    else:
        status.pop("conditions", None)


def bounded(message: str) -> str:
    """A message of any length as it can stand in a status: its beginning, and that there was more."""
    more = len(message) - LONGEST_MESSAGE
    return message if more <= 0 else f"{message[:LONGEST_MESSAGE]} … ({more:,} characters more)"


def set_health(status: JSON, found: str, now: datetime) -> None:
    """The application's health, with the time of its last change."""
    old = status.get("health") or {}
    if old.get("status") != found:
        status["health"] = {"status": found, "lastTransitionTime": stamp(now)}


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)


def since(began: datetime, now: datetime) -> float:
    """Seconds that have passed. Of a moment that is still to come, endless: the machine's clock was set back.

    So whoever waits waits too short then, once, rather than for as long as the clock was wrong.
    """
    passed = (now - began).total_seconds()
    return passed if passed > -_ROUNDING else inf
