"""What a person asks an application for, as small values: read from ``Application.status``, kept nowhere."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from labkit.views.status import badges

T = TypeVar("T")
SHORT = 7


@dataclass(frozen=True)
class Condition:
    """A condition of the Application: why something could not be done."""

    type: str
    message: str

    def __repr__(self) -> str:
        return f"{self.type}: {self.message}"


@dataclass(frozen=True)
class AppStatus:
    """Sync, health, and the last operation, in Argo CD's words."""

    sync: str
    health: str
    revision: str
    phase: str
    message: str
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def of(cls, application: dict[str, Any]) -> AppStatus:
        """The status of an Application object; what the controller has not said yet is ``Unknown``."""
        status = application.get("status") or {}
        sync, health = status.get("sync") or {}, status.get("health") or {}
        operation = status.get("operationState") or {}
        conditions = tuple(
            Condition(str(c.get("type")), str(c.get("message", ""))) for c in status.get("conditions") or []
        )
        return cls(
            sync=sync.get("status") or "Unknown",
            health=health.get("status") or "Unknown",
            revision=sync.get("revision") or ", ".join(sync.get("revisions") or []),
            phase=operation.get("phase") or "",
            message=_why(health.get("message"), operation, conditions),
            conditions=conditions,
        )

    def _repr_html_(self) -> str:
        return badges(self.sync, self.health, self.message)._repr_html_()

    def __repr__(self) -> str:
        line = f"{self.sync}  {self.health}"
        return f"{line}\n{self.message}" if self.message else line


def _why(health: str | None, operation: dict[str, Any], conditions: tuple[Condition, ...]) -> str:
    if conditions:
        return conditions[0].message
    if operation.get("phase") in ("Failed", "Error", "Running"):
        return str(operation.get("message") or health or "")
    return health or ""


@dataclass(frozen=True)
class Resource:
    """One object that the application asks for, and how it stands."""

    group: str
    kind: str
    namespace: str
    name: str
    sync: str = ""
    health: str = ""
    message: str = ""
    requires_pruning: bool = False

    @classmethod
    def of(cls, item: dict[str, Any]) -> Resource:
        """From an entry of ``status.resources``."""
        health = item.get("health") or {}
        return cls(
            item.get("group") or "",
            item.get("kind") or "",
            item.get("namespace") or "",
            item.get("name") or "",
            item.get("status") or "",
            health.get("status") or "",
            health.get("message") or "",
            bool(item.get("requiresPruning")),
        )

    @property
    def key(self) -> str:
        """``GROUP:KIND:NAME``, as `labkit app sync --resource` takes it."""
        return f"{self.group}:{self.kind}:{self.name}"

    def __repr__(self) -> str:
        return "  ".join(filter(None, [f"{self.kind} {self.name}", self.sync, self.health, self.message]))


@dataclass(frozen=True)
class Entry:
    """One deployment in the application's history."""

    id: int
    revision: str
    deployed_at: str = field(repr=False, default="")
    initiated_by: str = ""
    source: dict[str, Any] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, item: dict[str, Any]) -> Entry:
        """From an entry of ``status.history``."""
        by = item.get("initiatedBy") or {}
        return cls(
            int(item.get("id") or 0),
            item.get("revision") or ", ".join(item.get("revisions") or []),
            item.get("deployedAt") or "",
            "automated sync" if by.get("automated") else str(by.get("username") or ""),
            item.get("source") or {},
        )

    @property
    def short(self) -> str:
        """The first seven digits of the revision, as people quote it."""
        return self.revision[:SHORT]

    def __repr__(self) -> str:
        return f"{self.id:>3}  {self.short}  {self.initiated_by}".rstrip()


@dataclass(frozen=True)
class FieldDifference:
    """One field that differs: its path, both values, and who wrote the live one last (empty: nobody said)."""

    path: str
    live: Any
    desired: Any
    writer: str = ""

    @classmethod
    def of(cls, item: dict[str, Any]) -> FieldDifference:
        """From the service's answer."""
        writer = (item.get("writer") or {}).get("manager") or ""
        return cls(item["path"], item.get("live"), item.get("desired"), writer)

    def __repr__(self) -> str:
        by = f"  (last written by {self.writer})" if self.writer else ""
        return f"{self.path}: {self.live!r} → {self.desired!r}{by}"


@dataclass(frozen=True)
class Difference:
    """One object that is not as the repository says: ``live`` and ``desired`` as YAML; one may be empty."""

    resource: Resource
    live: str
    desired: str
    fields: tuple[FieldDifference, ...] = field(repr=False, default=())

    @property
    def change(self) -> str:
        """What a sync would do: ``create``, ``update`` or ``prune``."""
        return "create" if not self.live else "update" if self.desired else "prune"

    @property
    def text(self) -> str:
        """As ``diff -u`` prints it: from live to desired."""
        title = "/".join(filter(None, [self.resource.kind, self.resource.namespace, self.resource.name]))
        lines = difflib.unified_diff(
            self.live.splitlines(),
            self.desired.splitlines(),
            f"live {title}",
            f"desired {title}",
            lineterm="",
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class PlannedTask:
    """One step that a sync would take: the phase and wave, what is done with which object, and why."""

    phase: str
    wave: int | None
    action: str
    resource: Resource
    reason: str

    @classmethod
    def of(cls, item: dict[str, Any]) -> PlannedTask:
        """From the service's answer."""
        return cls(item["phase"], item["wave"], item["action"], Resource.of(item), item["reason"])

    def to_json(self) -> dict[str, Any]:
        """As the service said it."""
        about = self.resource
        found = {"phase": self.phase, "wave": self.wave, "action": self.action, "group": about.group}
        return found | {
            "kind": about.kind, "namespace": about.namespace, "name": about.name, "reason": self.reason,
        }  # fmt: skip

    @property
    def when(self) -> str:
        """``PreSync``, ``Sync 2``: the phase, and the wave where it is not 0."""
        return f"{self.phase} {self.wave}" if self.wave else self.phase

    @property
    def about(self) -> str:
        """The object, ``Kind/name``."""
        return f"{self.resource.kind}/{self.resource.name}"

    def __repr__(self) -> str:
        return f"{self.when:<10}  {self.action:<6}  {self.about}  ({self.reason})"


@dataclass(frozen=True)
class Leaving:
    """An object and whether it would go with its application; ``reason`` is why it would stay."""

    resource: Resource
    goes: bool
    reason: str = ""

    @classmethod
    def of(cls, item: dict[str, Any]) -> Leaving:
        """From the service's answer."""
        return cls(Resource.of(item), bool(item["goes"]), item.get("reason") or "")

    @property
    def what(self) -> str:
        """``delete`` or ``keep``."""
        return "delete" if self.goes else "keep"

    @property
    def about(self) -> str:
        """The object, ``Kind/name``."""
        return f"{self.resource.kind}/{self.resource.name}"

    def __repr__(self) -> str:
        why = f"  ({self.reason})" if self.reason else ""
        return f"{self.what:<6}  {self.about}{why}"


@dataclass(frozen=True)
class Event:
    """Something that a controller reported about an object of the application."""

    type: str
    reason: str
    kind: str
    name: str
    message: str
    count: int = 1
    last_seen: str = field(repr=False, default="")

    @classmethod
    def of(cls, item: dict[str, Any]) -> Event:
        """From an Event object."""
        about = item.get("involvedObject") or {}
        return cls(
            item.get("type") or "Normal",
            item.get("reason") or "",
            about.get("kind") or "",
            about.get("name") or "",
            item.get("message") or "",
            int(item.get("count") or 1),
            item.get("lastTimestamp") or item.get("eventTime") or "",
        )

    @property
    def about(self) -> str:
        """The object that it is about, ``Kind/name``."""
        return f"{self.kind}/{self.name}"

    def __repr__(self) -> str:
        return f"{self.type:<7}  {self.reason:<18}  {self.about}  {self.message}"


class Listing(Sequence[T], Generic[T]):
    """A list that prints one thing a line; ``empty`` is what it says when there is none."""

    def __init__(self, items: Sequence[T], empty: str = "(none)") -> None:
        self._items = list(items)
        self._empty = empty

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Listing[T]: ...
    def __getitem__(self, index: int | slice) -> T | Listing[T]:
        if isinstance(index, slice):
            return Listing(self._items[index], self._empty)
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._items)) or self._empty

    def _repr_html_(self) -> str:
        from labkit.lab.displays import picture

        return picture(self._items, self._empty)._repr_html_()
