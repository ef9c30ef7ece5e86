"""The rules of field ownership: what a write does to everybody's fields.

An update takes, without asking, what it changes.  An apply says all that its manager wants: what it no longer
says and nobody else owns goes, and what others own with another value is a conflict, unless forced.

Source: structured-merge-diff, ``merge.Updater``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from labkit.k8s.structured.compare import Changes, compare
from labkit.k8s.structured.elements import Path, field
from labkit.k8s.structured.field_set import FieldSet
from labkit.k8s.structured.managers import APPLY, UPDATE, Manager, Managers, Owned
from labkit.k8s.structured.types import Type
from labkit.k8s.structured.walk import fields_of, merge, remove

JSON = dict[str, Any]
TypeOf = Callable[[str], Type | None]

# Nobody owns what names an object and what the server itself counts.
_NOBODYS: Final = FieldSet.of(
    (field("apiVersion"),),
    (field("kind"),),
    (field("metadata"),),
    *(
        (field("metadata"), field(name))
        for name in ("name", "namespace", "creationTimestamp", "selfLink", "uid")
    ),
    *(
        (field("metadata"), field(name))
        for name in ("clusterName", "generation", "managedFields", "resourceVersion")
    ),
)

Conflict = tuple[Manager, Path]


class Conflicts(Exception):
    """Fields that others own with another value."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes, how, and in which version.

    `type_of` gives the type of the kind in a version, or None for a version that is not served (any longer);
    `ignored` are fields that this path of the API does not write.
    """

    manager: Manager
    api_version: str
    now: str
    type_of: TypeOf
    ignored: FieldSet

    @property
    def kind(self) -> Type:
        """The type of the object in the version of this write."""
        kind = self.type_of(self.api_version)
        if kind is None:
            raise LookupError(self.api_version)
        return kind


def reconciled(managers: Managers, type_of: TypeOf) -> Managers:
    """The managers, their fields as the schemas see them today."""
    return {
        manager: owned.of(owned.fields.reconciled(kind)) if (kind := type_of(owned.api_version)) else owned
        for manager, owned in managers.items()
    }


def updated(old: JSON, new: JSON, managers: Managers, write: Write) -> Managers:
    """Who owns what after somebody has changed the object."""
    managers, changes = _handed_over(old, new, managers, write, but=None)
    taken = (changes.modified | changes.added).without(write.ignored) - _NOBODYS
    if not taken:
        return managers
    before = managers.get(write.manager)
    fields = taken | before.fields if before else taken
    return {**managers, write.manager: Owned(fields, write.api_version, write.now)}


def applied(
    live: JSON, config: JSON, managers: Managers, write: Write, *, force: bool
) -> tuple[JSON, Managers]:
    """The object after an apply, and who owns what then.  Raises `Conflicts`."""
    kind = write.kind
    last = managers.get(write.manager)
    wanted = fields_of(config, kind).without(write.ignored)
    claimed = {**managers, write.manager: Owned(wanted, write.api_version, last.time if last else "")}
    merged = _pruned(merge(live, config, kind), last, claimed, write)
    owners, _ = _handed_over(live, merged, claimed, write, but=write.manager, force=force)
    return merged, _settled(owners, write, changed=merged != live)


def _settled(managers: Managers, write: Write, *, changed: bool) -> Managers:
    """The applying manager without nobody's fields, and with the time of this change if it is one."""
    own = managers.get(write.manager)
    if own is None:
        return managers
    fields = own.fields - _NOBODYS
    rest = {manager: owned for manager, owned in managers.items() if manager != write.manager}
    if not fields:
        return rest
    return {**rest, write.manager: Owned(fields, own.api_version, write.now if changed else own.time)}


def _handed_over(
    old: JSON, new: JSON, managers: Managers, write: Write, *, but: Manager | None, force: bool = True
) -> tuple[Managers, Changes]:
    """The managers without what others have lost by the change, and the change in the write's version.

    `but` loses nothing by it.  Unless `force`, losing is refused: raises `Conflicts`.
    """
    changes = {write.api_version: compare(old, new, write.kind).without(write.ignored)}
    lost: dict[Manager, FieldSet] = {}
    result: Managers = {}
    for manager, owned in managers.items():
        if manager == but:
            result[manager] = owned
            continue
        kind = write.type_of(owned.api_version)
        if kind is None:
            continue  # of a version that is gone: forgotten
        if owned.api_version not in changes:
            changes[owned.api_version] = compare(old, new, kind).without(write.ignored)
        change = changes[owned.api_version]
        taken = owned.fields & (change.modified | change.added) if change else FieldSet()
        if taken:
            lost[manager] = taken
        result[manager] = owned.of((owned.fields - taken) - change.removed) if change else owned
    if lost and not force:
        raise Conflicts([(manager, path) for manager in sorted(lost, key=str) for path in lost[manager]])
    kept = {manager: owned for manager, owned in result.items() if owned.fields}
    return kept, changes[write.api_version]


# ── what an apply no longer says ──────────────────────────────────────────────


def _pruned(merged: JSON, last: Owned | None, managers: Managers, write: Write) -> JSON:
    """The merged object without what the manager applied last time, not this time, and nobody else owns."""
    kind = write.type_of(last.api_version) if last else None
    if last is None or not last.fields or kind is None:
        return merged
    before = last.fields.with_structs(kind)
    pruned = remove(merged, before, kind) or {}
    for version, owned in _by_version(managers, last.api_version).items():
        pruned = _with_owned(merged, pruned, owned, write.type_of(version))
    # Only what this manager had may go: an element can hold fields of nobody, or of the server's defaults.
    gone = fields_of(merged, kind).with_structs(kind) - fields_of(pruned, kind).with_structs(kind)
    return remove(merged, gone & before, kind) or {}


def _by_version(managers: Managers, first: str) -> dict[str, FieldSet]:
    """All owned fields, by the version that their paths are in."""
    result: dict[str, FieldSet] = {}
    for owned in sorted(managers.values(), key=lambda owned: owned.api_version != first):
        result[owned.api_version] = result.get(owned.api_version, FieldSet()) | owned.fields
    return result


def _with_owned(merged: JSON, pruned: JSON, owned: FieldSet, kind: Type | None) -> JSON:
    """`pruned` with those fields of `merged` put back that somebody owns."""
    if kind is None:
        return pruned
    had, has = (fields_of(one, kind).with_structs(kind) for one in (merged, pruned))
    result: JSON = remove(merged, had - (has | owned.with_structs(kind)), kind) or {}
    return result


def before_first_apply(empty: JSON, live: JSON, write: Write, name: str) -> Managers:
    """All that is there when an object is applied to for the first time, under a manager of its own."""
    manager = Manager(UPDATE, name, write.api_version, write.manager.subresource)
    first = Write(manager, write.api_version, write.now, write.type_of, write.ignored)
    return updated(empty, live, {}, first)


def applier(name: str, subresource: str) -> Manager:
    """The identity of a manager that applies."""
    return Manager(APPLY, name, "", subresource)


def updater(name: str, api_version: str, subresource: str) -> Manager:
    """The identity of a manager that updates."""
    return Manager(UPDATE, name, api_version, subresource)
