"""Job: healthy when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, SUSPENDED, Health, conditions, is_true

if TYPE_CHECKING:
    from labkit.k8s.objects import Object

_OUTCOMES = (("Failed", DEGRADED), ("Suspended", SUSPENDED), ("Complete", HEALTHY))


def health(obj: Object) -> Health:
    """From its conditions; the message is the last one that says something."""
    found = conditions(obj)
    for name, status in _OUTCOMES:
        if is_true(found.get(name)):
            return Health(status, str(found[name].get("message", "")))
    return Health(PROGRESSING)
