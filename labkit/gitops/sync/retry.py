"""When a failed sync is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.gitops.api.application import Retry

AUTOMATIC_LIMIT = 5
"""Tries of an automatic sync whose policy names no limit."""


def delay(retry: Retry, tries: int) -> float:
    """Seconds to wait after so many retries: ``duration × factor^tries``, at most ``maxDuration``."""
    try:
        return min(retry.duration * retry.factor**tries, retry.maximum)
    except OverflowError:
        return retry.maximum


def again(retry: Retry, tries: int) -> bool:
    """Whether there is to be another try; a limit of -1 never ends."""
    return retry.limit < 0 or tries < retry.limit
