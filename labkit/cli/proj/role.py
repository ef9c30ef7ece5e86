"""``labkit proj role``: what a team or a program may do in a project, and the tokens of programs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from labkit.cli.output import Format, Output, listing, structured, table
from labkit.cli.proj.show import Name
from labkit.cli.session import note, say, session

Role = Annotated[str, typer.Argument(metavar="ROLE-NAME", help="The role's name.")]
Action = Annotated[
    str, typer.Option("--action", "-a", help="get, create, update, delete, sync, override, '*' …")
]
Object = Annotated[str, typer.Option("--object", "-o", help="What in the project: an application, or '*'.")]
Resource = Annotated[
    str,
    typer.Option(
        "--resource", "-r", help="applications, applicationsets, repositories, clusters, logs, exec."
    ),
]
Group = Annotated[str, typer.Argument(metavar="GROUP-CLAIM", help="A group of the single sign-on.")]


class Effect(StrEnum):
    """What a rule does."""

    ALLOW = "allow"
    DENY = "deny"


Permission = Annotated[Effect, typer.Option("--permission", "-p", help="allow or deny.")]


def list_(name: Name, output: Output = Format.TABLE) -> None:
    """List a project's roles."""
    columns = {"ROLE-NAME": lambda r: r["name"], "DESCRIPTION": lambda r: r.get("description")}
    roles = session.attach().projects[name].roles
    listing(roles, output, columns, empty=f"No roles yet: labkit proj role create {name} NAME")


def get(name: Name, role: Role, output: Output = Format.TABLE) -> None:
    """Show a role: its policies, its groups and its tokens."""
    from labkit.lab.project_edits import role_of

    project = session.attach().projects[name]
    found = role_of(project.spec, role)
    tokens = project.tokens(role)
    if structured({**found, "tokens": tokens}, output):
        return
    say(f"Role Name:     {role}")
    say(f"Description:   {found.get('description', '')}".rstrip())
    say("Policies:")
    say(f"p, proj:{name}:{role}, projects, get, {name}, allow")
    for line in found.get("policies") or []:
        say(line)
    if groups := found.get("groups"):
        say(f"Groups:        {', '.join(groups)}")
    say("JWT Tokens:")
    table(("ID", "ISSUED-AT", "EXPIRES-AT"), [(t["id"], t["issued"], t["expires"]) for t in tokens])


def create(
    name: Name,
    role: Role,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
) -> None:
    """Create a role. It may nothing yet but see the project."""
    session.attach().projects[name].create_role(role, description=description)
    note(f"role {role!r} created")


def delete(name: Name, role: Role) -> None:
    """Delete a role. Its tokens open nothing any more."""
    session.attach().projects[name].delete_role(role)
    note(f"role {role!r} deleted")


def add_policy(
    name: Name,
    role: Role,
    action: Action,
    obj: Object,
    permission: Permission = Effect.ALLOW,
    resource: Resource = "applications",
) -> None:
    """Let a role do something: labkit proj role add-policy shop ci -a sync -o '*'."""
    session.attach().projects[name].add_policy(role, action, obj, resource=resource, effect=permission.value)
    note(f"policy added to role {role!r}")


def remove_policy(
    name: Name,
    role: Role,
    action: Action,
    obj: Object,
    permission: Permission = Effect.ALLOW,
    resource: Resource = "applications",
) -> None:
    """Take a policy from a role."""
    session.attach().projects[name].remove_policy(
        role, action, obj, resource=resource, effect=permission.value
    )
    note(f"policy removed from role {role!r}")


def add_group(name: Name, role: Role, group: Group) -> None:
    """Give a group the role."""
    session.attach().projects[name].add_group(role, group)
    note(f"group {group!r} added to role {role!r}")


def remove_group(name: Name, role: Role, group: Group) -> None:
    """Take the role from a group."""
    session.attach().projects[name].remove_group(role, group)
    note(f"group {group!r} removed from role {role!r}")


def create_token(
    name: Name,
    role: Role,
    expires_in: Annotated[str, typer.Option("--expires-in", "-e", help="Such as 24h; 0s: never.")] = "0s",
    identity: Annotated[str, typer.Option("--id", "-i", help="The token's id; else one is made.")] = "",
    token_only: Annotated[
        bool, typer.Option("--token-only", "-t", help="Print the token only, for scripts.")
    ] = False,
) -> None:
    """Print a new token for a role. It is shown once, and may be taken away again.

    export LABKIT_AUTH_TOKEN=$(labkit proj role create-token shop ci --expires-in 24h --token-only)
    """
    project = session.attach().projects[name]
    token = project.create_token(role, expires_in=expires_in, identity=identity)
    if not token_only:
        note(f"Create token succeeded for proj:{name}:{role}. It is not shown again:")
    say(token)


def list_tokens(name: Name, role: Role, output: Output = Format.TABLE) -> None:
    """List a role's tokens (never the tokens themselves)."""
    listing(
        session.attach().projects[name].tokens(role),
        output,
        {"ID": lambda t: t["id"], "ISSUED AT": lambda t: t["issued"], "EXPIRES AT": lambda t: t["expires"]},
        name=lambda t: str(t["id"]),
        wide={"ISSUED (SECONDS)": lambda t: t["issued_at"]},
        empty=f"No tokens yet: labkit proj role create-token {name} {role}",
    )


def delete_token(
    name: Name,
    role: Role,
    token: Annotated[str, typer.Argument(metavar="ID|ISSUED-AT", help="The token's id, or its second.")],
) -> None:
    """Take a token away: it opens nothing any more."""
    session.attach().projects[name].delete_token(role, token)
    note(f"token {token!r} deleted")
