"""The words, signs and colours of sync and health: one table, so that no two screens say it differently.

A colour never stands alone: each has its sign and its word. The words are Argo CD's.
"""

from __future__ import annotations

# word → (sign, colour class)
_TABLE = {
    # health
    "Healthy": ("♥", "good"),
    "Progressing": ("◔", "busy"),
    "Degraded": ("✖", "bad"),
    "Suspended": ("⏸", "idle"),
    "Missing": ("○", "warn"),
    # sync
    "Synced": ("✓", "good"),
    "OutOfSync": ("≠", "warn"),
    # operations
    "Running": ("◔", "busy"),
    "Succeeded": ("✓", "good"),
    "Failed": ("✖", "bad"),
    "Error": ("✖", "bad"),
    "Terminating": ("◔", "warn"),
    "Held": ("⊘", "warn"),
    "Unknown": ("?", "idle"),
}


def sign(word: str) -> str:
    """The sign beside a status word; a word that is not in the table has a dot."""
    return _TABLE.get(word, ("·", ""))[0]


def tone(word: str) -> str:
    """The colour class of a status word: good, busy, warn, bad or idle."""
    return _TABLE.get(word, ("", "idle"))[1]


def status(word: str) -> str:
    """Sign and word, as text shows them: ``♥ Healthy``."""
    return f"{sign(word)} {word}" if word else ""


def table() -> dict[str, tuple[str, str]]:
    """All status words with sign and tone, for a script that draws by itself."""
    return dict(_TABLE)
