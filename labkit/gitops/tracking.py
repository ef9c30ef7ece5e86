"""Whose is this object? The tracking id that the controller writes on everything it deploys.

``argocd.argoproj.io/tracking-id: <app>:<group>/<kind>:<namespace>/<name>``. The id repeats what the object is, so
that a copy which some controller made of it, annotation and all, is seen to be a copy.
"""

from __future__ import annotations

import copy
import re
from typing import NamedTuple

from labkit.gitops.api.names import TRACKING_ID
from labkit.k8s.objects import Object, ObjectKey, annotations_of, group_of, name_of, namespace_of

INSTANCE_LABEL = "app.kubernetes.io/instance"
ANNOTATION, ANNOTATION_AND_LABEL = "annotation", "annotation+label"


class TrackingId(NamedTuple):
    """The annotation's parts."""

    application: str
    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.application}:{self.group}/{self.kind}:{self.namespace}/{self.name}"

    @property
    def key(self) -> ObjectKey:
        """The object that it names."""
        return ObjectKey(self.group, self.kind, self.namespace, self.name)


def parse(text: str) -> TrackingId | None:
    """The parts of a tracking id, or ``None`` where it is none. Names may hold colons (RBAC's do)."""
    application, first, rest = text.partition(":")
    kind, second, place = rest.partition(":")
    if not first or not second or kind.count("/") != 1 or place.count("/") != 1:
        return None
    group, _, kind = kind.partition("/")
    namespace, _, name = place.partition("/")
    return TrackingId(application, group, kind, namespace, name)


def tracking_id(application: str, obj: Object, namespace: str = "") -> TrackingId:
    """The id for an object of an application; ``namespace`` is for an object that names none itself."""
    group = group_of(obj.get("apiVersion", ""))
    return TrackingId(application, group, obj.get("kind", ""), namespace_of(obj) or namespace, name_of(obj))


def track(obj: Object, application: str, namespace: str = "", *, method: str = ANNOTATION) -> Object:
    """A copy of the object that says which application it belongs to."""
    tracked = copy.deepcopy(obj)
    meta = tracked.setdefault("metadata", {})
    meta["annotations"] = (meta.get("annotations") or {}) | {
        TRACKING_ID: str(tracking_id(application, obj, namespace))
    }
    if method == ANNOTATION_AND_LABEL:
        meta["labels"] = (meta.get("labels") or {}) | {INSTANCE_LABEL: truncated(application)}
    return tracked


def owner(obj: Object) -> str:
    """The application that an object belongs to, or the empty string.

    An id that names another object does not count. A cluster-scoped object's id may carry a namespace: the
    manifest named one, and the server dropped it.
    """
    found = parse(annotations_of(obj).get(TRACKING_ID, ""))
    if found is None:
        return ""
    key = ObjectKey.of(obj)
    same = (found.group, found.kind, found.name) == (key.group, key.kind, key.name)
    return found.application if same and (not key.namespace or found.namespace == key.namespace) else ""


def truncated(name: str) -> str:
    """A name that fits a label: 63 characters at most, ending in a letter or digit. `ValueError` if none does."""
    if len(name) <= 63:
        return name
    cut = re.sub(r"[^A-Za-z0-9]+$", "", name[:63])
    if not cut:
        raise ValueError(f"no label can be made of {name!r}: it has no letter or digit")
    return cut
