"""Whose fields are they?  managedFields, kept by every write; and server-side apply, which goes by them.

The rules themselves are `labkit.k8s.structured`; this says which schema, manager and path a write has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s import structured
from labkit.sandbox.apiserver import strategy
from labkit.sandbox.apiserver.object_meta import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from labkit.k8s.schemas import Node
    from labkit.sandbox.apiserver.requests import WriteOptions
    from labkit.sandbox.apiserver.resources import Registry, Resource

JSON = dict[str, Any]


class Managed:
    """Keeps managedFields."""

    def __init__(self, registry: Registry, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._now = now

    def created(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """Note in a new object that the writer made all of it."""
        if not obj["metadata"].get("managedFields"):
            self._update(resource, obj, None, options, "")

    def updated(
        self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str
    ) -> None:
        """Note in `new` what the writer changed of `old`."""
        self._update(resource, new, old, options, subresource)

    def _update(
        self, resource: Resource, new: JSON, old: JSON | None, options: WriteOptions, sub: str
    ) -> None:
        written = structured.update(old, new, manager=options.manager, **self._about(resource, sub))
        new["metadata"] = written["metadata"]

    def apply(
        self, resource: Resource, live: JSON | None, config: JSON, options: WriteOptions, sub: str
    ) -> JSON:
        """The object when the configuration, as it was sent, is applied to it; without kind and apiVersion."""
        about = self._about(resource, sub)
        result = structured.apply(live, config, manager=options.manager, force=options.force, **about)
        return {key: value for key, value in result.items() if key not in ("kind", "apiVersion")}

    def _about(self, resource: Resource, sub: str) -> dict[str, Any]:
        """What structured must know of the kind, and of the path that is written through."""
        resource = resource.stored or resource
        return {
            "schema": resource.model.schema,
            "api_version": resource.api_version,
            "now": timestamp(self._now()),
            "subresource": sub,
            "empty": resource.model.empty(),
            "ignored": structured.reset_fields(
                resource.group,
                resource.kind,
                sub,
                has_status=strategy.has_status(resource),
                custom=resource.custom is not None,
            ),
            "schema_of": lambda api_version: self._schema(api_version, resource.kind),
        }

    def _schema(self, api_version: str, kind: str) -> Node | None:
        found = self._registry.of_kind(api_version, kind)
        return found.model.schema if found else None
