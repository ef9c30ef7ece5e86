"""What of an object counts when it is compared."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labkit.k8s.objects import Object

_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


def normal(obj: Object) -> Object:
    """A copy without what the server writes by itself, and without status."""
    kept = copy.deepcopy({name: value for name, value in obj.items() if name != "status"})
    meta = kept.get("metadata") or {}
    for name in _SERVERS_OWN:
        meta.pop(name, None)
    return kept
