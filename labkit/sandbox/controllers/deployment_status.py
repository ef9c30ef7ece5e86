"""What a Deployment says about itself: counts, Available, and whether its rollout gets on (Progressing).

Source: syncRolloutStatus, calculateStatus and requeueStuckDeployment in pkg/controller/deployment in Kubernetes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, get_path, name_of
from labkit.runtime.controller import Result
from labkit.sandbox.controllers import conditions, rolling
from labkit.sandbox.controllers.pods import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_DEADLINE = 2**31 - 1


class Progress:
    """What one reconcile found out that belongs into the status, and the rollout's deadline."""

    def __init__(self, d: Object, now: datetime) -> None:
        self._d, self.now = d, now
        self.revision = ""
        self.collisions = get_path(d, "status", "collisionCount", default=0)
        self.conditions: list[Object] = list(get_path(d, "status", "conditions", default=[]))

    @property
    def deadline(self) -> int | None:
        """``progressDeadlineSeconds``, where there is one."""
        seconds = self._d["spec"].get("progressDeadlineSeconds")
        return None if seconds is None or seconds == NO_DEADLINE else int(seconds)

    @property
    def current(self) -> Object | None:
        """The Progressing condition."""
        return conditions.find(self.conditions, "Progressing")

    def say(self, status: str, reason: str, message: str) -> None:
        """Set Progressing."""
        new = conditions.condition("Progressing", status, reason, message, self.now, updated="lastUpdateTime")
        self.conditions = conditions.put(self.conditions, new)

    def note_pause(self) -> None:
        """A paused rollout has no deadline; one that goes on again has it anew."""
        current = self.current
        if self.deadline is None or (current and current["reason"] == "ProgressDeadlineExceeded"):
            return
        noted, paused = (
            bool(current and current["reason"] == "DeploymentPaused"),
            self._d["spec"].get("paused"),
        )
        if paused and not noted:
            self.say("Unknown", "DeploymentPaused", "Deployment is paused")
        elif noted and not paused:
            self.say("Unknown", "DeploymentResumed", "Deployment is resumed")

    def created(self, rs: Object) -> None:
        """A new ReplicaSet was made."""
        if self.deadline is not None:
            self.say("True", "NewReplicaSetCreated", f'Created new replica set "{name_of(rs)}"')

    def found(self, rs: Object) -> None:
        """The template's ReplicaSet was there already."""
        if self.deadline is not None and self.current is None:
            self.say("True", "FoundNewReplicaSet", f'Found new replica set "{name_of(rs)}"')

    def failed_to_create(self, message: str) -> None:
        """The new ReplicaSet could not be made."""
        if self.deadline is not None:
            self.say("False", "ReplicaSetCreateError", message)

    def is_complete(self, sets: Sequence[Object], new: Object | None) -> bool:
        """Whether all replicas are of the newest template and available, and no other is left."""
        return _is_complete(self._d, _counts(self._d, sets, new))

    def look_again(self, status: Object) -> Result | None:
        """A rollout that stands still must be looked at when its deadline is over."""
        current = conditions.find(status.get("conditions") or [], "Progressing")
        if self.deadline is None or current is None or _is_complete(self._d, status):
            return None
        if current["reason"] in ("ProgressDeadlineExceeded", "DeploymentPaused"):
            return None
        return Result(requeue_after=max(0.0, self.seconds_left(current)) + 1)

    def seconds_left(self, current: Object) -> float:
        """Until the deadline."""
        since = parse_time(current.get("lastUpdateTime")) or self.now
        return (since + timedelta(seconds=self.deadline or 0) - self.now).total_seconds()


def status_of(d: Object, sets: Sequence[Object], new: Object | None, progress: Progress) -> Object:
    """The whole new status."""
    status = _counts(d, sets, new)
    if progress.collisions:
        status["collisionCount"] = progress.collisions
    _say_available(d, status, progress)
    if not d["spec"].get("paused") and "deletionTimestamp" not in d["metadata"]:
        _say_progress(d, status, progress, new)
        _say_failures(sets, new, progress)
    if progress.conditions:
        status["conditions"] = progress.conditions
    return status


def _counts(d: Object, sets: Sequence[Object], new: Object | None) -> Object:
    available = rolling.count(sets, "availableReplicas")
    numbers = {
        "replicas": rolling.count(sets, "replicas"),
        "updatedReplicas": rolling.count([new], "replicas") if new is not None else 0,
        "readyReplicas": rolling.count(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, rolling.total(sets) - available),
    }
    status: Object = {"observedGeneration": d["metadata"].get("generation", 0)}
    status |= {name: number for name, number in numbers.items() if number}
    return status | {"terminatingReplicas": rolling.count(sets, "terminatingReplicas")}


def _is_complete(d: Object, status: Object) -> bool:
    size = rolling.wanted(d)
    counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [size] * 3 and status["observedGeneration"] >= d["metadata"].get("generation", 0)


def _say_available(d: Object, status: Object, progress: Progress) -> None:
    enough = status.get("availableReplicas", 0) >= rolling.wanted(d) - rolling.max_unavailable(d)
    answer = (
        ("True", "MinimumReplicasAvailable", "has")
        if enough
        else ("False", "MinimumReplicasUnavailable", "does not have")
    )
    state, reason, verb = answer
    message = f"Deployment {verb} minimum availability."
    new = conditions.condition("Available", state, reason, message, progress.now, updated="lastUpdateTime")
    progress.conditions = conditions.put(progress.conditions, new)


def _say_progress(d: Object, status: Object, progress: Progress, new: Object | None) -> None:
    if progress.deadline is None:
        progress.conditions = conditions.without(progress.conditions, "Progressing")
        return
    current = progress.current
    done = current is not None and current["reason"] == "NewReplicaSetAvailable"
    if done and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return  # it was complete and is not rolling out anything: scaling is no rollout
    who = f'ReplicaSet "{name_of(new)}"' if new is not None else f'Deployment "{name_of(d)}"'
    if _is_complete(d, status):
        progress.say("True", "NewReplicaSetAvailable", f"{who} has successfully progressed.")
    elif _got_on(d.get("status") or {}, status):
        _renew(progress, f"{who} is progressing.")
    elif _is_late(progress, current):
        progress.say("False", "ProgressDeadlineExceeded", f"{who} has timed out progressing.")


def _renew(progress: Progress, message: str) -> None:
    """Each step forward gives the deadline anew: also the time of an unchanged condition is set."""
    before = progress.current
    progress.conditions = conditions.without(progress.conditions, "Progressing")
    progress.say("True", "ReplicaSetUpdated", message)
    if before is not None and before["status"] == "True" and progress.current is not None:
        progress.current["lastTransitionTime"] = before["lastTransitionTime"]


def _got_on(before: Object, after: Object) -> bool:
    def old(status: Object) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    grew = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return any(after.get(name, 0) > before.get(name, 0) for name in grew) or old(after) < old(before)


def _is_late(progress: Progress, current: Object | None) -> bool:
    if current is None or current["reason"] == "NewReplicaSetAvailable":
        return False
    return current["reason"] == "ProgressDeadlineExceeded" or progress.seconds_left(current) < 0


def _say_failures(sets: Sequence[Object], new: Object | None, progress: Progress) -> None:
    """What keeps a ReplicaSet from making its pods is the Deployment's failure as well; the new one's first."""
    failures = []
    for rs in ([new] if new is not None else []) + list(sets):
        failures += [
            c for c in get_path(rs, "status", "conditions", default=[]) if c["type"] == "ReplicaFailure"
        ]
    if not failures:
        progress.conditions = conditions.without(progress.conditions, "ReplicaFailure")
        return
    found = failures[0]
    copied = conditions.condition(
        "ReplicaFailure",
        found["status"],
        found["reason"],
        found["message"],
        progress.now,
        updated="lastUpdateTime",
    )
    progress.conditions = conditions.put(progress.conditions, copied)
