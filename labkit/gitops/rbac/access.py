"""The policy as it stands in the cluster now, and the question everybody asks it: may they?"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labkit.errors import Forbidden, LabError
from labkit.gitops.api.names import NAMESPACE
from labkit.gitops.projects import roles
from labkit.gitops.projects.roles import PROJECT_RESOURCES
from labkit.gitops.rbac import tokens
from labkit.gitops.rbac.accounts import ADMIN
from labkit.gitops.rbac.claims import Judge
from labkit.gitops.rbac.config import CONFIG_MAP, SCOPES, Config
from labkit.gitops.rbac.enforcer import NO_RULE, Decision, Enforcer
from labkit.k8s.objects import metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.rbac.claims import Claims
    from labkit.k8s.objects import Object

JSON = dict[str, Any]


class Access:
    """Reads ``argocd-rbac-cm`` and the AppProjects, and decides. Thread-safe.

    ``config_map`` and ``project`` give the objects as they are now, by name. A policy that makes no sense allows
    nobody but ``admin`` anything: better than to go on with half of it, or with none of its denials.
    """

    def __init__(
        self, config_map: Callable[[str], Object | None], project: Callable[[str], Object | None]
    ) -> None:
        self._config_map, self._project = config_map, project
        self._lock = threading.Lock()
        self._read: tuple[str, Enforcer | LabError] | None = None
        self._policies: dict[str, tuple[str, str]] = {}

    def decide(self, claims: Claims, resource: str, action: str, obj: str) -> Decision:
        """Whether the owner of the claims may, and why."""
        enforcer = self._enforcer()
        if isinstance(enforcer, LabError):
            if claims.subject != ADMIN:
                return Decision(False, f"the policy cannot be read: {enforcer.where}: {enforcer.problem}")
            enforcer = _BUILT_IN
        return Judge(enforcer, self._policy).decide(claims, resource, action, obj)

    def enforce(self, claims: Claims, resource: str, action: str, obj: str) -> None:
        """`Forbidden` where the owner of the claims may not."""
        decision = self.decide(claims, resource, action, obj)
        if not decision:
            raise Forbidden(
                f"permission denied: {', '.join((resource, action, obj, *_who(claims)))}",
                where=f"{NAMESPACE}/{CONFIG_MAP}",
                fix=_fix(claims.subject, resource, action, obj, decision.reason),
            )

    def scopes(self) -> tuple[str, ...]:
        """The claims of a token that are groups."""
        enforcer = self._enforcer()
        return SCOPES if isinstance(enforcer, LabError) else enforcer.config.scopes

    def owner(self, token: str, key: bytes, now: datetime) -> Claims:
        """Whose token it is; `Unauthorized` where it is not genuine, not in its time, or was taken away."""
        return self.listed(tokens.verify(token, key, now))

    def listed(self, claims: Claims) -> Claims:
        """The claims of a project role's token; `Unauthorized` where the project lists it no longer."""
        subject = claims.subject.split(":")
        if len(subject) != 3 or subject[0] != "proj":
            raise tokens.refused("it is for no role of a project")
        project = self._project(subject[1])
        if project is None or not tokens.is_listed(claims, project):
            raise tokens.refused(f"project {subject[1]} lists it no longer")
        return claims

    def _policy(self, project: str) -> str | None:
        found = self._project(project)
        if found is None:
            return None
        version = _version(found)
        known = self._policies.get(project)
        if known is None or known[0] != version:
            known = self._policies[project] = version, roles.policy_of(project, found.get("spec") or {})
        return known[1]

    def _enforcer(self) -> Enforcer | LabError:
        found = self._config_map(CONFIG_MAP)
        version = "" if found is None else _version(found)
        with self._lock:
            if self._read is None or self._read[0] != version:
                self._read = version, _made(found)
            return self._read[1]


_BUILT_IN = Enforcer()
"""What is left for ``admin`` while the policy makes no sense: somebody has to mend it."""


def _who(claims: Claims) -> list[str]:
    """Who it was, as Argo CD's refusals end."""
    issued = claims.raw.get("iat")
    at = [f"iat: {datetime.fromtimestamp(issued, UTC):%Y-%m-%dT%H:%M:%SZ}"] if isinstance(issued, int) else []
    return [f"sub: {claims.subject}", *at] if claims.subject else at


def _fix(subject: str, resource: str, action: str, obj: str, reason: str) -> str:
    if reason != NO_RULE:
        return f"What decided: {reason}"
    match subject.split(":"):
        case ["proj", project, role] if resource in PROJECT_RESOURCES and obj.startswith(f"{project}/"):
            inside = obj.removeprefix(f"{project}/")
            return (
                "No rule allows it. Who looks after the project can add it: "
                f"labkit proj role add-policy {project} {role} -r {resource} -a {action} -o {inside}"
            )
    rule = f"p, {subject or 'role:NAME'}, {resource}, {action}, {obj}, allow"
    return f"No rule allows it. Who looks after {CONFIG_MAP} can add to its policy.csv: {rule}"


def _version(obj: Object) -> str:
    """What differs when the object does: another of that name has another uid."""
    meta = metadata(obj)
    return f"{meta.get('uid')} {meta.get('resourceVersion') or id(obj)}"


def _made(config_map: Object | None) -> Enforcer | LabError:
    data = (config_map or {}).get("data") or {}
    try:
        return Enforcer(Config.parse(data, f"{NAMESPACE}/{CONFIG_MAP}"))
    except LabError as error:
        return error
