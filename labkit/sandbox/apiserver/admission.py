"""Admission: what the server adds to an object, or refuses, by rules that look beyond the object itself.

Source: Kubernetes' plugin/pkg/admission, those that kube-apiserver 1.36 turns on by default and that mean anything
without nodes and clouds.
"""

from __future__ import annotations

from typing import Any

from labkit.errors import NotFound
from labkit.sandbox.apiserver import problems
from labkit.sandbox.apiserver.requests import User, WriteOptions
from labkit.sandbox.apiserver.resources import Resource
from labkit.sandbox.store import Key, Store

JSON = dict[str, Any]

IMMORTAL = ("default", "kube-system", "kube-public")


class Admission:
    """Every plugin, in order."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:  # noqa: ARG002
        """Change or refuse a new object."""
        if resource.namespaced:
            self._namespace_is_alive(resource, obj["metadata"])

    def update(self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str) -> None:
        """Change or refuse a change."""

    def delete(self, resource: Resource, obj: JSON, user: User) -> None:  # noqa: ARG002
        """Refuse a deletion."""
        name = obj["metadata"]["name"]
        if resource.name == "namespaces" and name in IMMORTAL:
            raise problems.denied(resource, name, "this namespace may not be deleted")

    def _namespace_is_alive(self, resource: Resource, meta: JSON) -> None:
        name = meta["namespace"]
        entry = self._store.get(Key("namespaces", "", name))
        if entry is None:
            details = {"name": name, "kind": "namespaces"}
            raise NotFound(f'namespaces "{name}" not found', details=details)
        if b'"deletionTimestamp"' not in entry.value:
            return
        text = f"unable to create new content in namespace {name} because it is being terminated"
        error = problems.denied(resource, meta.get("name", ""), text)
        cause = {"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated", "field": "metadata.namespace"}
        error.details["causes"] = [cause]
        raise error
