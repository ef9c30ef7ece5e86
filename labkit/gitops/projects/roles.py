"""A project's roles: who may do what with its applications, said in the project itself.

A role's policies are lines of RBAC that may only speak of the role itself and of what belongs to the project; its
groups are given the role. Argo CD's server checks that when a project is written through it, and believes every
object that came another way, such as from Git. Here each line is checked when it is used: one that is not valid
grants nothing, and does not take the others with it.

Source: pkg/apis/application/v1alpha1/types.go and app_project_types.go in Argo CD.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.application import InvalidSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

PROJECT_RESOURCES = ("applications", "applicationsets", "repositories", "exec", "logs", "clusters")
_ACTIONS = {"get", "create", "update", "delete", "sync", "override", "rollback", "*"}
_ACTION_PREFIXES = ("action/", "update/", "delete/")
_NAME = re.compile(r"[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?")
_FORM = "p, sub, res, act, obj, eft"


def policy_of(project: str, spec: JSON) -> str:
    """The RBAC policy that a project's roles make, as text; what is not valid in them is left out."""
    lines: list[str] = []
    for role in _roles(spec):
        name = str(role.get("name") or "")
        if role_name_problem(name):
            continue
        subject = f"proj:{project}:{name}"
        lines.append(f"p, {subject}, projects, get, {project}, allow")
        lines += [p for p in _texts(role, "policies") if not policy_problem(project, name, p)]
        lines += [f"g, {group}, {subject}" for group in _texts(role, "groups") if not group_problem(group)]
    return "\n".join(lines)


def check_roles(project: str, spec: JSON) -> None:
    """`InvalidSpec` names the first role, policy or group that is not valid, or is there twice."""
    seen: set[str] = set()
    for number, role in enumerate(_roles(spec)):
        where, name = f"spec.roles[{number}]", str(role.get("name") or "")
        if name in seen:
            raise InvalidSpec(f"role '{name}' already exists", where=f"{where}.name", fix="Merge the two.")
        seen.add(name)
        if problem := role_name_problem(name):
            raise InvalidSpec(problem, where=f"{where}.name", fix="name: ci-deployer")
        fix = f"p, proj:{project}:{name}, applications, sync, {project}/*, allow"
        for part, look in (
            ("policies", lambda text, name=name: policy_problem(project, name, text)),
            ("groups", group_problem),
        ):
            found = _texts(role, part)
            for place, text in enumerate(found):
                twice = f"'{text}' is there twice" if text in found[:place] else ""
                if problem := look(text) or twice:
                    here = f"{where}.{part}[{place}]"
                    raise InvalidSpec(
                        problem, where=here, fix=fix if part == "policies" else "- my-org:my-team"
                    )


def role_name_problem(name: str) -> str:
    """What is wrong with a role's name; empty if nothing is."""
    if _NAME.fullmatch(name):
        return ""
    return (
        f"invalid role name '{name}'. Must consist of alphanumeric characters, '-' or '_', "
        "and must start and end with an alphanumeric character"
    )


def group_problem(group: str) -> str:
    """What is wrong with a group's name; empty if nothing is. One with a comma has to be quoted."""
    name = group.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    elif "," in name:
        return f"group '{name}' must be quoted"
    if not name:
        return f"group '{name}' is empty"
    if re.search(r'["\n\r\t]', name):
        return f"group '{name}' contains invalid characters"
    if len(group) > 1 and group[0].isspace():
        return f"group '{name}' contains a leading space"
    if len(group) > 1 and group[-1].isspace():
        return f"group '{name}' contains a trailing space"
    return ""


def policy_problem(project: str, role: str, policy: str) -> str:
    """What is wrong with one of a role's policies; empty if nothing is."""
    parts = [part.strip(" ") for part in policy.split(",")]
    wrong = f"invalid policy rule '{policy}': "
    if len(parts) != 6 or parts[0] != "p":
        return f"{wrong}must be of the form: '{_FORM}'"
    _, subject, resource, action, obj, effect = parts
    wanted = f"proj:{project}:{role}"
    if subject != wanted:
        return f"{wrong}policy subject must be: '{wanted}', not '{subject}'"
    if resource not in PROJECT_RESOURCES:
        *most, last = (f"'{name}'" for name in PROJECT_RESOURCES)
        return f"{wrong}project resource must be: {', '.join(most)} or {last}, not '{resource}'"
    if not valid_action(action):
        return f"{wrong}invalid action '{action}'"
    if not valid_object(project, obj):
        forms = f"'{project}/*', '{project}[/<NAMESPACE>]/<APPNAME>' or '{project}/<APPNAME>'"
        return f"{wrong}object must be of form {forms}, not '{obj}'"
    return "" if effect in ("allow", "deny") else f"{wrong}effect must be: 'allow' or 'deny'"


def valid_action(action: str) -> bool:
    """Whether a role may name the action: one of the known, or one on a resource (``delete/*/Pod/*/*``)."""
    return action in _ACTIONS or any(prefix in action for prefix in _ACTION_PREFIXES)


def valid_object(project: str, obj: str) -> bool:
    """Whether an object is the project's own: ``PROJECT[/NAMESPACE]/NAME``, each with ``*``."""
    return re.fullmatch(rf"{re.escape(project)}(/[*\w\-.]+)?/[*\w\-.]+", obj, re.ASCII) is not None


def _roles(spec: JSON) -> Iterator[JSON]:
    return (role for role in spec.get("roles") or [] if isinstance(role, dict))


def _texts(role: JSON, name: str) -> list[str]:
    return [text for text in role.get(name) or [] if isinstance(text, str)]
