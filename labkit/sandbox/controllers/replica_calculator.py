"""How many replicas a metric asks for: the arithmetic of the HorizontalPodAutoscaler, without side effects.

    wanted = ceil(ready replicas × current value / target value)

and nothing at all while that quotient is within the *tolerance* of 1. Pods whose value is not known are guessed
against the direction of the change: as idle when there is more to do, as busy when there is less.

Source: pkg/controller/podautoscaler/replica_calculator.go in Kubernetes 1.36.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from labkit.k8s import quantities
from labkit.k8s.objects import Object, get_path, name_of
from labkit.sandbox.controllers import pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TOLERANCE: Final = 0.1
CPU_INITIALIZATION: Final = timedelta(minutes=5)
READINESS_DELAY: Final = timedelta(seconds=30)


class NoProposal(Exception):
    """A metric says nothing; the text says why, in the controller's words."""


@dataclass(frozen=True)
class Sample:
    """What a pod uses, in thousandths (of a core, of a byte), over the window that ended at the moment."""

    value: int
    moment: datetime
    window: timedelta


@dataclass(frozen=True)
class Tolerances:
    """How far the quotient may be below and above 1 before it counts."""

    down: float = TOLERANCE
    up: float = TOLERANCE

    def allow(self, ratio: float) -> bool:
        """Whether the change would be too small."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True)
class Proposal:
    """How many replicas there should be, and what was measured: per cent of the request, and the average."""

    replicas: int
    average: int
    percent: int | None = None


@dataclass
class Groups:
    """The pods by what is known of them."""

    ready: int = 0
    unready: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)


def group(found: Iterable[Object], samples: Mapping[str, Sample], resource: str, now: datetime) -> Groups:
    """Who counts. A processor's use is believed only of pods that have got over their start."""
    groups = Groups()
    for pod in found:
        name = name_of(pod)
        if pods.is_deleting(pod) or pods.phase(pod) == "Failed":
            groups.ignored.add(name)
        elif pods.phase(pod) == "Pending":
            groups.unready.add(name)
        elif name not in samples:
            groups.missing.add(name)
        elif resource == "cpu" and _starting(pod, samples[name], now):
            groups.unready.add(name)
        else:
            groups.ready += 1
    return groups


def _starting(pod: Object, sample: Sample, now: datetime) -> bool:
    ready = pods.condition(pod, "Ready")
    began = pods.parse_time(get_path(pod, "status", "startTime"))
    since = pods.ready_since(pod)
    if ready is None or began is None or since is None:
        return True
    if began + CPU_INITIALIZATION > now:
        return bool(ready["status"] == "False") or sample.moment < since + sample.window
    return bool(ready["status"] == "False") and began + READINESS_DELAY > since


def requests_of(found: Iterable[Object], container: str, resource: str) -> dict[str, int]:
    """What each pod requests, in thousandths.  Raises `NoProposal` where one requests nothing."""
    requests = {}
    for pod in found:
        spec = pod["spec"]
        whole = get_path(spec, "resources", "requests", resource)
        if whole is not None and not container:  # said of the pod, not of its containers
            requests[name_of(pod)] = milli(whole)
            continue
        sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
        total = 0
        for one in [*spec["containers"], *sidecars]:
            if container in ("", one["name"]):
                asked = get_path(one, "resources", "requests", resource)
                if asked is None:
                    text = f"missing request for {resource} in container {one['name']} of Pod {name_of(pod)}"
                    raise NoProposal(text)
                total += milli(asked)
        requests[name_of(pod)] = total
    return requests


def utilization(
    current: int,
    target: int,
    found: Sequence[Object],
    samples: Mapping[str, Sample],
    where: tuple[str, str],
    tolerances: Tolerances,
    now: datetime,
) -> Proposal:
    """Replicas for a share of the request, in per cent; ``where`` is (container or "", resource)."""
    container, resource = where
    groups, values = _counted(found, samples, resource, now)
    requests = requests_of(found, container, resource)
    ratio, percent, average = _share(values, requests, target)
    fallback = max(100, target)
    busy = {name: requests[name] * fallback // 100 for name in groups.missing}
    filled = _filled(values, groups, ratio, busy)
    if filled is None:
        return Proposal(
            current if tolerances.allow(ratio) else math.ceil(ratio * groups.ready), average, percent
        )
    again, _, _ = _share(filled, requests, target)
    return Proposal(_second(current, ratio, again, len(filled), tolerances), average, percent)


def plain(
    current: int,
    target: int,
    found: Sequence[Object],
    samples: Mapping[str, Sample],
    resource: str,
    tolerances: Tolerances,
    now: datetime,
) -> Proposal:
    """Replicas for an average amount, in thousandths."""
    groups, values = _counted(found, samples, resource, now)
    average = sum(values.values()) // len(values)
    ratio = average / target
    filled = _filled(values, groups, ratio, dict.fromkeys(groups.missing, target))
    if filled is None:
        return Proposal(current if tolerances.allow(ratio) else math.ceil(ratio * groups.ready), average)
    again = (sum(filled.values()) // len(filled)) / target
    return Proposal(_second(current, ratio, again, len(filled), tolerances), average)


def _counted(
    found: Sequence[Object], samples: Mapping[str, Sample], resource: str, now: datetime
) -> tuple[Groups, dict[str, int]]:
    if not found:
        raise NoProposal("no pods returned by selector while calculating replica count")
    groups = group(found, samples, resource, now)
    left_out = groups.ignored | groups.unready
    values = {name: sample.value for name, sample in samples.items() if name not in left_out}
    if not values:
        raise NoProposal("did not receive metrics for targeted pods (pods might be unready)")
    return groups, values


def _share(values: Mapping[str, int], requests: Mapping[str, int], target: int) -> tuple[float, int, int]:
    """The quotient, the per cent of the requests, and the average."""
    known = {name: value for name, value in values.items() if name in requests}
    wanted = sum(requests[name] for name in known)
    if not wanted:
        raise NoProposal("no metrics returned matched known pods")
    used = sum(known.values())
    percent = used * 100 // wanted
    return percent / target, percent, used // len(known)


def _filled(
    values: dict[str, int], groups: Groups, ratio: float, busy: Mapping[str, int]
) -> dict[str, int] | None:
    """The values with a guess for each pod that has none; ``None`` if there is nothing to guess."""
    starting = groups.unready if ratio > 1.0 else set()
    if not starting and not groups.missing:
        return None
    filled = dict(values)
    if ratio < 1.0:
        filled |= busy
    elif ratio > 1.0:
        filled |= dict.fromkeys(groups.missing, 0)
    return filled | dict.fromkeys(starting, 0)


def _second(current: int, ratio: float, again: float, count: int, tolerances: Tolerances) -> int:
    """The result of the quotient with guesses, unless it would turn the change round."""
    if tolerances.allow(again) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
        return current
    wanted = math.ceil(again * count)
    if (again < 1.0 and wanted > current) or (again > 1.0 and wanted < current):
        return current
    return wanted


def milli(quantity: str | float) -> int:
    """A quantity in thousandths, rounded up."""
    return math.ceil(quantities.parse(quantity) * 1000)
