"""The facts for the gates, read from an application; and the operation that follows when they are open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.pinned import Pinned
from labkit.gitops.status import moment, since
from labkit.gitops.sync.gates import HEAL_FORGOTTEN, Decision, Facts
from labkit.gitops.sync.gates import decide as gates
from labkit.gitops.sync.operation import ENDED
from labkit.gitops.sync.retry import AUTOMATIC_LIMIT

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.gitops.api.application import Application
    from labkit.gitops.diff import Comparison

JSON = dict[str, Any]


def decide(
    app: Application, status: JSON, comparison: Comparison, now: datetime, held: str = ""
) -> tuple[Decision, JSON | None]:
    """Whether to sync without being asked, and the operation if so; ``held`` names a sync window that blocks it."""
    facts = replace(_facts(app, status, comparison, now), held=held)
    decision = gates(facts)
    return decision, _operation(app, status, facts, heal=decision.heal) if decision.sync else None


def _facts(app: Application, status: JSON, comparison: Comparison, now: datetime) -> Facts:
    policy, state = app.sync_policy, status.get("operationState") or {}
    resources = status.get("resources") or []
    result = state.get("syncResult") or {}
    passed = since(moment(state["finishedAt"]), now) if state.get("finishedAt") else 0.0
    tried, now_wanted = Pinned.read(result, app), _wanted(app, status)
    return Facts(
        automated=policy.automated,
        prune=policy.prune,
        self_heal=policy.self_heal,
        allow_empty=policy.allow_empty,
        deleting=app.deleting,
        running=bool(state) and state.get("phase") not in ENDED,
        sync_status=comparison.status,
        out_of_sync=[entry for entry in resources if entry.get("status") == "OutOfSync"],
        resources=len(resources),
        revision=", ".join(now_wanted.revisions),
        tried=bool(result) and tried == now_wanted,
        tried_phase=state.get("phase", ""),
        tried_message=state.get("message", ""),
        heal_tries=0 if passed > HEAL_FORGOTTEN else _heals(state),
        seconds_since=passed,
    )


def _wanted(app: Application, status: JSON) -> Pinned:
    """The sources as the application has them, at the revisions last compared."""
    sync = status.get("sync") or {}
    return Pinned.of(app, sync.get("revisions") or [sync.get("revision") or ""])


def _heals(state: JSON) -> int:
    """How many self-heals in a row the last operation was: Argo CD keeps the count in the operation itself."""
    sync = (state.get("operation") or {}).get("sync") or {}
    return int(sync.get("selfHealAttemptsCount") or 0)


def _operation(app: Application, status: JSON, facts: Facts, *, heal: bool) -> JSON:
    revisions = {name: value for name, value in _wanted(app, status).fields.items() if name.startswith("rev")}
    sync: JSON = {
        **{name: value for name, value in revisions.items() if value},
        "prune": facts.prune,
        "syncOptions": list(app.sync_policy.options),
    }
    if heal:
        sync["selfHealAttemptsCount"] = facts.heal_tries + 1
        # Only what drifted is applied, as in Argo CD.
        sync["resources"] = [
            {k: entry[k] for k in ("group", "kind", "name", "namespace") if k in entry}
            for entry in facts.out_of_sync
        ]
    retry = app.spec.get("syncPolicy", {}).get("retry") or {"limit": AUTOMATIC_LIMIT}
    return {"sync": sync, "initiatedBy": {"automated": True}, "retry": retry}
