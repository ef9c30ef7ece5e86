"""Which template ran away: asked after the fact, because a stopped render cannot say.

Each template is rendered alone, with a second to do it. The honest ones take a millisecond, so the search costs
about as long as the one that it finds may take.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from labkit.errors import RenderLimit
from labkit.helm.backend import Backend, Job, Output, Refused
from labkit.helm.numbers import PRELUDE
from labkit.helm.workers import LimitMet, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

ALONE = Limits(seconds=1.0, megabytes=384)
MOST_TEMPLATES = 200


def limit_error(met: LimitMet, job: Job, backend: Backend) -> RenderLimit:
    """The error for a render that was stopped, naming the template if one of them is enough to be stopped for."""
    return _error(met, job.files.source, job.limits, _culprit(job, backend.render), job)


def _error(met: LimitMet, source: object, limits: Limits, culprit: str, job: Job) -> RenderLimit:
    used = f"{limits.seconds:g} seconds" if met.limit == "time" else f"{limits.megabytes} MB of memory"
    where = job.files.path(culprit) if culprit else str(source)
    return RenderLimit(
        f"rendering was stopped: it took more than {used}",
        where=where,
        fix="look for a loop over a very long list (`until`, `repeat`, `range`), or a template that includes itself",
    )


def _culprit(job: Job, render: Callable[[Job], Output]) -> str:
    names = [name for name in job.files.files if _is_template(name) and name != PRELUDE]
    if len(names) == 1:
        return names[0]
    for name in sorted(names)[:MOST_TEMPLATES]:
        others = set(names) - {name}
        files = replace(job.files, files={k: v for k, v in job.files.files.items() if k not in others})
        try:
            render(replace(job, files=files, limits=ALONE))
        except LimitMet:
            return name
        except Refused:
            continue  # it fails quickly, which is not what we look for
    return ""


def _is_template(name: str) -> bool:
    folders, _, file = name.rpartition("/")
    return "templates" in folders.split("/") and not file.startswith("_")
