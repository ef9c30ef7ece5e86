"""CronJob: makes a Job whenever its schedule is due, and keeps the last few.

Source: pkg/controller/cronjob/cronjob_controllerv2.go in Kubernetes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from labkit.errors import AlreadyExists, ApiError, NotFound
from labkit.k8s import schedules
from labkit.k8s.objects import Object, annotations_of, labels_of, metadata, name_of, namespace_of, uid_of
from labkit.runtime.controller import Result
from labkit.runtime.recorder import timestamp
from labkit.sandbox.controllers import job, pods
from labkit.sandbox.controllers.ownership import controller_reference
from labkit.sandbox.controllers.plane import ControlPlane, Key, own_key, owner_key

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_JOB = "batch/v1"


class CronJobs:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self._clock, self._client = plane.clock, plane.client_of("cronjob-controller")
        self._events = plane.recorder("cronjob-controller")
        self._cron_jobs = plane.informer(_JOB, "CronJob")
        self._jobs = plane.informer(_JOB, "Job")
        controller = plane.controller("CronJob", self.reconcile)
        controller.watch(self._cron_jobs, own_key)
        controller.watch(self._jobs, owner_key(_JOB, "CronJob"))

    def reconcile(self, key: Key) -> Result | None:
        """Note what ended, make the Job that is due, delete old ones; come again when the next is due."""
        cron = self._cron_jobs.get(*key)
        if cron is None:
            return None
        status: Object = {**(cron.get("status") or {})}
        mine = [one for one in self._jobs.owned_by(uid_of(cron)) if namespace_of(one) == key.namespace]
        self._note_ends(cron, status, mine)
        self._clean_up(cron, mine)
        result = None
        if not pods.is_deleting(cron) and not cron["spec"].get("suspend"):
            result = self._run(cron, status, mine)
        if status != (cron.get("status") or {}):
            try:
                self._client.replace_status({**cron, "status": status})
            except NotFound:
                return None
        return result

    # ── what became of the Jobs ───────────────────────────────────────────────

    def _note_ends(self, cron: Object, status: Object, mine: list[Object]) -> None:
        there = {uid_of(one): one for one in mine}
        active = []
        for reference in status.get("active") or []:
            one = there.pop(reference.get("uid", ""), None)
            if one is None:
                text = f"Active job went missing: {reference.get('name')}"
                self._events.normal(cron, "MissingJob", text)
            elif job.is_finished(one):
                ended = "Complete" if pods.is_true(one, "Complete") else "Failed"
                text = f"Saw completed job: {name_of(one)}, condition: {ended}"
                self._events.normal(cron, "SawCompletedJob", text)
                completed = (one.get("status") or {}).get("completionTime")
                if ended == "Complete" and completed and completed > status.get("lastSuccessfulTime", ""):
                    status["lastSuccessfulTime"] = completed
            else:
                active.append(reference)
        active += [
            _reference(one)
            for one in there.values()
            if not job.is_finished(one) and not pods.is_deleting(one)
        ]
        status.pop("active", None)
        if active:
            status["active"] = active

    def _clean_up(self, cron: Object, mine: list[Object]) -> None:
        spec = cron["spec"]
        for condition, limit in (
            ("Complete", "successfulJobsHistoryLimit"),
            ("Failed", "failedJobsHistoryLimit"),
        ):
            if spec.get(limit) is None:
                continue
            ended = [one for one in mine if pods.is_true(one, condition)]
            ended.sort(key=lambda one: (one.get("status") or {}).get("startTime") or "")
            for one in ended[: max(0, len(ended) - spec[limit])]:
                self._delete(cron, one)

    def _delete(self, cron: Object, one: Object) -> None:
        try:
            self._client.delete(
                _JOB, "Job", name_of(one), namespace_of(one), propagation_policy="Background", uid=uid_of(one)
            )
        except NotFound:
            return
        self._events.normal(cron, "SuccessfulDelete", f"Deleted job {name_of(one)}")

    # ── the schedule ──────────────────────────────────────────────────────────

    def _run(self, cron: Object, status: Object, mine: list[Object]) -> Result | None:
        spec, now = cron["spec"], self._clock.now()
        try:
            where = schedules.zone(spec.get("timeZone"))
        except schedules.NoSchedule:
            self._events.warning(cron, "UnknownTimeZone", f"invalid timeZone: {spec.get('timeZone')!r}")
            return None
        try:
            due, missed = schedules.latest(spec["schedule"], self._since(cron, status, now), now, where)
            following = next(schedules.times(spec["schedule"], now, where), None)
        except schedules.NoSchedule as error:
            text = f'invalid schedule "{spec["schedule"]}": {error}'
            self._events.warning(cron, "UnparseableSchedule", text)
            return None
        if missed > 100:
            text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self._events.warning(cron, "TooManyMissedTimes", text)
        if due is not None:
            self._start(cron, status, mine, due, where)
        return Result(requeue_after=(following - now).total_seconds()) if following is not None else None

    def _since(self, cron: Object, status: Object, now: datetime) -> datetime:
        since = pods.parse_time(status.get("lastScheduleTime")) or pods.created(cron)
        deadline = cron["spec"].get("startingDeadlineSeconds")
        return since if deadline is None else max(since, now - timedelta(seconds=deadline))

    def _start(
        self, cron: Object, status: Object, mine: list[Object], due: datetime, where: ZoneInfo | None
    ) -> None:
        policy, active = cron["spec"].get("concurrencyPolicy"), status.get("active") or []
        if policy == "Forbid" and active:
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._events.normal(cron, "JobAlreadyActive", text)
            return
        if policy == "Replace":
            running = {reference["uid"] for reference in active}
            for one in mine:
                if uid_of(one) in running:
                    self._delete(cron, one)
            status.pop("active", None)
        try:
            made = self._client.create(_new_job(cron, due, where))
        except AlreadyExists:
            status["lastScheduleTime"] = timestamp(due)
            return
        except ApiError as error:
            if "NamespaceTerminating" not in str(error.details):
                self._events.warning(cron, "FailedCreate", f"Error creating job: {error.message}")
            raise
        self._events.normal(cron, "SuccessfulCreate", f"Created job {name_of(made)}")
        status["active"] = [*(status.get("active") or []), _reference(made)]
        status["lastScheduleTime"] = timestamp(due)


def _new_job(cron: Object, due: datetime, where: ZoneInfo | None) -> Object:
    template = cron["spec"]["jobTemplate"]
    when = due.astimezone(where or UTC).isoformat().replace("+00:00", "Z")
    return {
        "apiVersion": _JOB,
        "kind": "Job",
        "metadata": {
            "name": f"{name_of(cron)}-{int(due.timestamp()) // 60}",
            "namespace": namespace_of(cron),
            "labels": dict(labels_of(template)),
            "annotations": {**annotations_of(template), SCHEDULED: when},
            "ownerReferences": [controller_reference(cron)],
        },
        "spec": template["spec"],
    }


def _reference(one: Object) -> Object:
    return {
        "apiVersion": _JOB,
        "kind": "Job",
        "name": name_of(one),
        "namespace": namespace_of(one),
        "resourceVersion": metadata(one).get("resourceVersion", ""),
        "uid": uid_of(one),
    }
