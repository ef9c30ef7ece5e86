"""Why the controller syncs by itself, or does not: Argo CD's gates, in their order, each with its reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.pinned import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAL_FIRST, HEAL_FACTOR, HEAL_LONGEST = 2.0, 3.0, 300.0
"""Self-heal's back-off in seconds: at once, then after 2, 6, 18 … at most 300."""

HEAL_FORGOTTEN = 330.0
"""Seconds of peace after which the back-off begins anew."""

HELD_SECONDS = 15.0
"""Until a sync window is looked at again."""

GATES = {
    "automated": "Is automated sync on?",
    "window": "Do the project's sync windows allow it?",
    "running": "Is no other operation running?",
    "deleting": "Does the application stay?",
    "differs": "Does live differ from Git?",
    "prune": "Is there more to do than pruning, or is prune on?",
    "failed": "Has this commit not failed before?",
    "heal": "Is this commit new, or is selfHeal on?",
    "pause": "Is self-heal's pause over?",
    "empty": "Would something be left, or is allowEmpty on?",
}
"""The gates in their order, each as the question that it asks."""


@dataclass(frozen=True)
class Facts:
    """What the gates look at."""

    automated: bool
    prune: bool
    self_heal: bool
    allow_empty: bool
    deleting: bool
    running: bool
    sync_status: str
    out_of_sync: Sequence[dict[str, Any]]  # entries of status.resources that are OutOfSync
    resources: int
    revision: str
    tried: bool  # whether the last operation was of this revision and source
    tried_phase: str
    tried_message: str = ""
    heal_tries: int = 0
    seconds_since: float = 0.0  # the last operation ended
    held: str = ""  # by a sync window: which


@dataclass(frozen=True)
class Decision:
    """Whether to sync now, and why or why not; ``later`` is in how many seconds to ask again."""

    sync: bool
    reason: str
    gate: str = ""  # the one of `GATES` that held; empty if all were open
    heal: bool = False
    error: str = ""
    later: float | None = None


def decide(facts: Facts) -> Decision:
    """Go through the gates; the first that holds decides."""
    if not facts.automated:
        return Decision(False, "automated sync is off: sync it yourself", "automated")
    if facts.held:
        return Decision(False, facts.held, "window", later=HELD_SECONDS)
    if facts.running:
        return Decision(False, "an operation is running", "running")
    if facts.deleting:
        return Decision(False, "the application is being deleted", "deleting")
    if facts.sync_status != "OutOfSync":
        return Decision(False, f"it is {facts.sync_status}: only OutOfSync is acted on", "differs")
    if not facts.prune and all(entry.get("requiresPruning") for entry in facts.out_of_sync):
        return Decision(False, "all there is to do is pruning, and automated.prune is off", "prune")
    heal = False
    if facts.tried and facts.tried_phase:
        held = _tried(facts)
        if held is not None:
            return held
        heal = True
    if facts.prune and not facts.allow_empty and facts.resources and _all_pruned(facts):
        text = "the sync would delete every resource of the application; automated.allowEmpty is off"
        return Decision(False, text, "empty", error=f"Skipping sync attempt to {facts.revision}: {text}")
    return Decision(
        True, "live differs from Git again: self-heal" if heal else "Git asks for something new", heal=heal
    )


def rows(decision: Decision) -> list[dict[str, str]]:
    """The gates in their order, each with its question and whether it was ``open``, ``held`` or ``not asked``."""
    found, state = [], "open"
    for gate, question in GATES.items():
        if gate == decision.gate:
            state = "held"
        found.append({"gate": gate, "question": question, "state": state})
        if state == "held":
            state = "not asked"
    return found


def heal_delay(tries: int) -> float:
    """Seconds between one self-heal and the next, after so many in a row."""
    return min(HEAL_FIRST * HEAL_FACTOR ** (min(tries, 10) - 1), HEAL_LONGEST) if tries else 0.0


def _tried(facts: Facts) -> Decision | None:
    """This revision was tried before: only self-heal may do it again, and not at once."""
    short = ", ".join(map(shortened, facts.revision.split(", ")))
    if facts.tried_phase != "Succeeded":
        text = f"the last sync of {short} failed, and a revision that failed is not tried again by itself"
        return Decision(False, text, "failed", error=_failed(facts))
    if not facts.self_heal:
        return Decision(
            False, f"{short} was synced already and selfHeal is off: drift is shown, not undone", "heal"
        )
    wait = heal_delay(facts.heal_tries) - facts.seconds_since
    if wait > 0:
        return Decision(False, "self-heal waits: it was needed a moment ago", "pause", later=wait)
    return None


def _all_pruned(facts: Facts) -> bool:
    pruned = sum(bool(entry.get("requiresPruning")) for entry in facts.out_of_sync)
    return pruned == facts.resources


def _failed(facts: Facts) -> str:
    why = f": {facts.tried_message}" if facts.tried_message else ""
    return f"Failed last sync attempt to {facts.revision}{why}"
