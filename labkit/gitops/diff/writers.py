"""Which fields differ, and who wrote what is live: read from the objects' managed fields.

Pure: managed fields say of each field which manager had an opinion on it, and when.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import Object, metadata
from labkit.k8s.structured import FieldSet, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

JSON = dict[str, Any]
Path = tuple[str, ...]
MISSING = object()


def differences(live: Object, predicted: Object) -> list[JSON]:
    """Each field that would change: ``path``, ``live``, ``desired`` and ``writer``, who wrote the live value last.

    ``writer`` has ``manager``, ``operation`` and ``time``, or is ``None`` where nobody said. Of status nothing is
    told, nor of what the server writes by itself.
    """
    entries = _entries(live)
    known = FieldSet()
    for fields, _ in (*entries, *_entries(predicted)):
        known = known | fields
    found = []
    for path in sorted(set(_leaves(known))):
        before, after = _value(live, path), _value(predicted, path)
        if path[0] != "f:status" and before != after:
            found.append(
                {
                    "path": "".join(words(element) for element in path).removeprefix("."),
                    "live": None if before is MISSING else before,
                    "desired": None if after is MISSING else after,
                    "writer": _last(entries, path) if before is not MISSING else None,
                }
            )
    return found


def without_fields_of(managers: Collection[str], live: Object, *objects: Object) -> None:
    """Remove from the objects (which are changed) the fields that these managers own in ``live``."""
    owned = FieldSet()
    for fields, entry in _entries(live):
        if entry.get("manager") in managers:
            owned = owned | fields
    for path in _leaves(owned):
        for obj in objects:
            _remove(obj, path)


def _entries(obj: Object) -> list[tuple[FieldSet, JSON]]:
    found = []
    for entry in metadata(obj).get("managedFields") or []:
        try:
            found.append((FieldSet.decode(entry.get("fieldsV1") or {}), entry))
        except ValueError:
            continue  # nothing of ours depends on an entry that somebody broke
    return found


def _leaves(fields: FieldSet, before: Path = ()) -> Iterator[Path]:
    """The paths to members that have nothing below them."""
    for element in fields.members:
        if not fields.children.get(element):
            yield (*before, element)
    for element, below in fields.children.items():
        yield from _leaves(below, (*before, element))


def _last(entries: list[tuple[FieldSet, JSON]], path: Path) -> JSON | None:
    owners = [entry for fields, entry in entries if path in fields and entry.get("subresource") != "status"]
    if not owners:
        return None
    newest = max(owners, key=lambda entry: str(entry.get("time") or ""))
    return {name: newest.get(name) for name in ("manager", "operation", "time")}


def _value(obj: Any, path: Path) -> Any:
    for element in path:
        obj = _step(obj, element)
        if obj is MISSING:
            return MISSING
    return obj


def _step(obj: Any, element: str) -> Any:
    kind, content = element[:2], element[2:]
    if kind == "f:":
        return obj.get(content, MISSING) if isinstance(obj, dict) else MISSING
    index = _place(obj, kind, content)
    return MISSING if index is None else obj[index]


def _place(obj: Any, kind: str, content: str) -> int | None:
    """Where in a list the element is that a step means."""
    if not isinstance(obj, list):
        return None
    if kind == "i:":
        return int(content) if int(content) < len(obj) else None
    wanted = json.loads(content)
    for index, item in enumerate(obj):
        if item == wanted if kind == "v:" else _has_key(item, wanted):
            return index
    return None


def _has_key(item: Any, key: JSON) -> bool:
    return isinstance(item, dict) and all(item.get(name) == value for name, value in key.items())


def _remove(obj: Any, path: Path) -> None:
    place, last = _value(obj, path[:-1]), path[-1]
    if isinstance(place, dict):
        place.pop(last[2:], None)
    elif (index := _place(place, last[:2], last[2:])) is not None:
        del place[index]
