"""The two things that can happen to an object: somebody applies to it, or somebody updates it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from labkit.errors import ApiError, Conflict
from labkit.k8s.objects import Object, gvk, metadata, name_of, namespace_of
from labkit.k8s.schemas import Node
from labkit.k8s.structured import elements, last_applied, managers, ownership
from labkit.k8s.structured.field_set import FieldSet
from labkit.k8s.structured.ownership import Conflicts, Write
from labkit.k8s.structured.types import Misfit, Type, type_of
from labkit.k8s.structured.validate import check

if TYPE_CHECKING:
    from labkit.k8s.structured.managers import Manager, Managers

SchemaOf = Callable[[str], Node | None]

_BEFORE: Final = "before-first-apply"
_UNKNOWN: Final = "unknown"


def update(
    live: Object | None,
    new: Object,
    *,
    schema: Node,
    manager: str,
    api_version: str,
    now: str,
    subresource: str = "",
    empty: Object | None = None,
    ignored: FieldSet | None = None,
    schema_of: SchemaOf | None = None,
) -> Object:
    """The changed object with its ``metadata.managedFields``, for every write that is not an apply.

    `live` is the object before, or None for a create.  `new` is the object as its writer wants it, with defaults,
    before the server adds what is its own.  `now` is RFC 3339 text.  `empty` is what the kind looks like with nothing
    set (what is in it belongs to nobody), `ignored` what this path of the API does not write (see `reset_fields`);
    `schema_of` gives the schema of another version of the kind.

    Never fails: an object that its schema does not describe keeps the entries that it has.
    """
    kept = metadata(live or {}).get("managedFields")
    untouched = live is not None and metadata(new).get("managedFields") in (None, kept)
    if untouched and _bare(live or {}) == _bare(new):
        return _with_managers(new, kept)
    before = _known(live, new, subresource)
    if live is not None and not before:
        return _with_managers(new, None)  # nobody has been noted so far, or all are to be forgotten
    identity = ownership.updater(manager or _UNKNOWN, api_version, subresource)
    write = _write(identity, api_version, now, schema, schema_of, ignored)
    old = _bare(live) if live is not None else _bare(empty or {})
    try:
        owners = ownership.reconciled(before, write.type_of)
        after = managers.capped(ownership.updated(old, _bare(new), owners, write))
    except Misfit:
        return _with_managers(new, kept)
    return _with_managers(new, kept if untouched and after == before else managers.encode(after))


def apply(
    live: Object | None,
    applied: Object,
    *,
    schema: Node,
    manager: str,
    api_version: str,
    now: str,
    subresource: str = "",
    force: bool = False,
    empty: Object | None = None,
    ignored: FieldSet | None = None,
    schema_of: SchemaOf | None = None,
) -> Object:
    """The object when a manager's configuration has been applied to it, with its ``metadata.managedFields``.

    `applied` is what the manager sent, as it was sent; the rest as for `update`.  The result shares parts with both
    objects, which stay as they are, and lacks the defaults of what is new in it.  When nothing has changed it equals
    `live`.

    Raises `Conflict` with one cause for each field that others own with another value, and an `ApiError` with code
    500 and no reason, as the API does, where the configuration does not fit the schema.
    """
    identity = ownership.applier(manager or _UNKNOWN, subresource)
    write = _write(identity, api_version, now, schema, schema_of, ignored)
    _check(applied, write.kind)
    there = _bare(live) if live is not None else _bare(empty or {})
    config = _bare(applied)
    try:
        before = managers.decode(metadata(live or {}).get("managedFields"))
        owners = ownership.reconciled(before, write.type_of)
        if not owners:
            owners = ownership.before_first_apply(_bare(empty or {}), there, write, _BEFORE)
        result, after = _applied(there, config, owners, write, force=force)
    except ValueError as error:  # also `Misfit`
        raise _internal(str(error)) from error
    if manager == last_applied.MANAGER:
        result = last_applied.in_step(result, applied)
    kept = metadata(live or {}).get("managedFields")
    return _with_managers(result, kept if after == before else managers.encode(after))


def _applied(
    there: Object, config: Object, owners: Managers, write: Write, *, force: bool
) -> tuple[Object, Managers]:
    try:
        return ownership.applied(there, config, owners, write, force=force)
    except Conflicts as error:
        conflicts = error.conflicts
    if write.manager.name == last_applied.MANAGER:
        allowed = last_applied.accounted_for(there, write.kind, write.api_version)
        conflicts = [(who, path) for who, path in conflicts if path not in allowed]
        if not conflicts:
            return ownership.applied(there, config, owners, write, force=True)
    raise _conflict(conflicts)


# ── what goes in ──────────────────────────────────────────────────────────────


def _write(
    identity: Manager,
    api_version: str,
    now: str,
    schema: Node,
    schema_of: SchemaOf | None,
    ignored: FieldSet | None,
) -> Write:
    def of_version(version: str) -> Type | None:
        if version == api_version:
            return type_of(schema)
        node = schema_of(version) if schema_of else None
        return type_of(node) if node else None

    return Write(identity, api_version, now, of_version, ignored or FieldSet())


def _known(live: Object | None, new: Object, subresource: str) -> Managers:
    """The managers that a write starts from: those it brings itself, if it may and does, else the live object's."""
    mine, theirs = metadata(live or {}).get("managedFields"), metadata(new).get("managedFields")
    if not subresource and theirs is not None:
        if theirs in ([], [{}]):
            return {}
        try:
            said = managers.decode(theirs)
        except ValueError:
            said = {}
        if said:
            return said
    try:
        return managers.decode(mine)
    except ValueError:
        return {}


def _bare(obj: Object) -> Object:
    """Without managedFields, which nobody owns."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    return {**obj, "metadata": {name: value for name, value in meta.items() if name != "managedFields"}}


def _check(applied: Object, kind: Type) -> None:
    problem = check(applied, kind)
    if problem:
        group, version, name = gvk(applied)
        what = f"{namespace_of(applied)}/{name_of(applied)}; {group}/{version}, Kind={name}"
        raise _internal(f"failed to create typed patch object ({what}): {problem}")


# ── what comes out ────────────────────────────────────────────────────────────


def _with_managers(obj: Object, entries: list[Object] | None) -> Object:
    result = dict(_bare(obj))
    if entries:
        result["metadata"] = {**(result.get("metadata") or {}), "managedFields": entries}
    return result


def _internal(message: str) -> ApiError:
    error = ApiError(message)
    error.reason = ""
    return error


def _conflict(conflicts: list[ownership.Conflict]) -> Conflict:
    found = [(str(manager), "".join(elements.words(step) for step in path)) for manager, path in conflicts]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path}
        for who, path in found
    ]
    if len(found) == 1:
        text = f"Apply failed with 1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    else:
        lines: dict[str, list[str]] = {}
        for who, path in found:
            lines.setdefault(f"conflicts with {who}:", []).append(f"- {path}")
        said = "\n".join("\n".join((who, *paths)) for who, paths in lines.items())
        text = f"Apply failed with {len(found)} conflicts: {said}"
    return Conflict(text, details={"causes": causes})
