"""Job: runs pods until enough of them have succeeded, or too many have failed.

Each ended pod must be counted once, even if the controller is killed at the worst moment and even if somebody deletes
the pod. So every pod carries a finalizer that keeps it until it was counted, in three steps (`job_tracking`).

When a Job ends, it first says that it will (``SuccessCriteriaMet`` or ``FailureTarget``), takes away the pods that
still run, and only when they are gone says that it has (``Complete`` or ``Failed``).

Source of the rules: pkg/controller/job in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import ApiError, Forbidden, NotFound
from labkit.k8s.objects import Object, get_path, metadata, name_of, namespace_of, uid_of
from labkit.k8s.selectors import LabelSelector
from labkit.runtime.controller import Result
from labkit.runtime.recorder import timestamp
from labkit.sandbox.controllers import conditions, job_tracking, ownership, pods, ranking
from labkit.sandbox.controllers.job_tracking import FINALIZER, Tally
from labkit.sandbox.controllers.plane import AGAIN, BATCH, ControlPlane, Key, key_of, own_key, owner_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMPONENT = "job-controller"
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 600.0
"""Seconds before a failed pod is replaced; doubled with each failure in a row."""

Ending = tuple[str, str, str]
"""How a Job ends: the type of the last condition, reason, message."""

_SUCCEEDED: Ending = ("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
_GAVE_UP: Ending = ("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LATE: Ending = ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
_FIRST_SAY = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}


class Jobs:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of(COMPONENT)
        self._events = plane.recorder(COMPONENT)
        self._jobs = plane.informer("batch/v1", "Job")
        self._pods = plane.informer("v1", "Pod")
        controller = plane.controller("Job", self.reconcile)
        controller.watch(self._jobs, own_key)
        controller.watch(self._pods, owner_key("batch/v1", "Job"))
        orphans = plane.controller("Job pods", self._free)
        orphans.watch(self._pods, lambda pod: [key_of(pod)] if FINALIZER in _finalizers(pod) else [])
        orphans.watch(self._jobs, self._left_behind)

    def reconcile(self, key: Key) -> Result | None:
        """Count what ended, decide whether that is enough, make or take away pods, and write the status."""
        job = self._jobs.get(*key)
        if job is None or job["spec"].get("managedBy") not in (None, "kubernetes.io/job-controller"):
            return None
        selector = LabelSelector.from_object(job["spec"].get("selector"))
        mine = ownership.claimed(self._client, job, selector, self._pods)
        if is_finished(job):
            self._release(mine)
            return None
        tally = job_tracking.count(job, mine)
        state = _State(self, job, mine, tally)
        result = state.decide()
        state.write()
        self._release([pod for pod in mine if uid_of(pod) in tally.uncounted])
        return result

    # ── pods that nobody counts any more ──────────────────────────────────────

    def _release(self, mine: Iterable[Object]) -> None:
        for pod in mine:
            if FINALIZER in _finalizers(pod) and not pods.is_active(pod):
                self._remove_finalizer(pod)

    def _free(self, key: Key) -> None:
        """A pod whose Job is gone, or is done, need not wait to be counted."""
        pod = self._pods.get(*key)
        if pod is None or FINALIZER not in _finalizers(pod):
            return
        for job_key in owner_key("batch/v1", "Job")(pod):
            job = self._jobs.get(*job_key)
            same = job is not None and uid_of(job) == (pod["metadata"]["ownerReferences"][0]["uid"])
            if same and job is not None and not is_finished(job):
                return
        self._remove_finalizer(pod)

    def _left_behind(self, job: Object) -> Iterable[Key]:
        return [key_of(pod) for pod in self._pods.owned_by(uid_of(job)) if FINALIZER in _finalizers(pod)]

    def _remove_finalizer(self, pod: Object) -> None:
        kept = [name for name in _finalizers(pod) if name != FINALIZER]
        try:
            self._client.patch(
                "v1", "Pod", name_of(pod), namespace_of(pod), patch={"metadata": {"finalizers": kept or None}},
                field_manager="kube-controller-manager",
            )  # fmt: skip
        except NotFound:
            return


class _State:
    """One look at one Job."""

    def __init__(self, parent: Jobs, job: Object, mine: Sequence[Object], tally: Tally) -> None:
        self._client, self._events = parent._client, parent._events
        self._now = parent._clock.now()
        self._pods = parent._pods
        self._job, self._spec, self._mine, self._tally = job, job["spec"], mine, tally
        self._status: Object = dict(job.get("status") or {})
        self._conditions: list[Object] = list(self._status.get("conditions") or [])

    @property
    def _active(self) -> list[Object]:
        return [pod for pod in self._fresh() if pods.is_active(pod)]

    def _fresh(self) -> list[Object]:
        return [pod for pod in self._pods.owned_by(uid_of(self._job)) if _is_of(pod, self._job)]

    def decide(self) -> Result | None:
        """Do the next step."""
        if pods.is_deleting(self._job):
            return None
        suspended = bool(self._spec.get("suspend"))
        if "startTime" not in self._status and not suspended:
            self._status["startTime"] = timestamp(self._now)
        ending = self._announced() or self._ending()
        if ending is not None:
            return self._end(ending)
        if suspended:
            return self._suspend()
        self._resume()
        return _sooner(self._manage(), self._deadline())

    # ── the end ───────────────────────────────────────────────────────────────

    def _announced(self) -> Ending | None:
        """How it was said that the Job will end."""
        for last, first in _FIRST_SAY.items():
            found = conditions.find(self._conditions, first)
            if found is not None and found["status"] == "True":
                return last, found["reason"], found.get("message", "")
        return None

    def _ending(self) -> Ending | None:
        """Whether, and how, it ends now."""
        if self._tally.failed > self._spec["backoffLimit"] or self._restarts_too_often():
            return _GAVE_UP
        if (left := self._seconds_left()) is not None and left <= 0:
            return _TOO_LATE
        completions = self._spec.get("completions")
        if completions is None:
            done = self._tally.succeeded > 0 and not self._active
        else:
            done = self._tally.succeeded >= completions
        return _SUCCEEDED if done else None

    def _restarts_too_often(self) -> bool:
        """With restartPolicy OnFailure containers start again in their pod: those count as failures, too."""
        if self._spec["template"]["spec"].get("restartPolicy") != "OnFailure":
            return False
        statuses = ("initContainerStatuses", "containerStatuses")
        restarts = sum(
            status.get("restartCount", 0)
            for pod in self._active
            for field in statuses
            for status in get_path(pod, "status", field, default=[])
        )
        limit: int = self._spec["backoffLimit"]
        return restarts > 0 if limit == 0 else bool(restarts >= limit)

    def _end(self, ending: Ending) -> Result | None:
        last, reason, message = ending
        self._say(_FIRST_SAY[last], "True", reason, message)
        for pod in self._active:
            self._delete(pod)
        if self._tally.uncounted or any(not pods.is_finished(pod) for pod in self._fresh()):
            return None  # their end will call again
        self._say(last, "True", reason, message)
        if last == "Complete":
            self._status["completionTime"] = timestamp(self._now)
            self._events.normal(self._job, "Completed", "Job completed")
        else:
            self._events.warning(self._job, reason, message)
        return None

    def _seconds_left(self) -> float | None:
        limit, began = self._spec.get("activeDeadlineSeconds"), pods.parse_time(self._status.get("startTime"))
        if limit is None or began is None or self._spec.get("suspend"):
            return None
        return float(limit - (self._now - began).total_seconds())

    def _deadline(self) -> Result | None:
        left = self._seconds_left()
        return Result(requeue_after=left) if left is not None else None

    # ── suspend ───────────────────────────────────────────────────────────────

    def _suspend(self) -> Result | None:
        for pod in self._active:
            self._delete(pod)
        if self._say("Suspended", "True", "JobSuspended", "Job suspended"):
            self._status.pop("startTime", None)
            self._events.normal(self._job, "Suspended", "Job suspended")
        return None

    def _resume(self) -> None:
        found = conditions.find(self._conditions, "Suspended")
        if found is None or found["status"] != "True":
            return
        self._say("Suspended", "False", "JobResumed", "Job resumed")
        self._status["startTime"] = timestamp(self._now)
        self._events.normal(self._job, "Resumed", "Job resumed")

    # ── pods ──────────────────────────────────────────────────────────────────

    def _manage(self) -> Result | None:
        """As many pods at once as ``parallelism`` says, but no more than are still needed."""
        active, completions = self._active, self._spec.get("completions")
        parallelism = self._spec["parallelism"]
        if completions is None:
            wanted = len(active) if self._tally.succeeded else parallelism
        else:
            wanted = min(parallelism, completions - self._tally.succeeded)
        if len(active) > wanted:
            for pod in ranking.to_delete(active, active, len(active) - wanted, self._now):
                self._delete(pod)
            return None
        missing = wanted - len(active) - self._terminating()
        if missing <= 0:
            return None
        if (wait := self._backoff()) > 0:
            return Result(requeue_after=wait)
        for index in self._indexes(missing)[:BATCH]:
            if not self._create(index):
                return None
        return AGAIN if missing > BATCH else None

    def _terminating(self) -> int:
        """Pods that are going and still count as there: only where replacements wait until a pod has failed."""
        if self._spec.get("podReplacementPolicy") != "Failed":
            return 0
        return sum(pods.is_deleting(pod) and not pods.is_finished(pod) for pod in self._fresh())

    def _indexes(self, count: int) -> Sequence[int | None]:
        if self._spec.get("completionMode") != "Indexed":
            return [None] * count
        done = job_tracking.indexes(self._status.get("completedIndexes", ""))
        taken = done | {job_tracking.index_of(pod) for pod in self._active} | self._tally.succeeded_indexes
        return [i for i in range(self._spec["completions"]) if i not in taken][:count]

    def _create(self, index: int | None) -> bool:
        pod = pods.from_template(self._spec["template"], self._job)
        pod["metadata"]["finalizers"] = [*pod["metadata"]["finalizers"], FINALIZER]
        if index is not None:
            job_tracking.give_index(pod, self._job, index)
        try:
            made = self._client.create(pod)
        except Forbidden as error:
            if "NamespaceTerminating" in str(error.details):
                return False
            self._events.warning(self._job, "FailedCreate", f"Error creating: {error.message}")
            raise
        except ApiError as error:
            self._events.warning(self._job, "FailedCreate", f"Error creating: {error.message}")
            raise
        self._events.normal(self._job, "SuccessfulCreate", f"Created pod: {name_of(made)}")
        return True

    def _delete(self, pod: Object) -> None:
        try:
            self._client.delete("v1", "Pod", name_of(pod), namespace_of(pod), uid=uid_of(pod))
        except NotFound:
            return
        self._events.normal(self._job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _backoff(self) -> float:
        """Seconds to wait before a failed pod is replaced."""
        failures, last = job_tracking.failures_in_a_row(self._mine)
        if last is None:
            return 0.0
        pause: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(failures - 1, 20))
        return max(0.0, pause - (self._now - last).total_seconds())

    # ── status ────────────────────────────────────────────────────────────────

    def _say(self, name: str, status: str, reason: str, message: str) -> bool:
        """Set a condition; says whether it is new."""
        before = conditions.find(self._conditions, name)
        if before is not None and before["status"] == status:
            return False
        new = conditions.condition(name, status, reason, message, self._now, updated="lastProbeTime")
        self._conditions = [*conditions.without(self._conditions, name), new]
        return True

    def write(self) -> None:
        """Write what was found and done."""
        there, status = self._fresh(), self._status
        active = [pod for pod in there if pods.is_active(pod)]
        status.pop("active", None)
        if active:
            status["active"] = len(active)
        status["ready"] = pods.count_ready(active)
        status["terminating"] = sum(pods.is_deleting(pod) and not pods.is_finished(pod) for pod in there)
        self._tally.write(status)
        if self._conditions:
            status["conditions"] = self._conditions
        if status != (self._job.get("status") or {}):
            try:
                self._client.replace_status({**self._job, "status": status})
            except NotFound:
                return


def is_finished(job: Object) -> bool:
    """Whether it is Complete or Failed."""
    return pods.is_true(job, "Complete") or pods.is_true(job, "Failed")


def _is_of(pod: Object, job: Object) -> bool:
    return namespace_of(pod) == namespace_of(job)


def _finalizers(obj: Object) -> list[str]:
    return metadata(obj).get("finalizers") or []


def _sooner(*results: Result | None) -> Result | None:
    waits = [r.requeue_after for r in results if r is not None and r.requeue_after is not None]
    return Result(requeue_after=min(waits)) if waits else None
