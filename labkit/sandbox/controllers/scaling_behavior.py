"""How fast a HorizontalPodAutoscaler may go: stabilization windows, scaling policies, and the limits of its spec.

What it must remember for that (what was recommended when, and what was done when) is kept in memory, as in
Kubernetes: an autoscaler whose controller was started anew may scale down a little earlier.

Source: pkg/controller/podautoscaler/horizontal.go in Kubernetes 1.36 (``normalizeDesiredReplicas`` and
``normalizeDesiredReplicasWithBehaviors``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

DOWN_WINDOW: Final = 300
"""Seconds that a scale-down waits for a higher recommendation, where the spec does not say."""

Rules = dict[str, Any]


class Said(NamedTuple):
    """A number of replicas with the reason and message of the condition that explains it."""

    replicas: int
    reason: str
    message: str


WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_FAST_UP = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
_TOO_FAST_DOWN = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)
_TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_DOWN = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
_UP = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)


@dataclass
class Memory:
    """What was recommended and done for one autoscaler."""

    recommended: list[tuple[datetime, int]] = field(default_factory=list)
    added: list[tuple[datetime, int]] = field(default_factory=list)
    removed: list[tuple[datetime, int]] = field(default_factory=list)

    def begin(self, now: datetime, replicas: int) -> None:
        """The first recommendation is that all stays as it is."""
        if not self.recommended:
            self.recommended.append((now, replicas))

    def scaled(self, now: datetime, behavior: Rules | None, before: int, after: int) -> None:
        """Note a change; only policies look at it."""
        if behavior is None:
            return
        events, rules = (
            (self.added, behavior["scaleUp"]) if after > before else (self.removed, behavior["scaleDown"])
        )
        longest = max((policy["periodSeconds"] for policy in rules.get("policies") or ()), default=0)
        events[:] = [event for event in events if event[0] >= now - timedelta(seconds=longest)]
        events.append((now, abs(after - before)))

    def recommend(self, now: datetime, replicas: int, window: int) -> None:
        """Note a recommendation, and forget those older than the window."""
        oldest = now - timedelta(seconds=window)
        self.recommended[:] = [one for one in self.recommended if one[0] >= oldest]
        self.recommended.append((now, replicas))


def stabilized(memory: Memory, behavior: Rules | None, now: datetime, current: int, wanted: int) -> Said:
    """The recommendation, or a more careful one of the window: the highest when going down, the lowest when up."""
    up, down = _window(behavior, "scaleUp", 0), _window(behavior, "scaleDown", DOWN_WINDOW)
    if behavior is None:  # the window is for scaling down only, and holds in both directions
        recent = [count for when, count in memory.recommended if when >= now - timedelta(seconds=down)]
        memory.recommend(now, wanted, down)
        return Said(max([wanted, *recent]), *_DOWN)
    lowest = min([wanted, *_since(memory, now, up)])
    highest = max([wanted, *_since(memory, now, down)])
    memory.recommend(now, wanted, max(up, down))
    return Said(min(max(current, lowest), highest), *(_UP if wanted >= current else _DOWN))


def _since(memory: Memory, now: datetime, seconds: int) -> list[int]:
    return [count for when, count in memory.recommended if when > now - timedelta(seconds=seconds)]


def _window(behavior: Rules | None, direction: str, default: int) -> int:
    said = (behavior or {}).get(direction, {}).get("stabilizationWindowSeconds")
    return default if said is None else int(said)


def limited(
    memory: Memory, behavior: Rules | None, now: datetime, current: int, wanted: int, spec: tuple[int, int]
) -> Said:
    """As many of the wanted replicas as the policies and the spec's minimum and maximum allow."""
    least, most = spec
    if behavior is None:
        fastest = max(2 * current, 4)
        ceiling, why = (fastest, _TOO_FAST_UP) if most > fastest else (most, _TOO_MANY)
        if wanted < least:
            return Said(least, *_TOO_FEW)
        return Said(ceiling, *why) if wanted > ceiling else Said(wanted, *WITHIN)
    if wanted > current:
        fastest = max(current, _highest(behavior["scaleUp"], memory, now, current))
        ceiling, why = (fastest, _TOO_FAST_UP) if most > fastest else (most, _TOO_MANY)
        if wanted > ceiling:
            return Said(ceiling, *why)
    elif wanted < current:
        slowest = min(current, _lowest(behavior["scaleDown"], memory, now, current))
        floor, why = (slowest, _TOO_FAST_DOWN) if least < slowest else (least, _TOO_FEW)
        if wanted < floor:
            return Said(floor, *why)
    return Said(wanted, *WITHIN)


def _highest(rules: Rules, memory: Memory, now: datetime, current: int) -> int:
    """How many replicas the scale-up policies allow now."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    found = []
    for policy in rules.get("policies") or ():
        start = _before(memory, policy["periodSeconds"], now, current)
        if policy["type"] == "Pods":
            found.append(start + policy["value"])
        else:  # rounded up, or one replica could never grow by less than 100 %
            found.append(math.ceil(start * (1 + policy["value"] / 100)))
    if rules.get("selectPolicy") == "Min":
        return min(found, default=0)
    return max(found, default=0)


def _lowest(rules: Rules, memory: Memory, now: datetime, current: int) -> int:
    """How few replicas the scale-down policies allow now."""
    if rules.get("selectPolicy") == "Disabled":
        return current
    found = []
    for policy in rules.get("policies") or ():
        start = _before(memory, policy["periodSeconds"], now, current)
        if policy["type"] == "Pods":
            found.append(start - policy["value"])
        else:
            found.append(int(start * (1 - policy["value"] / 100)))
    if rules.get("selectPolicy") == "Min":  # the smallest change leaves the most
        return max(found, default=current)
    return min(found, default=current)


def _before(memory: Memory, seconds: int, now: datetime, current: int) -> int:
    """How many replicas there were at the beginning of a policy's period."""
    since = now - timedelta(seconds=seconds)
    added = sum(count for when, count in memory.added if when > since)
    removed = sum(count for when, count in memory.removed if when > since)
    return current - added + removed
