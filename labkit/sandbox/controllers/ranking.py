"""Which pods go first when there are too many.

Source of the rules: ``ActivePodsWithRanks`` in pkg/controller/controller_utils.go; the order is the comparisons'
order there, and so is the coarse measure of age (in powers of two), which keeps the choice from depending on seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, annotations_of, get_path, uid_of
from labkit.sandbox.controllers import pods

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def to_delete(active: Sequence[Object], related: Sequence[Object], count: int, now: datetime) -> list[Object]:
    """The ``count`` pods to delete; ``related`` are those whose nodes should stay evenly filled."""
    if count >= len(active):
        return list(active)
    crowd = Counter(_node(pod) for pod in related)
    return sorted(active, key=lambda pod: _rank(pod, crowd, now))[:count]


def _rank(pod: Object, crowd: Counter[str], now: datetime) -> tuple[float | int | bool | str, ...]:
    """Small goes first."""
    ready = pods.is_ready(pod)
    return (
        bool(_node(pod)),  # not on a node yet
        _PHASES.get(pods.phase(pod), 0),
        ready,
        _cost(pod),
        -crowd[_node(pod)],  # on a node with more of its kind
        _age(pods.ready_since(pod), now) if ready else 0,  # ready for a shorter time
        -pods.restarts(pod),
        _age(pods.created(pod), now),  # younger
        uid_of(pod),
    )


def _node(pod: Object) -> str:
    return str(get_path(pod, "spec", "nodeName", default=""))


def _cost(pod: Object) -> int:
    try:
        return int(annotations_of(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _age(since: datetime | None, now: datetime) -> int:
    """The logarithm of an age; of one that is not known, the youngest."""
    seconds = (now - since).total_seconds() if since else 0
    return int(math.log2(seconds * 1e9)) if seconds > 0 else -1
