"""A plan of a sync that can be kept: looked at now, carried out later, and refused if it no longer fits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from labkit.errors import LabError
from labkit.lab.facts import Listing, PlannedTask

if TYPE_CHECKING:
    from pathlib import Path

JSON = dict[str, Any]
FORMAT = "gitops-lab/plan/1"


class SyncPlan(Listing[PlannedTask]):
    """The steps that a sync of one application would take, in their order.

    ``revision`` is the commit that it was made for (empty with several sources), ``prune`` whether it prunes.
    """

    def __init__(self, application: str, records: list[JSON], *, revision: str, prune: bool) -> None:
        super().__init__([PlannedTask.of(each) for each in records], empty="(nothing to do)")
        self.application, self.revision, self.prune = application, revision, prune
        self.records = records

    def save(self, file: Path) -> None:
        """Write it, to be given to ``app.sync(plan=…)`` or ``labkit app sync --plan``."""
        about = {"format": FORMAT, "application": self.application, "revision": self.revision}
        text = json.dumps(about | {"prune": self.prune, "tasks": self.records}, indent=1)
        file.write_text(text + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, file: Path) -> Self:
        """What `save` wrote. Raises `LabError` for anything else."""
        fix = "Make one: labkit app plan NAME --out FILE"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise LabError(f"it is no plan: {error}", where=str(file), fix=fix) from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise LabError("it is no plan", where=str(file), fix=fix)
        try:
            return cls(
                str(found["application"]),
                list(found["tasks"]),
                revision=str(found["revision"]),
                prune=bool(found["prune"]),
            )
        except (KeyError, TypeError) as error:
            raise LabError(f"a part of the plan is missing: {error}", where=str(file), fix=fix) from None
