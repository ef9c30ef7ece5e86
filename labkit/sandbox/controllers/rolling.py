"""The arithmetic of a rolling update: how many pods may be there, how many must be, and who gives how many up.

Pure functions from a Deployment and its ReplicaSets to numbers, so that a rollout can be followed with pencil and
paper. Sources: pkg/controller/deployment/rolling.go, sync.go and util/deployment_util.go in Kubernetes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, annotations_of, get_path, name_of
from labkit.sandbox.controllers import pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"

Plan = list[tuple[Object, int]]
"""ReplicaSets, and how many pods each shall have."""


def wanted(obj: Object) -> int:
    """``spec.replicas``."""
    return int(obj["spec"]["replicas"])


def total(sets: Iterable[Object]) -> int:
    """The pods that ReplicaSets shall have together."""
    return sum(wanted(rs) for rs in sets)


def count(sets: Iterable[Object], field: str) -> int:
    """The sum of a number in the ReplicaSets' status."""
    return sum(get_path(rs, "status", field, default=0) for rs in sets)


def is_rolling(d: Object) -> bool:
    """Whether the strategy is RollingUpdate."""
    return bool(d["spec"]["strategy"]["type"] == "RollingUpdate")


def share(value: int | str, of: int, *, up: bool) -> int:
    """A number, or a percentage ("25%") of one, rounded."""
    if isinstance(value, int):
        return value
    part = of * int(value.removesuffix("%")) / 100
    return math.ceil(part) if up else math.floor(part)


def bounds(d: Object) -> tuple[int, int]:
    """maxSurge and maxUnavailable in pods. Both zero would stand still for ever: then one may be unavailable."""
    if not is_rolling(d):
        return 0, 0
    rolling, replicas = d["spec"]["strategy"].get("rollingUpdate") or {}, wanted(d)
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)


def max_surge(d: Object) -> int:
    """How many pods there may be beyond ``spec.replicas``."""
    return bounds(d)[0]


def max_unavailable(d: Object) -> int:
    """How many of ``spec.replicas`` may be missing."""
    return bounds(d)[1]


def size_of_new(d: Object, sets: Sequence[Object], new: Object | None) -> int:
    """How many pods the new ReplicaSet may have by now."""
    now = wanted(new) if new is not None else 0
    if not is_rolling(d):
        return wanted(d)
    room = wanted(d) + max_surge(d) - total(sets)
    if room <= 0:
        return now
    return now + min(room, wanted(d) - now)


def give_up_old(d: Object, old: Sequence[Object], new: Object | None) -> Plan:
    """Who of the old ones gives up pods: first those that don't work anyway, then as many as may be missed."""
    sets = [*old, *([new] if new is not None else [])]
    enough = wanted(d) - max_unavailable(d)
    new_missing = wanted(new) - count([new], "availableReplicas") if new is not None else 0
    may_go = total(sets) - enough - new_missing
    if total(old) == 0 or may_go <= 0:
        return []
    sizes = {name_of(rs): wanted(rs) for rs in old}
    by_age = sorted(old, key=pods.created)
    for rs in by_age:
        broken = sizes[name_of(rs)] - count([rs], "availableReplicas")
        goes = max(0, min(may_go, broken))
        sizes[name_of(rs)] -= goes
        may_go -= goes
    spare = count(sets, "availableReplicas") - enough
    for rs in by_age:
        goes = max(0, min(spare, sizes[name_of(rs)]))
        sizes[name_of(rs)] -= goes
        spare -= goes
    return [(rs, sizes[name_of(rs)]) for rs in by_age if sizes[name_of(rs)] != wanted(rs)]


def spread(d: Object, sets: Sequence[Object]) -> Plan:
    """A change of ``spec.replicas`` in the middle of a rollout: each active ReplicaSet takes its part of it."""
    active = [rs for rs in sets if wanted(rs) > 0]
    allowed = wanted(d) + max_surge(d) if wanted(d) > 0 else 0
    to_add = allowed - total(active)
    active.sort(key=lambda rs: (-wanted(rs), _order(rs) if to_add <= 0 else -_order(rs)))
    added, plan = 0, []
    for rs in active:
        part = _part(d, rs, to_add, added) if to_add else 0
        plan.append((rs, wanted(rs) + part))
        added += part
    if plan and to_add:
        rs, size = plan[0]
        plan[0] = (rs, max(0, size + to_add - added))
    return plan


def _order(rs: Object) -> float:
    return pods.created(rs).timestamp()


def _part(d: Object, rs: Object, to_add: int, added: int) -> int:
    if wanted(rs) == 0 or to_add == added:
        return 0
    fair = _fraction(d, rs)
    return min(fair, to_add - added) if to_add > 0 else max(fair, to_add - added)


def _fraction(d: Object, rs: Object) -> int:
    if wanted(d) == 0:
        return -wanted(rs)
    before = number(annotations_of(rs).get(MAXIMUM)) or get_path(d, "status", "replicas", default=0)
    if not before:
        return 0
    size = wanted(rs) * (wanted(d) + max_surge(d)) / before
    return math.floor(size + 0.5) - wanted(rs)


def is_saturated(d: Object, new: Object | None) -> bool:
    """Whether the new ReplicaSet is as large as the Deployment, and all its pods are available."""
    if new is None:
        return False
    sizes = {
        wanted(d),
        wanted(new),
        count([new], "availableReplicas"),
        number(annotations_of(new).get(DESIRED)),
    }
    return len(sizes) == 1


def number(text: str | None) -> int:
    """An annotation's number; 0 for none."""
    return int(text) if text and text.isdigit() else 0
