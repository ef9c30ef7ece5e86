"""When an application is compared with Git again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.names import REFRESH
from labkit.gitops.status import moment, since

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.gitops.api.application import Application


WORDS = {
    "requested": "a push, or somebody, asked for a look",
    "hard": "somebody asked for a hard refresh",
    "never compared": "it was never compared before",
    "spec changed": "the application's spec changed",
    "expired": "it was time to ask Git again",
    "": "the controller has just begun",
}
"""What `needed` says, for people."""


@dataclass(frozen=True)
class Polling:
    """How often a repository is asked if nothing else says that it changed; in seconds."""

    every: float = 120.0
    jitter: float = 60.0

    def next(self) -> float:
        """Seconds until the next time: spread, so that a hundred applications do not ask at once."""
        return self.every + random.uniform(0, self.jitter)  # noqa: S311  # spreads load, hides nothing


def needed(app: Application, now: datetime, due: float) -> str:
    """Why Git must be asked again, in a word: requested, hard, spec changed, never compared, expired; or nothing."""
    asked = app.annotations.get(REFRESH)
    if asked is not None:
        return "hard" if asked == "hard" else "requested"
    sync: dict[str, Any] = app.status.get("sync") or {}
    if not sync.get("comparedTo") or not app.status.get("reconciledAt"):
        return "never compared"
    if sync["comparedTo"] != app.compared_to:
        return "spec changed"
    if since(moment(app.status["reconciledAt"]), now) >= due:
        return "expired"
    return ""
