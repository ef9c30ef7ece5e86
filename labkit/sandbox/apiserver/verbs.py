"""create, get, list, update, patch, apply, delete: what each does to an object, for every kind alike.

A write goes through the same steps whatever the kind: decode, defaults, put back what this path may not write
(`strategy`), let admission change or refuse it (`admission`), note whose fields they are (`managed`), check
(`validation`), write.  A write that changes nothing is not written.

Objects are plain dicts without ``kind`` and ``apiVersion``; the resource says what they are.
"""

# ruff: noqa: SIM905 - a table of words is read more easily as text

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from labkit.errors import BadRequest, Gone
from labkit.k8s.objects import copied
from labkit.sandbox.apiserver import field_errors, object_meta, problems, strategy, warnings
from labkit.sandbox.store import Entry, Key, Store

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.requests import DeleteOptions, ListOptions, User, WriteOptions
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]
Transform = Callable[[JSON], JSON]

# Kinds that a PUT or an apply to a name that does not exist creates.
CREATED_BY_UPDATE: Final = frozenset(
    """
    endpoints events events.events.k8s.io leases.coordination.k8s.io
    roles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io
    clusterroles.rbac.authorization.k8s.io clusterrolebindings.rbac.authorization.k8s.io
    """.split()
)

# Kinds whose finished deletion is answered with the object instead of a Status.
RETURNS_DELETED: Final = frozenset(
    """
    pods services serviceaccounts persistentvolumes persistentvolumeclaims podtemplates resourcequotas
    """.split()
)

# Kinds whose dependents stay when a deletion does not say what becomes of them.
ORPHANS_BY_DEFAULT: Final = frozenset(("replicationcontrollers", "jobs.batch"))


class Clock(Protocol):
    """The time, as `labkit.runtime.clock.Clock` gives it."""

    def now(self) -> datetime:
        """The time in UTC."""


class Rules(Protocol):
    """What `verbs` asks of the rest of the server about one write; see `admission` and `validation`."""

    def admit_create(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """Change or refuse a new object."""

    def admit_update(
        self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str
    ) -> None:
        """Change or refuse a change."""

    def admit_delete(self, resource: Resource, obj: JSON, user: User) -> None:
        """Refuse a deletion."""

    def check_create(self, resource: Resource, obj: JSON) -> list[field_errors.FieldError]:
        """What is wrong with a new object."""

    def check_update(
        self, resource: Resource, new: JSON, old: JSON, subresource: str
    ) -> list[field_errors.FieldError]:
        """What is wrong with a change."""

    def own_create(self, resource: Resource, obj: JSON, options: WriteOptions) -> None:
        """Note in managedFields who made the object."""

    def own_update(
        self, resource: Resource, new: JSON, old: JSON, options: WriteOptions, subresource: str
    ) -> None:
        """Note in managedFields who changed what."""


@dataclass(frozen=True, slots=True)
class Page:
    """A list, or a page of one."""

    entries: list[tuple[Key, Entry]]
    revision: int
    continue_token: str = ""
    remaining: int = 0


class Verbs:
    """The verbs on one store."""

    def __init__(self, store: Store, rules: Rules, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._rules = rules

    # ── reading ───────────────────────────────────────────────────────────────

    def entry(self, resource: Resource, namespace: str, name: str) -> Entry:
        """The stored entry.  Raises `NotFound`."""
        if resource.computed is not None:
            return computed_entry(resource.computed.get(namespace, name))
        entry = self.store.get(_key(resource, namespace, name))
        if entry is None:
            raise problems.not_found(resource, name)
        return entry

    def get(self, resource: Resource, namespace: str, name: str) -> JSON:
        """A copy of the object.  Raises `NotFound`."""
        return self.entry(resource, namespace, name).decode()

    def list(
        self,
        resource: Resource,
        namespace: str,
        options: ListOptions,
        select: Callable[[Entry], bool] | None = None,
    ) -> Page:
        """The entries that `select` takes, or a page of them.  Raises `Gone` for a page that is too old."""
        store, after, revision = self.store, None, self.store.revision
        if resource.computed is not None:
            return _computed_page(resource, resource.computed.list(namespace), revision, select)
        if options.continue_token:
            revision, after = _read_token(options.continue_token)
        elif options.match == "Exact" and options.resource_version:
            revision = int(options.resource_version)
        try:
            current = revision == store.revision
            found = (
                store.list(resource.storage, namespace, after=after)
                if current
                else iter(
                    (key, entry)
                    for key, entry in store.list_at(resource.storage, namespace, revision)
                    if after is None or (key.namespace, key.name) > after
                )
            )
        except LookupError as error:
            raise Gone(
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter."
            ) from error
        entries = [(key, entry) for key, entry in found if select is None or select(entry)]
        if not options.limit or len(entries) <= options.limit:
            return Page(entries, revision)
        page, rest = entries[: options.limit], len(entries) - options.limit
        return Page(page, revision, _make_token(revision, page[-1][0]), 0 if select else rest)

    # ── create ────────────────────────────────────────────────────────────────

    def create(self, resource: Resource, namespace: str, obj: JSON, options: WriteOptions) -> JSON:
        """Write a new, decoded object; return it as written."""
        meta = obj.setdefault("metadata", {})
        if meta.get("resourceVersion"):
            raise problems.status_error(500, "", "resourceVersion should not be set on objects to be created")
        self._place(resource, namespace, meta)
        self._rules.own_create(resource, obj, options)
        meta = obj["metadata"]
        object_meta.fill_on_create(meta, self.clock.now())
        self._rules.admit_create(resource, obj, options)
        strategy.prepare_create(resource, obj)
        errors = self._rules.check_create(resource, obj)
        if errors:
            raise field_errors.invalid(resource.group, resource.kind, meta.get("name", ""), errors)
        options.warnings += warnings.on_create(resource, obj)
        key = _key(resource, namespace, meta["name"])
        if self.store.get(key) is not None:
            raise problems.already_exists(resource, meta["name"])
        return obj if options.dry_run else self.store.put(key, obj)

    def _place(self, resource: Resource, namespace: str, meta: JSON) -> None:
        if not resource.namespaced:
            meta.pop("namespace", None)
            return
        if meta.get("namespace", namespace) != namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        meta["namespace"] = namespace

    # ── update ────────────────────────────────────────────────────────────────

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        transform: Transform,
        options: WriteOptions,
        *,
        subresource: str = "",
        owned: bool = False,
    ) -> JSON:
        """Replace the object by `transform` of it; return it as it is then.

        `owned` says that `transform` has already kept managedFields (server-side apply).
        """
        entry = self.entry(resource, namespace, name)
        old = entry.decode()
        new = transform(entry.decode())
        self._check_identity(resource, new, old, namespace, name)
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if not owned:
            self._rules.own_update(resource, new, old, options, subresource)
        meta = new["metadata"]
        strategy.prepare_update(resource, new, old, subresource)
        self._rules.admit_update(resource, new, old, options, subresource)
        errors = self._rules.check_update(resource, new, old, subresource)
        if errors:
            raise field_errors.invalid(resource.group, resource.kind, name, errors)
        options.warnings += warnings.on_update(resource, new, old, subresource)
        if object_meta.without_times(new) == object_meta.without_times(old):
            return old
        key = _key(resource, namespace, name)
        if self._is_released(resource, new):
            if not options.dry_run:
                change = self.store.delete(key)
                meta["resourceVersion"] = str(change.revision)
            return new
        return new if options.dry_run else self.store.put(key, new)

    def _check_identity(self, resource: Resource, new: JSON, old: JSON, namespace: str, name: str) -> None:
        meta, before = new["metadata"], old["metadata"]
        if meta.setdefault("name", name) != name:
            text = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
            raise BadRequest(text)
        if resource.namespaced and meta.setdefault("namespace", namespace) != namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if meta.get("uid") and meta["uid"] != before["uid"]:
            raise problems.conflict(
                resource, name, _wrong_uid(resource, namespace, name, meta["uid"], before["uid"])
            )
        seen = meta.get("resourceVersion") or "0"  # "0" is any, as none is
        if not (seen.isascii() and seen.isdigit()):
            text = f"strconv.ParseUint: parsing {orjson.dumps(seen).decode()}: invalid syntax"
            raise problems.status_error(500, "", text)
        if int(seen) and seen != before["resourceVersion"]:
            raise problems.modified(resource, name)
        for key in (
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generateName",
        ):
            if key in before and not meta.get(key):
                meta[key] = before[key]
        meta.pop("selfLink", None)
        if "deletionTimestamp" not in before:
            meta.pop("deletionTimestamp", None)
            meta.pop("deletionGracePeriodSeconds", None)

    def _is_released(self, resource: Resource, obj: JSON) -> bool:
        """Whether nothing holds an object that is being deleted any longer."""
        meta = obj["metadata"]
        if not meta.get("deletionTimestamp") or meta.get("finalizers"):
            return False
        if resource.name == "namespaces" and (obj.get("spec") or {}).get("finalizers"):
            return False
        return not meta.get("deletionGracePeriodSeconds")

    # ── delete ────────────────────────────────────────────────────────────────

    def delete(
        self, resource: Resource, namespace: str, name: str, options: DeleteOptions, user: User
    ) -> tuple[JSON, bool]:
        """Delete the object, or begin to; return its last state, and whether it is gone."""
        old = self.get(resource, namespace, name)
        self._check_preconditions(resource, old, options)
        self._rules.admit_delete(resource, old, user)
        new = copied(old)
        grace = self._grace(resource, new, options)
        self._set_finalizers(resource, new, options)
        strategy.prepare_delete(resource, new, self.clock.now())
        meta, key = new["metadata"], _key(resource, namespace, name)
        held = bool(meta.get("finalizers")) or grace > 0
        held = held or (resource.name == "namespaces" and bool((new.get("spec") or {}).get("finalizers")))
        if not held:
            if resource.name in RETURNS_DELETED:
                self._mark(meta, 0)
            if not options.dry_run:
                self.store.delete(key)
            return new, True
        self._mark(meta, grace)
        if strategy.counted(resource) and "deletionTimestamp" not in old["metadata"]:
            meta["generation"] = meta.get("generation", 0) + 1
        if new == old or options.dry_run:
            return new, False
        return self.store.put(key, new), False

    def _mark(self, meta: JSON, grace: int) -> None:
        now = self.clock.now()
        before = meta.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" not in meta or (before is not None and grace < before):
            meta["deletionTimestamp"] = object_meta.timestamp(now + timedelta(seconds=grace))
            meta["deletionGracePeriodSeconds"] = grace

    def _check_preconditions(self, resource: Resource, obj: JSON, options: DeleteOptions) -> None:
        meta = obj["metadata"]
        problem = ""
        if options.uid and options.uid != meta["uid"]:
            problem = (
                f"the UID in the precondition ({options.uid}) does not match the UID in record ({meta['uid']}). "
                "The object might have been deleted and then recreated"
            )
        elif options.resource_version and options.resource_version != meta["resourceVersion"]:
            problem = (
                f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
                f"ResourceVersion in record ({meta['resourceVersion']}). The object might have been modified"
            )
        if problem:
            error = problems.conflict(resource, meta["name"], "")
            text = f'Operation cannot be fulfilled on {resource.kind} "{meta["name"]}": {problem}'
            details = {**error.details, "kind": resource.kind}
            raise type(error)(text, details=details)

    def _grace(self, resource: Resource, obj: JSON, options: DeleteOptions) -> int:
        """How many seconds the object's node has left to end it; only pods on a node have any."""
        if resource.name != "pods":
            return 0
        spec, status = obj["spec"], obj.get("status") or {}
        if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
            return 0
        asked = options.grace_seconds
        if asked is None:
            asked = spec.get("terminationGracePeriodSeconds", 30)
        if asked < 0:
            asked = 1
        pending = obj["metadata"].get("deletionGracePeriodSeconds")
        return min(asked, pending) if pending is not None else asked

    def _set_finalizers(self, resource: Resource, obj: JSON, options: DeleteOptions) -> None:
        """Let the garbage collector's finalizers say what becomes of the dependents."""
        meta = obj["metadata"]
        finalizers = meta.get("finalizers") or []
        policy = options.propagation
        if not policy:
            if "orphan" in finalizers or "foregroundDeletion" in finalizers:
                return
            policy = "Orphan" if resource.name in ORPHANS_BY_DEFAULT else "Background"
        wanted = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}.get(policy)
        kept = [name for name in finalizers if name not in ("orphan", "foregroundDeletion")]
        meta["finalizers"] = kept + ([wanted] if wanted else [])
        if not meta["finalizers"]:
            del meta["finalizers"]


def deletion_status(resource: Resource, obj: JSON) -> JSON:
    """The ``Status`` that says that the object is gone."""
    meta = obj["metadata"]
    details = {"name": meta["name"], "group": resource.group, "kind": resource.plural, "uid": meta["uid"]}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def computed_entry(obj: JSON) -> Entry:
    """An object that was made for the answer, as if it had been stored."""
    return Entry(0, orjson.dumps(obj), obj["metadata"].get("labels") or {})


def _computed_page(
    resource: Resource, objects: Iterable[JSON], revision: int, select: Callable[[Entry], bool] | None
) -> Page:
    made = [
        (_key(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), computed_entry(obj))
        for obj in objects
    ]
    return Page([(key, entry) for key, entry in made if select is None or select(entry)], revision)


def _key(resource: Resource, namespace: str, name: str) -> Key:
    return Key(resource.storage, namespace if resource.namespaced else "", name)


def _wrong_uid(resource: Resource, namespace: str, name: str, asked: str, found: str) -> str:
    path = "/".join(part for part in ("/registry", resource.plural, namespace, name) if part)
    return (
        f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {asked}, UID in object meta: {found}"
    )


def _make_token(revision: int, last: Key) -> str:
    text = orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": [last.namespace, last.name]})
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        content = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, name = content["start"]
        return int(content["rv"]), (str(namespace), str(name))
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest(f"continue key is not valid: {error}") from error
