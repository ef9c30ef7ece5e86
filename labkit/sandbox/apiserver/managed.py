"""Whose fields are they?  managedFields, kept by every write; and server-side apply, which goes by them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

from labkit.k8s.patches import merge_patch
from labkit.sandbox.apiserver.requests import WriteOptions
from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]


class Managed:
    """Keeps managedFields."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def created(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """Note that the writer made all of the object."""

    def updated(self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str) -> None:
        """Note what the writer changed."""

    def apply(self, resource: Resource, live: JSON | None, config: JSON, options: WriteOptions, subresource: str) -> JSON:
        """What the object is when the manager's configuration is applied to it."""
        said = {key: value for key, value in config.items() if key not in ("kind", "apiVersion")}
        merged: JSON = merge_patch(copy.deepcopy(live or {}), said)
        return merged
