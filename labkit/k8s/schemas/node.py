"""A schema as a tree to walk along an object: what is below this field, and how do lists and maps merge?

The same for built-in kinds, whose schemas refer to named definitions, and for custom ones, whose schema is whole.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = dict[str, Any]

_EXTENSION = "x-kubernetes-"


class Node:
    """One place in a schema.  `definitions` are what its references name."""

    __slots__ = ("__dict__", "_definitions", "raw")

    def __init__(self, raw: JSON, definitions: Mapping[str, JSON]) -> None:
        self.raw = raw
        self._definitions = definitions

    @cached_property
    def definition(self) -> str:
        """The name of the definition that this place refers to, or ""."""
        reference: str = self.raw.get("$ref", "")
        return reference.rpartition("/")[2]

    @cached_property
    def target(self) -> JSON:
        """The schema itself, its reference followed."""
        return self._definitions[self.definition] if self.definition else self.raw

    @property
    def type(self) -> str:
        """object, array, string, integer, number, boolean, or "" for anything."""
        return str(self.target.get("type", ""))

    @cached_property
    def fields(self) -> dict[str, Node]:
        """An object's named fields."""
        properties: JSON = self.target.get("properties") or {}
        return {name: Node(raw, self._definitions) for name, raw in properties.items()}

    @cached_property
    def items(self) -> Node | None:
        """A list's elements."""
        raw = self.target.get("items")
        return Node(raw, self._definitions) if isinstance(raw, dict) else None

    @cached_property
    def values(self) -> Node | None:
        """The values of a map whose keys are free."""
        raw = self.target.get("additionalProperties")
        return Node(raw, self._definitions) if isinstance(raw, dict) else None

    def child(self, name: str) -> Node | None:
        """What is below a key: a named field, or a map's value."""
        return self.fields.get(name) or self.values

    def extension(self, name: str) -> Any:
        """An ``x-kubernetes-…`` key, said here or where the reference leads."""
        key = _EXTENSION + name
        found = self.raw.get(key)
        return found if found is not None else self.target.get(key)

    @cached_property
    def list_type(self) -> str:
        """How server-side apply merges a list: atomic, set or map."""
        return str(self.extension("list-type") or "atomic")

    @cached_property
    def list_keys(self) -> tuple[str, ...]:
        """The fields that tell a map-list's elements apart."""
        return tuple(self.extension("list-map-keys") or ())

    @cached_property
    def atomic_map(self) -> bool:
        """Whether server-side apply replaces the object as a whole."""
        return bool(self.extension("map-type") == "atomic")

    @cached_property
    def patch_strategies(self) -> frozenset[str]:
        """What a strategic merge patch does with the field: merge, replace, retainKeys."""
        text: str = self.extension("patch-strategy") or ""
        return frozenset(part for part in text.split(",") if part)

    @cached_property
    def patch_merge_key(self) -> str:
        """The field by which a strategic merge patch finds a list's elements, or ""."""
        return str(self.extension("patch-merge-key") or "")

    @property
    def open(self) -> bool:
        """Whether fields that the schema does not name are kept."""
        return bool(self.extension("preserve-unknown-fields"))
