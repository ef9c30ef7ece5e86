"""Spans of time as Go and Argo CD write them: ``24h``, ``1h30m``, ``0s``; and days, which they lack."""

from __future__ import annotations

import re

from labkit.errors import BadRequest

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def seconds_of(text: str, where: str) -> int:
    """How many seconds; `BadRequest` for what is no span of time."""
    said = text.strip()
    if said in ("", "0"):
        return 0
    if not re.fullmatch(r"(\d{1,9}[dhms])+", said):
        raise BadRequest(
            f"{text!r} is no span of time", where=where, fix="Write 24h, 30m or 7d; 0s: for ever."
        )
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([dhms])", said))
