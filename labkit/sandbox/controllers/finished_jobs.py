"""Deletes ended Jobs ``ttlSecondsAfterFinished`` after their end, with their pods.

Source: pkg/controller/ttlafterfinished in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import NotFound
from labkit.k8s.objects import uid_of
from labkit.runtime.controller import Result
from labkit.sandbox.controllers import pods
from labkit.sandbox.controllers.job import is_finished
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.k8s.objects import Object


class FinishedJobs:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("ttl-after-finished-controller")
        self._jobs = plane.informer("batch/v1", "Job")
        plane.controller("finished Jobs", self.reconcile).watch(self._jobs, own_key)

    def reconcile(self, key: Key) -> Result | None:
        """Delete a Job whose time is over."""
        job = self._jobs.get(*key)
        if job is None or pods.is_deleting(job) or not is_finished(job):
            return None
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        ended = _ended(job)
        if seconds is None or ended is None:
            return None
        left = seconds - (self._clock.now() - ended).total_seconds()
        if left > 0:
            return Result(requeue_after=left)
        try:
            self._client.delete(
                "batch/v1", "Job", key.name, key.namespace, propagation_policy="Foreground", uid=uid_of(job)
            )
        except NotFound:
            return None
        return None


def _ended(job: Object) -> datetime | None:
    found = pods.condition(job, "Complete") or pods.condition(job, "Failed")
    return pods.parse_time(found["lastTransitionTime"]) if found else None
