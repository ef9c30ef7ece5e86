"""Changes of an AppProject's ``spec``, as ``argocd proj`` makes them: pure functions on the spec, in place.

Each says in an error what it did not find; whether the result makes sense, and whether one may, the service says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON = dict[str, Any]


def add_to(spec: JSON, field: str, entry: Any, what: str) -> None:
    """Put an entry at the end of a list of the spec."""
    found = spec.setdefault(field, None) or []
    if entry in found:
        raise ApplicationError(
            f"{what} is there already", where=f"spec.{field}", fix="There is nothing to do."
        )
    spec[field] = [*found, entry]


def remove_from(spec: JSON, field: str, entry: Any, what: str) -> None:
    """Take an entry out of a list of the spec."""
    found = spec.get(field) or []
    if entry not in found:
        known = ", ".join(map(str, found)) or "none"
        raise NotFound(f"{what} is not there", where=f"spec.{field}", fix=f"There are: {known}.")
    spec[field] = [each for each in found if each != entry]


def destination(place: str, namespace: str, *, by_name: bool = False) -> JSON:
    """An entry of ``destinations``: a server's URL, or a cluster's name."""
    is_url = "://" in place or place == "*"
    return {"name" if by_name or not is_url else "server": place, "namespace": namespace}


def permit_kind(spec: JSON, group: str, kind: str, *, scope: str, allow: bool, by_allowing: bool) -> None:
    """Allow or deny a kind, through the list of the allowed ones (``by_allowing``) or that of the denied ones."""
    field = f"{scope}Resource{'Whitelist' if by_allowing else 'Blacklist'}"
    entry, what = {"group": group, "kind": kind}, f"{group}/{kind}"
    if allow is by_allowing:
        add_to(spec, field, entry, what)
    else:
        remove_from(spec, field, entry, what)


def add_role(spec: JSON, name: str, description: str = "") -> None:
    """A role that may nothing yet."""
    if any(role.get("name") == name for role in spec.get("roles") or []):
        raise ApplicationError(f"role '{name}' already exists", where=name, fix="Choose another name.")
    role = {"name": name} | ({"description": description} if description else {})
    spec["roles"] = [*(spec.get("roles") or []), role]


def remove_role(spec: JSON, name: str) -> None:
    """Delete a role, with its tokens."""
    role_of(spec, name)
    spec["roles"] = [role for role in spec["roles"] if role.get("name") != name]


def role_of(spec: JSON, name: str) -> JSON:
    """A role by its name."""
    for role in spec.get("roles") or []:
        if role.get("name") == name:
            found: JSON = role
            return found
    known = ", ".join(str(role.get("name")) for role in spec.get("roles") or []) or "none yet"
    raise NotFound(f"there is no role '{name}'", where=name, fix=f"There are: {known}.")


def policy(project: str, role: str, resource: str, action: str, obj: str, effect: str) -> str:
    """A line of a role; ``obj`` is what is meant within the project."""
    inside = obj if obj.startswith(f"{project}/") else f"{project}/{obj}"
    return f"p, proj:{project}:{role}, {resource}, {action}, {inside}, {effect}"


def window(
    kind: str,
    schedule: str,
    duration: str,
    *,
    applications: Sequence[str] = (),
    namespaces: Sequence[str] = (),
    clusters: Sequence[str] = (),
    manual_sync: bool = False,
    time_zone: str = "",
    and_operator: bool = False,
    sync_overrun: bool = False,
    description: str = "",
) -> JSON:
    """An entry of ``syncWindows``; what is not said is not in it."""
    said: JSON = {
        "kind": kind,
        "schedule": schedule,
        "duration": duration,
        "applications": list(applications),
        "namespaces": list(namespaces),
        "clusters": list(clusters),
        "manualSync": manual_sync,
        "timeZone": time_zone,
        "andOperator": and_operator,
        "syncOverrun": sync_overrun,
        "description": description,
    }
    return {field: value for field, value in said.items() if value}


def remove_window(spec: JSON, number: int) -> None:
    """Delete a window by its place in the list."""
    found = spec.get("syncWindows") or []
    if not 0 <= number < len(found):
        raise NotFound(
            f"there is no sync window {number}",
            where="spec.syncWindows",
            fix=f"There are {len(found)}, from 0.",
        )
    spec["syncWindows"] = [each for place, each in enumerate(found) if place != number]
