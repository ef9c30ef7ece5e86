"""From a token's claims to a decision: the subject first, then each group; a project's roles count for its objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.gitops.rbac.enforcer import Decision
from labkit.gitops.rbac.policy import PROJECT_SCOPED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.gitops.rbac.enforcer import Enforcer

JSON = dict[str, Any]
MOST_GROUPS = 1000


@dataclass(frozen=True)
class Claims:
    """What a token says of its owner (RFC 7519); here as plain data that has been verified already."""

    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Who it is: ``federated_claims.user_id`` where Dex was asked, else ``sub``."""
        federated = self.raw.get("federated_claims")
        user = federated.get("user_id") if isinstance(federated, dict) else None
        subject = user if isinstance(user, str) and user else self.raw.get("sub")
        return subject if isinstance(subject, str) else ""

    def groups(self, scopes: tuple[str, ...]) -> list[str]:
        """The groups, from the claims that ``scopes`` names."""
        found: list[str] = []
        for scope in scopes:
            value = self.raw.get(scope)
            values = value if isinstance(value, list) else [value]
            found += [group for group in values if isinstance(group, str)]
        return found[:MOST_GROUPS]


class Judge:
    """Decides on claims. ``policies`` gives a project's own rules by its name; ``None`` where there is no such."""

    def __init__(self, enforcer: Enforcer, policies: Callable[[str], str | None]) -> None:
        self._enforcer, self._policies = enforcer, policies

    def decide(self, claims: Claims, resource: str, action: str, obj: str) -> Decision:
        """Whether the owner of the claims may; the reason names who of them was asked."""
        enforcer, subject = self._enforcer, claims.subject
        project = project_of(resource, obj)
        policy = self._policies(project) if project else None
        if subject.startswith("proj:") and policy is not None and subject.split(":")[1:2] != [project]:
            return enforcer.decide(
                "", resource, action, obj
            )  # a project's token is nobody in another project
        found = enforcer.decide(subject, resource, action, obj, policy or "")
        if found or subject.startswith("proj:"):
            return found
        members = enforcer.members(policy or "")
        for group in claims.groups(enforcer.config.scopes):
            if group in members and (granted := enforcer.decide(group, resource, action, obj, policy or "")):
                return Decision(True, f"as {group}: {granted.reason}")
        return found


def project_of(resource: str, obj: str) -> str:
    """The project that a request is about; empty if it is about none."""
    if resource == "projects":
        return obj
    project, slash, _ = obj.partition("/")
    return project if resource in PROJECT_SCOPED and slash else ""
