"""Nobody gives away more than they have: who writes a role, or binds one, must have all its rules.

Source: Kubernetes' pkg/registry/rbac/*/policybased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.sandbox.apiserver import problems
from labkit.sandbox.apiserver.authorization import GROUP, MASTERS, Authorizer, covers
from labkit.sandbox.apiserver.routing import Attributes

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.requests import User
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]


class Escalation:
    """Checks writes of roles and bindings."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def check(self, resource: Resource, obj: JSON, old: JSON | None, user: User) -> None:
        """Raise `Forbidden` where the user would grant what they do not have."""
        if resource.group != GROUP or MASTERS in user.groups:
            return
        meta = obj["metadata"]
        namespace, name = meta.get("namespace", ""), meta.get("name", "")
        if resource.plural in ("roles", "clusterroles"):
            if old is not None and old.get("rules") == obj.get("rules"):
                return
            verb, rules, target = "escalate", obj.get("rules") or [], name
        else:
            verb, rules = "bind", self._authorizer.rules(obj["roleRef"], namespace)
            target = obj["roleRef"].get("name", "")
        plural = resource.plural if verb == "escalate" else _roles(obj["roleRef"])
        asked = Attributes(verb, GROUP, "v1", plural, namespace=namespace, name=target)
        if self._authorizer.allows(user, asked)[0]:
            return
        missing = self._missing(rules, user, namespace)
        if missing:
            groups = " ".join(f'"{group}"' for group in user.groups)
            text = (
                f'user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n'
                + "\n".join(_shown(rule) for rule in missing)
            )
            raise problems.denied(resource, name, text)

    def _missing(self, rules: list[JSON], user: User, namespace: str) -> list[JSON]:
        held = self._authorizer.rules_of(user, namespace)
        return [rule for rule in rules if not all(_held(one, held) for one in _single(rule))]


def _roles(role: JSON) -> str:
    return "roles" if role.get("kind") == "Role" else "clusterroles"


def _single(rule: JSON) -> list[Attributes]:
    """The rule taken apart: one verb on one resource each."""
    found = [
        Attributes(verb, path=path)
        for verb in rule.get("verbs") or ()
        for path in rule.get("nonResourceURLs") or ()
    ]
    for verb in rule.get("verbs") or ():
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                plural, _, sub = resource.partition("/")
                names = rule.get("resourceNames") or [""]
                found += [Attributes(verb, group, "", plural, sub, name=name) for name in names]
    return found


def _held(asked: Attributes, held: list[JSON]) -> bool:
    return any(covers(rule, asked) for rule in held)


def _shown(rule: JSON) -> str:
    names = ("APIGroups", "Resources", "ResourceNames", "NonResourceURLs", "Verbs")
    keys = ("apiGroups", "resources", "resourceNames", "nonResourceURLs", "verbs")
    parts = []
    for name, key in zip(names, keys, strict=True):
        if rule.get(key):
            values = ", ".join(f'"{value}"' for value in rule[key])
            parts.append(f"{name}:[{values}]")
    return "{" + ", ".join(parts) + "}"
