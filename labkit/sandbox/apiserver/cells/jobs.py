"""Jobs' cells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from labkit.sandbox.apiserver.cells.times import span, timed

JSON = dict[str, Any]


def job_status(job: JSON) -> str:
    """Running, Complete, Failed, Suspended, Terminating."""
    true = {c["type"] for c in (job.get("status") or {}).get("conditions") or () if c["status"] == "True"}
    for kind in ("Complete", "Failed"):
        if kind in true:
            return kind
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind, shown in (
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if kind in true:
            return shown
    return "Running"


def job_completions(job: JSON) -> str:
    """``1/3``."""
    spec, done = job["spec"], (job.get("status") or {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallelism = spec.get("parallelism", 0)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


@timed
def job_duration(job: JSON, now: datetime) -> str:
    """How long it took, or has taken so far."""
    status = job.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = datetime.fromisoformat(status["completionTime"]) if status.get("completionTime") else now
    return span((end - datetime.fromisoformat(status["startTime"])).total_seconds())
