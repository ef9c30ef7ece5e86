"""Kinds that are the same objects in two groups or versions: how one is written as the other.

Events are in the core group and in ``events.k8s.io``; autoscalers in ``autoscaling/v1`` and ``v2``.  The store keeps
one form (`builtin.SHARED_STORAGE`); the other is made of it when somebody asks for it.

Source: the conversions in Kubernetes' pkg/apis/events/v1; for autoscalers see `autoscalers`.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from labkit.sandbox.apiserver.autoscalers import Autoscalers

JSON = dict[str, Any]


class Conversion(Protocol):
    """Between a version and the stored one; both functions make a new object."""

    def to_storage(self, obj: JSON) -> JSON:
        """The object as it is stored."""

    def from_storage(self, obj: JSON) -> JSON:
        """The object in this version."""


# ── events ────────────────────────────────────────────────────────────────────

# events.k8s.io → core
_EVENT_FIELDS: Final = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}


class Events:
    """``events.k8s.io/v1``, stored as core events."""

    def to_storage(self, obj: JSON) -> JSON:
        """See `Conversion`."""
        return {_EVENT_FIELDS.get(key, key): value for key, value in obj.items()}

    def from_storage(self, obj: JSON) -> JSON:
        """See `Conversion`."""
        names = {old: new for new, old in _EVENT_FIELDS.items()}
        return {names.get(key, key): value for key, value in obj.items()}


CONVERSIONS: Final[dict[tuple[str, str, str], Conversion]] = {
    ("events.k8s.io", "v1", "events"): Events(),
    ("autoscaling", "v1", "horizontalpodautoscalers"): Autoscalers(),
}
