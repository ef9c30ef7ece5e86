"""``Prune=confirm`` and ``Delete=confirm``: what goes only once a person said yes.

The yes is an annotation on the Application, ``argocd.argoproj.io/deletion-approved``, with the time of saying it: it
counts for what was asked before it, and for nothing that comes later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.api.names import DELETION_APPROVED
from labkit.gitops.status import moment

if TYPE_CHECKING:
    from labkit.gitops.api.application import Application

ADVICE = f"labkit app confirm-deletion, or the annotation {DELETION_APPROVED} with the time"


def confirmed(app: Application, since: str) -> bool:
    """Whether somebody agreed at or after the moment ``since`` (RFC 3339)."""
    try:
        return moment(app.annotations.get(DELETION_APPROVED, "")) >= moment(since)
    except (ValueError, TypeError):
        return False  # no time, or one without its zone: nobody agreed
