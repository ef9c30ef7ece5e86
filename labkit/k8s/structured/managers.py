"""Who owns which fields: ``metadata.managedFields`` as data to work with.

A manager is known by its name, by whether it applied or updated, by the subresource it wrote through and, for
updates, by the version it wrote in.  The same name can so stand there several times.

Source: k8s.io/apimachinery, ``pkg/util/managedfields/internal``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, TypeAlias

from labkit.k8s.structured.field_set import FieldSet

JSON = dict[str, Any]

APPLY: Final = "Apply"
UPDATE: Final = "Update"

# An object keeps this many entries of updates; older ones are thrown together under ANCIENT.
MAX_UPDATERS: Final = 10
ANCIENT: Final = "ancient-changes"


class Manager(NamedTuple):
    """A manager's identity; `api_version` is empty for one that applies, whatever version it applies in."""

    operation: str
    name: str
    api_version: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """As the API's conflicts name it."""
        by = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.api_version}" if self.operation == UPDATE else ""
        return f'"{self.name}"{by}{using}'


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns: the fields, the version that their paths are in, and when they last became more."""

    fields: FieldSet
    api_version: str
    time: str = ""

    def of(self, fields: FieldSet) -> Owned:
        """The same with other fields."""
        return replace(self, fields=fields)


Managers: TypeAlias = dict[Manager, Owned]


def decode(entries: list[JSON] | None) -> Managers:
    """The managers in ``managedFields``.  Raises `ValueError` for an entry that makes no sense."""
    managers: Managers = {}
    for index, entry in enumerate(entries or ()):
        operation, version = entry.get("operation", ""), entry.get("apiVersion", "")
        if operation not in (APPLY, UPDATE):
            raise ValueError("operation must be `Apply` or `Update`")
        if not version:
            raise ValueError("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            raise ValueError(f"missing or invalid fieldsType in managed fields entry {index}")
        own = version if operation == UPDATE else ""
        manager = Manager(operation, entry.get("manager", ""), own, entry.get("subresource", ""))
        fields = FieldSet.decode(entry.get("fieldsV1") or {})
        managers[manager] = Owned(fields, version, entry.get("time") or "")
    return managers


def encode(managers: Managers) -> list[JSON]:
    """``managedFields``: first who applied, then who updated; the oldest first."""
    return [
        _entry(manager, managers[manager])
        for manager in sorted(managers, key=lambda m: _order(m, managers[m]))
    ]


def _order(manager: Manager, owned: Owned) -> tuple[str, ...]:
    return (manager.operation, owned.time, manager.name, owned.api_version, manager.subresource)


def _entry(manager: Manager, owned: Owned) -> JSON:
    entry: JSON = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": owned.api_version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned.fields.encode(),
        "subresource": manager.subresource,
    }
    return {name: value for name, value in entry.items() if value != ""}


def capped(managers: Managers) -> Managers:
    """With no more than `MAX_UPDATERS` entries of updates: the oldest of each version become one."""
    updaters = [manager for manager in managers if manager.operation == UPDATE]
    if len(updaters) <= MAX_UPDATERS:
        return managers
    updaters.sort(key=lambda manager: (managers[manager].time, manager))
    result, count, first = dict(managers), len(updaters), dict[str, Manager]()
    for manager in updaters:
        if count <= MAX_UPDATERS:
            break
        owned = result[manager]
        bucket = Manager(UPDATE, ANCIENT, owned.api_version)
        if owned.api_version not in first:
            first[owned.api_version] = manager
            continue
        if bucket not in result:
            result[bucket] = result.pop(first[owned.api_version])
        merged = owned.fields | result[bucket].fields
        del result[manager]
        result[bucket] = Owned(merged, owned.api_version, owned.time)
        count -= 1
    return result
