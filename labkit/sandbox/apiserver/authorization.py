"""May they?  Role-based access control, as Kubernetes decides it.

A request is allowed when some rule of some role that is bound to the user or one of their groups covers it;
nothing forbids.  Members of ``system:masters`` may do everything.

Source: Kubernetes' plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import Forbidden
from labkit.sandbox.store import Change, Key, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.sandbox.apiserver.requests import User
    from labkit.sandbox.apiserver.routing import Attributes

JSON = dict[str, Any]

GROUP: Final = "rbac.authorization.k8s.io"
MASTERS: Final = "system:masters"


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule that a user has, and the sentence that says why."""

    rule: JSON
    reason: str


class Authorizer:
    """Decides by the roles and bindings in the store; forgets what it has read of them when one changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._objects: dict[str, list[JSON]] = {}
        store.subscribe(self._on_change)

    def _on_change(self, change: Change) -> None:
        if change.key.resource.endswith(GROUP):
            self._objects.pop(change.key.resource, None)

    def allows(self, user: User, request: Attributes) -> tuple[bool, str]:
        """Whether the user may, and why."""
        if MASTERS in user.groups:
            return True, ""
        for grant in self.grants(user, request.namespace):
            if covers(grant.rule, request):
                return True, grant.reason
        return False, ""

    def require(self, user: User, request: Attributes) -> None:
        """Raise `Forbidden` unless the user may."""
        allowed, _ = self.allows(user, request)
        if not allowed:
            raise forbidden(user, request)

    def rules_of(self, user: User, namespace: str) -> list[JSON]:
        """All rules that the user has in the namespace, and cluster-wide."""
        if MASTERS in user.groups:
            return [
                {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
                {"verbs": ["*"], "nonResourceURLs": ["*"]},
            ]
        return [grant.rule for grant in self.grants(user, namespace)]

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """The rules that the user has in the namespace ("" for cluster scope only)."""
        for binding in self._all("clusterrolebindings"):
            yield from self._bound(binding, user, "ClusterRoleBinding", "")
        if namespace:
            for binding in self._all("rolebindings"):
                if binding["metadata"]["namespace"] == namespace:
                    yield from self._bound(binding, user, "RoleBinding", namespace)

    def rules(self, role: JSON, namespace: str) -> list[JSON]:
        """The rules of the role that a ``roleRef`` names; none when there is no such role."""
        kind = role.get("kind")
        resource = "roles" if kind == "Role" else "clusterroles"
        key = Key(f"{resource}.{GROUP}", namespace if kind == "Role" else "", role.get("name", ""))
        entry = self._store.get(key)
        return (entry.decode().get("rules") or []) if entry else []

    def _bound(self, binding: JSON, user: User, kind: str, namespace: str) -> Iterator[Grant]:
        subject = _subject(binding.get("subjects") or [], user, namespace)
        if subject is None:
            return
        role, name = binding["roleRef"], binding["metadata"]["name"]
        full = f"{name}/{namespace}" if namespace else name
        reason = f'RBAC: allowed by {kind} "{full}" of {role["kind"]} "{role["name"]}" to {subject}'
        for rule in self.rules(role, namespace):
            yield Grant(rule, reason)

    def _all(self, plural: str) -> list[JSON]:
        resource = f"{plural}.{GROUP}"
        found = self._objects.get(resource)
        if found is None:
            found = self._objects[resource] = [entry.decode() for _, entry in self._store.list(resource)]
        return found


def _subject(subjects: list[JSON], user: User, namespace: str) -> str | None:
    for subject in subjects:
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        place = subject.get("namespace") or namespace
        if kind == "ServiceAccount" and user.name == f"system:serviceaccount:{place}:{name}":
            return f'ServiceAccount "{name}/{place}"'
    return None


def covers(rule: JSON, request: Attributes) -> bool:
    """Whether one rule allows the request."""
    if not _has(rule.get("verbs"), request.verb):
        return False
    if request.path:
        return any(_path_matches(pattern, request.path) for pattern in rule.get("nonResourceURLs") or [])
    if not _has(rule.get("apiGroups"), request.group):
        return False
    if not _resource_matches(rule.get("resources") or [], request):
        return False
    names = rule.get("resourceNames") or []
    return not names or request.name in names


def _has(values: list[str] | None, value: str) -> bool:
    return bool(values) and ("*" in values or value in values)  # type: ignore[operator]


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _resource_matches(resources: list[str], request: Attributes) -> bool:
    return (
        "*" in resources
        or request.attribute in resources
        or bool(request.subresource and f"*/{request.subresource}" in resources)
    )


def forbidden(user: User, request: Attributes) -> Forbidden:
    """The 403, in the API server's words."""
    who = f'User "{user.name}"'
    if request.path:
        text = f'forbidden: {who} cannot {request.verb} path "{request.path}"'
        return Forbidden(text, details={})
    group = request.group
    place = f'in the namespace "{request.namespace}"' if request.namespace else "at the cluster scope"
    plural = f"{request.resource}.{group}" if group else request.resource
    subject = f'{plural} "{request.name}"' if request.name else plural
    text = (
        f'{subject} is forbidden: {who} cannot {request.verb} resource "{request.attribute}" '
        f'in API group "{group}" {place}'
    )
    details = {"name": request.name, "group": group, "kind": request.resource}
    return Forbidden(text, details={key: value for key, value in details.items() if value})
