"""An ApplicationSet's status: what Argo CD says in its conditions, and the Applications that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.api.names import GROUP, VERSION
from labkit.gitops.status import stamp
from labkit.k8s.objects import Object, name_of, namespace_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from labkit.gitops.applicationsets.parameters import JSON

UP_TO_DATE = "All applications have been generated successfully"
GENERATED = "Successfully generated parameters for all Applications"
MOST_RESOURCES = 5000


def conditions(
    before: Iterable[JSON], now: datetime, *, error: str = "", reason: str = "", generated: bool
) -> list[JSON]:
    """The three conditions. One that stays as it is keeps its time."""
    wrong = bool(error)
    found = [
        _condition(
            "ErrorOccurred", wrong, reason if wrong else "ApplicationSetUpToDate", error or UP_TO_DATE
        ),
        _condition(
            "ParametersGenerated",
            generated,
            "ParametersGenerated" if generated else "ErrorOccurred",
            GENERATED if generated else error,
        ),
        _condition(
            "ResourcesUpToDate",
            not wrong,
            "ErrorOccurred" if wrong else "ApplicationSetUpToDate",
            error or UP_TO_DATE,
        ),
    ]
    known = {c.get("type"): c for c in before}
    for condition in found:
        old = dict(known.get(condition["type"]) or {})
        since = old.pop("lastTransitionTime", None)
        condition["lastTransitionTime"] = since if since and old == condition else stamp(now)
    return found


def resources(applications: Iterable[Object]) -> list[JSON]:
    """The set's Applications, each with how it stands."""
    return [_resource(obj) for obj in sorted(applications, key=name_of)][:MOST_RESOURCES]


def _condition(kind: str, holds: bool, reason: str, message: str) -> JSON:
    return {"type": kind, "status": str(holds), "reason": reason, "message": message}


def _resource(obj: Object) -> JSON:
    status = obj.get("status") or {}
    found: JSON = {
        "group": GROUP,
        "version": VERSION,
        "kind": "Application",
        "namespace": namespace_of(obj),
        "name": name_of(obj),
    }
    if sync := (status.get("sync") or {}).get("status"):
        found["status"] = sync
    if health := (status.get("health") or {}).get("status"):
        found["health"] = {"status": health}
    return found
