"""How a Job counts each ended pod exactly once, whatever happens in between.

1. The pod's uid is written into the Job's ``status.uncountedTerminatedPods``, in the same write as everything else.
2. Then the pod's finalizer is removed; from now on the pod may vanish.
3. A uid in that list whose pod has no finalizer any more (or is gone) moves into ``succeeded`` or ``failed``.

Whoever is killed between two steps goes on with the next one: the list says how far it got.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.k8s.objects import Object, annotations_of, get_path, metadata, uid_of
from labkit.sandbox.controllers import pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"


@dataclass
class Tally:
    """What a Job's pods came to."""

    counted: dict[str, int] = field(default_factory=dict)
    """"succeeded" and "failed" → how many are in the Job's counts."""
    uncounted: dict[str, str] = field(default_factory=dict)
    """uid → "succeeded" or "failed", of those on their way there: their finalizer is still to be removed."""
    succeeded_indexes: set[int] = field(default_factory=set)

    @property
    def succeeded(self) -> int:
        """All that succeeded."""
        return self._all("succeeded")

    @property
    def failed(self) -> int:
        """All that failed."""
        return self._all("failed")

    def _all(self, end: str) -> int:
        return self.counted.get(end, 0) + sum(found == end for found in self.uncounted.values())

    def write(self, status: Object) -> None:
        """Put the counts and the list into a status."""
        listed: dict[str, list[str]] = {}
        for uid, end in self.uncounted.items():
            listed.setdefault(end, []).append(uid)
        status["uncountedTerminatedPods"] = listed
        for end in ("succeeded", "failed"):
            status.pop(end, None)
            if self.counted.get(end):
                status[end] = self.counted[end]
        done = indexes(status.get("completedIndexes", "")) | self.succeeded_indexes
        if done:
            status["completedIndexes"] = ranges(done)


def count(job: Object, mine: Sequence[Object]) -> Tally:
    """The tally, pods that ended just now included."""
    status = job.get("status") or {}
    tally = Tally({end: status.get(end, 0) for end in ("succeeded", "failed")})
    held = {uid_of(pod): pod for pod in mine if FINALIZER in (metadata(pod).get("finalizers") or [])}
    listed = status.get("uncountedTerminatedPods") or {}
    for end in ("succeeded", "failed"):
        for uid in listed.get(end) or []:
            if uid in held:
                tally.uncounted[uid] = end
            else:
                tally.counted[end] += 1
    for uid, pod in held.items():
        end = _end_of(pod)
        if end and uid not in tally.uncounted:
            tally.uncounted[uid] = end
        index = index_of(pod)
        if end == "succeeded" and index is not None:
            tally.succeeded_indexes.add(index)
    return tally


def _end_of(pod: Object) -> str:
    """How a pod ended; one that is deleted before its end counts as failed."""
    if pods.phase(pod) == "Succeeded":
        return "succeeded"
    return "failed" if pods.phase(pod) == "Failed" or pods.is_deleting(pod) else ""


def failures_in_a_row(mine: Iterable[Object]) -> tuple[int, datetime | None]:
    """How many pods have failed since the last one that succeeded, and when the last of them did."""
    ends = sorted(
        (moment, pods.phase(pod) == "Failed")
        for pod in mine
        if pods.is_finished(pod) and (moment := _ended(pod))
    )
    row = list(itertools.takewhile(lambda end: end[1], reversed(ends)))
    return len(row), row[0][0] if row else None


def _ended(pod: Object) -> datetime | None:
    statuses = get_path(pod, "status", "containerStatuses", default=[])
    times = [get_path(s, "state", "terminated", "finishedAt") for s in statuses]
    known = [pods.parse_time(text) for text in times if text]
    return max((t for t in known if t is not None), default=None)


# ── Indexed Jobs ──────────────────────────────────────────────────────────────


def index_of(pod: Object) -> int | None:
    """The completion index of a pod of an Indexed Job."""
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if text.isdigit() else None


def give_index(pod: Object, job: Object, index: int) -> None:
    """Make a pod the one of that index: its annotation, label, host name, name and environment."""
    meta, name = pod["metadata"], job["metadata"]["name"]
    meta["annotations"] |= {INDEX: str(index)}
    meta["labels"] |= {INDEX: str(index)}
    meta["generateName"] = f"{name}-{index}-"
    variable = {
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}},
    }
    spec = {**pod["spec"], "hostname": f"{name}-{index}"}
    for part in ("containers", "initContainers"):
        if spec.get(part):
            spec[part] = [{**c, "env": [*(c.get("env") or []), variable]} for c in spec[part]]
    pod["spec"] = spec


def indexes(text: str) -> set[int]:
    """``1,3-5`` as a set."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def ranges(found: Iterable[int]) -> str:
    """A set as ``1,3-5``."""
    runs: list[list[int]] = []
    for number in sorted(found):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" if b > a + 1 else f"{a},{b}" for a, b in runs)
