"""The life of CustomResourceDefinitions: their names are accepted, their kinds served, and cleaned up in the end.

In Kubernetes these are small controllers inside the API server; so they are here.  They run right after the write
that concerns them, not in the middle of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s.objects import copied
from labkit.sandbox.apiserver import custom, object_meta
from labkit.sandbox.store import Change, Key, Store

if TYPE_CHECKING:
    from datetime import datetime

    from labkit.sandbox.apiserver.codec import Codec
    from labkit.sandbox.apiserver.resources import Registry, Resource

JSON = dict[str, Any]
Defer = Callable[[Callable[[], None]], None]

CRDS: Final = "customresourcedefinitions.apiextensions.k8s.io"
CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"

log = logging.getLogger(__name__)


class Definitions:
    """Keeps the registry in step with the definitions in the store.

    `defer` runs a function soon; `delete` deletes one custom object as a user would, finalizers and all.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        codec: Codec,
        now: Callable[[], datetime],
        defer: Defer,
        delete: Callable[[Resource, str, str], None],
    ) -> None:
        self._store, self._registry, self._codec = store, registry, codec
        self._now, self._defer, self._delete = now, defer, delete
        self._served: dict[str, list[Resource]] = {}
        for key, entry in store.list(CRDS):
            self._serve(key.name, entry.decode())
            self._later(key.name)
        store.subscribe(self._on_change)

    def _on_change(self, change: Change) -> None:
        if change.key.resource == CRDS:
            self._serve(change.key.name, change.new)
            if change.new is not None:
                self._later(change.key.name)
        else:
            self._on_custom_change(change)

    def _on_custom_change(self, change: Change) -> None:
        """The last object of a kind that is going away lets its definition go."""
        if change.value is None and self._store.get(Key(CRDS, "", change.key.resource)) is not None:
            self._later(change.key.resource)

    def _later(self, name: str) -> None:
        self._defer(lambda: self._reconcile(name))

    # ── serving ───────────────────────────────────────────────────────────────

    def _serve(self, name: str, definition: JSON | None) -> None:
        for resource in self._served.pop(name, ()):
            self._registry.remove(resource)
        if definition is None or not _is_true(definition, "Established"):
            return
        self._served[name] = custom.resources(definition, self._codec)
        for resource in self._served[name]:
            self._registry.add(resource)

    # ── names, conditions, cleaning up ────────────────────────────────────────

    def _reconcile(self, name: str) -> None:
        entry = self._store.get(Key(CRDS, "", name))
        if entry is None:
            return
        definition = entry.decode()
        before = copied(definition)
        if definition["metadata"].get("deletionTimestamp"):
            self._clean_up(definition)
        else:
            self._accept_names(definition)
        if definition == before:
            return
        meta = definition["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            self._store.delete(Key(CRDS, "", name))
        else:
            self._store.put(Key(CRDS, "", name), definition)

    def _accept_names(self, definition: JSON) -> None:
        wanted, status = definition["spec"]["names"], definition.setdefault("status", {})
        conflict = self._conflict(definition)
        accepted = status.get("acceptedNames") or {}
        if conflict:
            self._set(definition, "NamesAccepted", "False", *conflict)
            if not accepted.get("kind"):
                self._set(definition, "Established", "False", "NotAccepted", "not all names are accepted")
            return
        status["acceptedNames"] = copied(wanted)
        self._set(definition, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
        text = "the initial names have been accepted"
        self._set(definition, "Established", "True", "InitialNamesAccepted", text)

    def _conflict(self, definition: JSON) -> tuple[str, str] | None:
        spec, name = definition["spec"], definition["metadata"]["name"]
        others = [r for r in self._registry if r.group == spec["group"] and r.storage != name]
        wanted = spec["names"]
        for resource in others:
            taken = {resource.plural, resource.singular, *resource.short_names}
            for key, reason in (("plural", "PluralConflict"), ("singular", "SingularConflict")):
                if wanted.get(key) in taken:
                    return reason, f'"{wanted[key]}" is already in use'
            for short in wanted.get("shortNames") or ():
                if short in taken:
                    return "ShortNamesConflict", f'"{short}" is already in use'
            if wanted["kind"] in (resource.kind, resource.list_kind):
                return "KindConflict", f'"{wanted["kind"]}" is already in use'
        return None

    def _clean_up(self, definition: JSON) -> None:
        meta, name = definition["metadata"], definition["metadata"]["name"]
        if CLEANUP not in (meta.get("finalizers") or ()):
            return
        left = list(self._store.list(name))
        resource = next(iter(custom.resources(definition, self._codec)), None)
        for key, entry in left:
            if resource is not None and b'"deletionTimestamp"' not in entry.value:
                self._delete(resource, key.namespace, key.name)
        if self._store.count(name):
            text = "CustomResource deletion is in progress"
            self._set(definition, "Terminating", "True", "InstanceDeletionInProgress", text)
            return
        meta["finalizers"] = [one for one in meta["finalizers"] if one != CLEANUP]
        self._set(definition, "Terminating", "False", "InstanceDeletionCompleted", "removed all instances")

    def _set(self, definition: JSON, kind: str, value: str, reason: str, message: str) -> None:
        set_condition(definition["status"], kind, value, reason, message, self._now())


def set_condition(status: JSON, kind: str, value: str, reason: str, message: str, now: datetime) -> None:
    """Set a condition; its transition time is kept while its value is."""
    conditions = status.get("conditions") or []
    found = next((one for one in conditions if one["type"] == kind), None)
    if found is None:
        found = {"type": kind}
        conditions.append(found)
    changed = found.get("status") != value
    found |= {"status": value, "reason": reason, "message": message}
    if changed:
        found["lastTransitionTime"] = object_meta.timestamp(now)
    status["conditions"] = conditions


def _is_true(definition: JSON, kind: str) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)
