"""A policy as text: lines of CSV, ``p`` for a rule and ``g`` for who has a role; and the policy that is built in.

::

    p, role:deployer, applications, sync, shop/*, allow
    g, my-org:my-team, role:deployer

A line that makes no sense is refused with its number. Argo CD takes an effect that it does not know, and a pattern
that cannot be read, without a word; but a rule that was meant to deny and never does is worse than an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import LabError
from labkit.gitops.projects import globs
from labkit.k8s import expressions

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES = (
    "applications", "applicationsets", "clusters", "projects", "repositories", "write-repositories",
    "certificates", "accounts", "gpgkeys", "logs", "exec", "extensions",
)  # fmt: skip
ACTIONS = ("get", "create", "update", "delete", "sync", "rollback", "override", "action", "invoke")
PROJECT_SCOPED = frozenset({"applications", "applicationsets", "logs", "exec", "clusters", "repositories"})
"""What belongs to a project: its objects are written ``<project>/<object>``, and project roles may name it."""

GLOB, REGEX = "glob", "regex"
MOST_LINES = 10_000
_FIELD = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",][^",]*)?)(,|\Z)')
_RULE_FORM = "p, subject, resource, action, object, effect"


class InvalidPolicy(LabError):
    """A line of a policy that makes no sense; ``where`` names the line."""


@dataclass(frozen=True)
class Rule:
    """One ``p`` line: who (a subject or a role) may, or may not, do what with which objects."""

    subject: str
    resource: str
    action: str
    object: str
    effect: str

    def __str__(self) -> str:
        return f"p, {self.subject}, {self.resource}, {self.action}, {self.object}, {self.effect}"


@dataclass(frozen=True)
class Policy:
    """Rules, and who has which role (pairs of a member and a role)."""

    rules: tuple[Rule, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str, where: str = "policy.csv", mode: str = GLOB) -> Policy:
        """Read a policy; `InvalidPolicy` names the first line that makes no sense. ``mode`` is that of its patterns."""
        rules, roles = [], []
        for number, fields in _lines(text, where):
            place = f"{where}, line {number}"
            match fields:
                case ["g", member, role]:
                    roles.append((member, role))
                case ["p", *parts] if len(parts) == 5:
                    rules.append(_checked(Rule(*parts), place, mode))
                case _:
                    raise InvalidPolicy(
                        f"invalid RBAC policy: {', '.join(fields)[:200]}",
                        where=place,
                        fix=f"A rule has six parts, `{_RULE_FORM}`; a role is given by `g, member, role`.",
                    )
        return cls(tuple(rules), tuple(roles))

    def __add__(self, other: Policy) -> Policy:
        return Policy(self.rules + other.rules, self.roles + other.roles)

    def roles_without_rules(self) -> list[str]:
        """Roles that somebody has, and that nothing is said of: most often a misspelt name."""
        means: dict[str, set[str]] = {}
        for member, role in self.roles:
            means.setdefault(member, set()).add(role)
        spoken_of = {rule.subject for rule in self.rules}
        lacking = {role for _, role in self.roles if not _reached(role, means) & spoken_of}
        return sorted(lacking)


def _reached(role: str, means: dict[str, set[str]]) -> set[str]:
    found, left = {role}, [role]
    while left:
        new = means.get(left.pop(), set()) - found
        found |= new
        left += new
    return found


def _lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise InvalidPolicy(f"it has {len(lines)} lines, and {MOST_LINES} are the most", where=where)
    for number, line in enumerate(map(str.strip, lines), start=1):
        if line and not line.startswith("#"):
            yield number, _fields(line, f"{where}, line {number}")


def _fields(line: str, where: str) -> list[str]:
    """The fields of a line of CSV: space in front of one does not count, quotes may hold a comma."""
    found, at = [], 0
    while True:
        field = _FIELD.match(line, at)
        if field is None:
            raise InvalidPolicy(
                f"invalid RBAC policy: {line[:200]}",
                where=where,
                fix='Quote a whole field or nothing of it: "https://github.com/*/*.git"',
            )
        found.append(field[1].replace('""', '"') if field[1] is not None else field[2] or "")
        at = field.end()
        if not field[3]:
            return found


def _checked(rule: Rule, where: str, mode: str) -> Rule:
    if rule.effect not in ("allow", "deny"):
        raise InvalidPolicy(
            f"the effect is allow or deny, not {rule.effect!r}", where=where, fix=f"`{_RULE_FORM}`"
        )
    for pattern in (rule.resource, rule.action, rule.object):
        wrong = expressions.problem(pattern) if mode == REGEX else globs.problem(pattern)
        if wrong:
            what = "regular expression" if mode == REGEX else "glob"
            raise InvalidPolicy(
                f"{pattern!r} is no {what}: {wrong}",
                where=where,
                fix="What a pattern is, policy.matchMode in argocd-rbac-cm says: glob (the default) or regex.",
            )
    return rule


# What Argo CD has built in: role:readonly sees everything, role:admin may also change it, and `admin` has that role.
_ADMIN = {
    "applications": ("create", "update", "update/*", "delete", "delete/*", "sync", "rollback", "override", "action/*"),
    "applicationsets": ("get", "create", "update", "delete"),
    "certificates": ("create", "update", "delete"),
    "clusters": ("create", "update", "delete"),
    "repositories": ("create", "update", "delete"),
    "write-repositories": ("create", "update", "delete"),
    "projects": ("create", "update", "delete"),
    "accounts": ("update",),
    "gpgkeys": ("create", "delete"),
    "exec": ("create",),
}  # fmt: skip
_READABLE = (
    "applications", "applicationsets", "certificates", "clusters", "repositories", "write-repositories",
    "projects", "accounts", "gpgkeys", "logs",
)  # fmt: skip
_WITH_PROJECT = ("applications", "applicationsets", "logs", "exec")


def _built_in() -> Policy:
    granted = [("role:readonly", resource, "get") for resource in _READABLE]
    granted += [
        ("role:admin", resource, action) for resource, actions in _ADMIN.items() for action in actions
    ]
    return Policy(
        tuple(
            Rule(role, resource, action, "*/*" if resource in _WITH_PROJECT else "*", "allow")
            for role, resource, action in granted
        ),
        (("role:admin", "role:readonly"), ("admin", "role:admin")),
    )


BUILT_IN = _built_in()
