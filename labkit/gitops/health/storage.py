"""PersistentVolumeClaim: healthy when it is bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.gitops.health.health import DEGRADED, HEALTHY, PROGRESSING, UNKNOWN, Health

if TYPE_CHECKING:
    from labkit.k8s.objects import Object

_PHASES = {"Bound": HEALTHY, "Pending": PROGRESSING, "Lost": DEGRADED}


def health(obj: Object) -> Health:
    """From its phase."""
    return Health(_PHASES.get((obj.get("status") or {}).get("phase", ""), UNKNOWN))
