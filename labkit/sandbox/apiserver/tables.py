"""Tables: what ``kubectl get`` shows.  The server, not kubectl, knows each kind's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from labkit.sandbox.apiserver.printers import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.apiserver.verbs import Clock, Page

JSON = dict[str, Any]


class Tables:
    """Makes tables of objects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def one(self, resource: Resource, value: bytes, include: str) -> JSON:
        """A table of one stored object."""
        obj = orjson.loads(value)
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return self._table(resource, [obj], meta, include)

    def page(self, resource: Resource, page: Page, include: str) -> JSON:
        """A table of a list."""
        from labkit.sandbox.apiserver.wire import list_meta

        return self._table(resource, [entry.decode() for _, entry in page.entries], list_meta(page), include)

    def event_encoder(self, resource: Resource, include: str) -> Callable[[bytes], bytes]:
        """Makes the tables that a watch sends: the first one names the columns."""
        first = True

        def encode(value: bytes) -> bytes:
            nonlocal first
            table = self.one(resource, value, include)
            if not first:
                table["columnDefinitions"] = None
            first = False
            return orjson.dumps(table)

        return encode

    def _table(self, resource: Resource, objects: list[JSON], meta: JSON, include: str) -> JSON:
        columns = columns_of(resource)
        now = self._clock.now()
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": meta,
            "columnDefinitions": [column.definition() for column in columns],
            "rows": [
                {
                    "cells": [column.cell(obj, now) for column in columns],
                    "object": self._included(resource, obj, include),
                }
                for obj in objects
            ],
        }

    def _included(self, resource: Resource, obj: JSON, include: str) -> JSON | None:
        if include == "None":
            return None
        if include == "Object":
            from labkit.sandbox.apiserver.wire import whole

            return whole(resource, obj)
        return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
