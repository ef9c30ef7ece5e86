"""Writes Events: what a controller did, where ``kubectl describe`` shows it."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from labkit.errors import LabError, NotFound
from labkit.k8s.objects import Object, metadata, name_of, namespace_of, uid_of

if TYPE_CHECKING:
    from labkit.runtime.client import ObjectClient
    from labkit.runtime.clock import Clock

log = logging.getLogger(__name__)

KEPT = 4096


class EventRecorder:
    """Events of one component; the same words about the same object count up one Event instead of making many."""

    def __init__(self, client: ObjectClient, component: str, clock: Clock, *, host: str = "") -> None:
        self._client, self._component, self._clock, self._host = client, component, clock, host
        self._known: dict[tuple[str, ...], tuple[str, int]] = {}

    def normal(self, obj: Object, reason: str, message: str, *, field_path: str = "") -> None:
        """Something went as it should."""
        self._record(obj, "Normal", reason, message, field_path)

    def warning(self, obj: Object, reason: str, message: str, *, field_path: str = "") -> None:
        """Something did not."""
        self._record(obj, "Warning", reason, message, field_path)

    def _record(self, obj: Object, event_type: str, reason: str, message: str, field_path: str) -> None:
        try:
            key = (uid_of(obj), event_type, reason, message, field_path)
            if not self._count_up(key, namespace_of(obj) or "default"):
                self._create(key, obj, field_path)
        except LabError as error:  # an Event is a remark: what it is about must not fail because of it
            log.debug("event %s on %s not written: %s", reason, name_of(obj), error)

    def _count_up(self, key: tuple[str, ...], namespace: str) -> bool:
        if key not in self._known:
            return False
        name, count = self._known[key]
        change = {"count": count + 1, "lastTimestamp": timestamp(self._clock.now())}
        try:
            self._client.patch("v1", "Event", name, namespace, patch=change)
        except NotFound:
            return False
        self._known[key] = (name, count + 1)
        return True

    def _create(self, key: tuple[str, ...], obj: Object, field_path: str) -> None:
        _, event_type, reason, message, _ = key
        about = {
            "apiVersion": obj.get("apiVersion"),
            "kind": obj.get("kind"),
            "namespace": namespace_of(obj),
            "name": name_of(obj),
            "uid": uid_of(obj),
            "resourceVersion": metadata(obj).get("resourceVersion"),
            "fieldPath": field_path,
        }
        now = timestamp(self._clock.now())
        name = f"{name_of(obj)}.{secrets.token_hex(8)}"
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace_of(obj) or "default"},
            "involvedObject": {field: value for field, value in about.items() if value},
            "type": event_type,
            "reason": reason,
            "message": message,
            "source": {"component": self._component} | ({"host": self._host} if self._host else {}),
            "reportingComponent": self._component,
            "reportingInstance": self._host,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._client.create(event)
        if len(self._known) >= KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[key] = (name, 1)


def timestamp(moment: datetime) -> str:
    """A moment as the API writes it: UTC, whole seconds, ``2030-01-01T00:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
