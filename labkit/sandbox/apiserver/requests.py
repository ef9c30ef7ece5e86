"""What a client asks for: the parts of a request that its meaning depends on, free of HTTP.

`LocalClient` makes these itself; for the others `routing` reads them from a path and a query.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.sandbox.apiserver import field_errors

if TYPE_CHECKING:
    from labkit.errors import Invalid
    from labkit.sandbox.apiserver.field_errors import FieldError


@dataclass(frozen=True, slots=True)
class User:
    """Who asks.  `extra` holds what authentication learnt beside the name."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict, compare=False)


SYSTEM = User("system:apiserver", ("system:masters", "system:authenticated"))


@dataclass(slots=True)
class WriteOptions:
    """How to write: CreateOptions, UpdateOptions and PatchOptions in one.

    `warnings` collects what the client should hear although the write succeeds.
    """

    user: User = SYSTEM
    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = "Warn"  # Strict, Warn or Ignore
    force: bool = False
    user_agent: str = ""
    warnings: list[str] = field(default_factory=list)

    @property
    def manager(self) -> str:
        """Whose fields the write sets: as the client says, else the first word of its User-Agent."""
        return self.field_manager or self.user_agent.split("/", 1)[0] or "unknown"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete."""

    propagation: str = ""  # Background, Foreground, Orphan
    grace_seconds: int | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What to list or watch."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    match: str = ""  # resourceVersionMatch: Exact, NotOlderThan
    limit: int = 0
    continue_token: str = ""
    timeout_seconds: float | None = None
    bookmarks: bool = False
    initial_events: bool | None = None


def option_error(kind: str, *errors: FieldError) -> Invalid:
    """The 422 for options that make no sense, such as ``CreateOptions``."""
    return field_errors.invalid("meta.k8s.io", kind, "", errors)
