"""A plan as it is written down: the sync that has begun carries out this, whatever is seen on its way.

It stands in the operation's ``info``, which is Argo CD's own place for what is to be remembered of an operation. It
says what is done with which object, when and why; the manifests themselves are in Git, at the operation's commit.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError
from labkit.gitops.sync.plan import Plan
from labkit.gitops.sync.tasks import Task
from labkit.k8s.objects import Object, ObjectKey, uid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from labkit.gitops.diff import Compared

JSON = dict[str, Any]

PLAN = "plan"
"""The plan that the operation carries out."""

EXPECTED = "expected-plan"
"""The plan that somebody looked at and asked for: the operation is refused where it would do anything else."""

_IDENTITY = ("group", "kind", "namespace", "name", "phase")


def read(operation: JSON, name: str) -> list[JSON] | None:
    """The plan of that name that an operation has in its ``info``; `ApplicationError` where it is none."""
    for entry in operation.get("info") or []:
        if entry.get("name") == name:
            try:
                found = json.loads(entry.get("value") or "")
            except ValueError:
                found = None
            if not isinstance(found, list) or not all(_is_record(each) for each in found):
                raise ApplicationError(
                    "it is no plan",
                    where=f"operation.info[{name}]",
                    fix="Make one: labkit app plan --out FILE",
                )
            return found
    return None


def write(operation: JSON, name: str, tasks: Sequence[JSON] | None) -> JSON:
    """The operation with that plan in its ``info``, or, with ``None``, without it."""
    info = [entry for entry in operation.get("info") or [] if entry.get("name") != name]
    if tasks is not None:
        info.append({"name": name, "value": json.dumps(list(tasks), separators=(",", ":"))})
    rest = {field: value for field, value in operation.items() if field != "info"}
    return rest | ({"info": info} if info else {})


def restored(records: Iterable[JSON], items: Iterable[Compared], namespace: Task) -> Plan:
    """The plan again, with the objects as they are wanted, and as they are live now.

    What is to be applied and went away is made; what is to be pruned is that very object and no namesake of it;
    what the plan does not have is left to the next comparison. ``namespace`` is the task of ``CreateNamespace``.
    `ApplicationError` where the sources do not give what the plan asks for.
    """
    known = {item.key: item for item in items}
    tasks: list[Task] = []
    kept: list[tuple[Task, str]] = []
    for record in records:
        item = _find(record, known)
        if record["action"] == "keep":
            kept.append((_prune(record, item), record["reason"]))
        elif record["action"] == "prune":
            tasks.append(_prune(record, item))
        elif record["wave"] is None:
            tasks.append(replace(namespace, action=record["action"]))
        else:
            tasks.append(_apply(record, item))
    return Plan(tuple(tasks), tuple(kept))


def moved(expected: Iterable[JSON], found: Iterable[JSON]) -> list[str]:
    """What a plan would do otherwise than the one that was expected, a line for each; none where they are the same."""
    before, after = ({_identity(each): each for each in plan} for plan in (expected, found))
    lines = [
        f"{_name(before[key])}: {_does(before[key])} is not to be done any more"
        for key in before
        if key not in after
    ]
    lines += [f"{_name(after[key])}: {_does(after[key])} is new" for key in after if key not in before]
    for key, old in before.items():
        new = after.get(key, old)
        if any(old.get(field) != new.get(field) for field in ("action", "wave", "reason")):
            lines.append(f"{_name(old)}: {_does(old)} has become {_does(new)}")
        elif old.get("uid") != new.get("uid"):
            lines.append(f"{_name(old)}: it was deleted and made anew since")
    if not lines and list(before) != list(after):
        lines.append("the order of the steps is another")
    return lines


def _apply(record: JSON, item: Compared | None) -> Task:
    if item is None or item.target is None:
        raise ApplicationError(
            f"{_name(record)} is in the plan, and the sources do not give it",
            where="operation.info[plan]",
            fix="Sync again: that makes a new plan.",
        )
    hook = record["phase"] if record["action"] == "hook" else ""
    return Task(
        record["phase"],
        item.target,
        item.live,
        record["wave"],
        hook,
        record["reason"],
        action=record["action"],
    )


def _prune(record: JSON, item: Compared | None) -> Task:
    live = item.live if item is not None else None
    if live is None or uid_of(live) != record["uid"]:
        live = _trace(record)
    confirm = bool(record.get("confirm"))
    return Task(
        record["phase"],
        None,
        live,
        record["wave"],
        reason=record["reason"],
        needs_confirmation=confirm,
        action="prune",
    )


def _trace(record: JSON) -> Object:
    """What is left of an object that is gone: enough to ask the server for its deletion, and for no other's."""
    api_version = "/".join(filter(None, (record["group"], record["version"])))
    metadata = {"name": record["name"], "uid": record["uid"]}
    if record["namespace"]:
        metadata["namespace"] = record["namespace"]
    return {"apiVersion": api_version, "kind": record["kind"], "metadata": metadata}


def _find(record: JSON, known: dict[ObjectKey, Compared]) -> Compared | None:
    name = record["name"].removesuffix("…")  # a name that is made when the hook runs
    key = ObjectKey(record["group"], record["kind"], record["namespace"], name)
    if key in known:
        return known[key]
    # Whether a kind has namespaces may be known only since the sync brought its definition.
    same = [
        item for other, item in known.items() if other._replace(namespace="") == key._replace(namespace="")
    ]
    return same[0] if len(same) == 1 else None


def _is_record(record: Any) -> bool:
    texts = ("phase", "action", "group", "version", "kind", "namespace", "name", "uid", "reason")
    return (
        isinstance(record, dict)
        and all(isinstance(record.get(field), str) for field in texts)
        and isinstance(record.get("wave"), int | None)
    )


def _identity(record: JSON) -> tuple[Any, ...]:
    return tuple(record[field] for field in _IDENTITY)


def _name(record: JSON) -> str:
    return f"{record['kind']} {record['name']}"


def _does(record: JSON) -> str:
    wave = f", wave {record['wave']}" if record["wave"] else ""
    return f"{record['action']} ({record['phase']}{wave}: {record['reason']})"
