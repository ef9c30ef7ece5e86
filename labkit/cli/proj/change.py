"""``labkit proj add-source`` and the others: what a project permits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from labkit.cli.proj.show import Name
from labkit.cli.session import note, session


class ListName(StrEnum):
    """Which of the two lists a kind is put into, or taken from."""

    ALLOW = "allow"
    DENY = "deny"


Url = Annotated[
    str, typer.Argument(metavar="URL", help="The repository's URL, or a pattern of it; !… denies.")
]
Place = Annotated[str, typer.Argument(metavar="SERVER|NAME", help="The cluster by its URL, or by its name.")]
Namespace = Annotated[str, typer.Argument(metavar="NAMESPACE", help="The namespace, or a pattern of it.")]
ByName = Annotated[bool, typer.Option("--name", help="What is given is the cluster's name, not its server.")]
Group = Annotated[str, typer.Argument(metavar="GROUP", help="The API group; '' for the core's.")]
Kind = Annotated[str, typer.Argument(metavar="KIND", help="The kind, or a pattern of it.")]
ListOption = Annotated[
    ListName | None, typer.Option("--list", "-l", help="Through which list: allow or deny.")
]


def add_source(name: Name, url: Url) -> None:
    """Let a project's applications be read from a repository."""
    session.attach().projects[name].add_source(url)
    note(f"source repository {url!r} added to project {name!r}")


def remove_source(name: Name, url: Url) -> None:
    """Take a repository away from a project."""
    session.attach().projects[name].remove_source(url)
    note(f"source repository {url!r} removed from project {name!r}")


def add_destination(name: Name, place: Place, namespace: Namespace, by_name: ByName = False) -> None:
    """Let a project's applications go to a namespace of a cluster."""
    session.attach().projects[name].add_destination(place, namespace, by_name=by_name)
    note(f"destination {place},{namespace} added to project {name!r}")


def remove_destination(name: Name, place: Place, namespace: Namespace, by_name: ByName = False) -> None:
    """Take a destination away from a project."""
    session.attach().projects[name].remove_destination(place, namespace, by_name=by_name)
    note(f"destination {place},{namespace} removed from project {name!r}")


def allow_cluster_resource(name: Name, group: Group, kind: Kind, through: ListOption = None) -> None:
    """Allow a cluster-wide kind: put it into the list of the allowed ones."""
    _permit(name, group, kind, scope="cluster", allow=True, through=through)


def deny_cluster_resource(name: Name, group: Group, kind: Kind, through: ListOption = None) -> None:
    """Deny a cluster-wide kind: take it from the list of the allowed ones."""
    _permit(name, group, kind, scope="cluster", allow=False, through=through)


def allow_namespace_resource(name: Name, group: Group, kind: Kind, through: ListOption = None) -> None:
    """Allow a namespaced kind: take it from the list of the denied ones."""
    _permit(name, group, kind, scope="namespace", allow=True, through=through)


def deny_namespace_resource(name: Name, group: Group, kind: Kind, through: ListOption = None) -> None:
    """Deny a namespaced kind: put it into the list of the denied ones."""
    _permit(name, group, kind, scope="namespace", allow=False, through=through)


def set_(
    name: Name,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    orphaned_resources: Annotated[
        bool | None,
        typer.Option(
            "--orphaned-resources/--no-orphaned-resources", help="Look for objects of no application."
        ),
    ] = None,
    orphaned_resources_warn: Annotated[
        bool | None,
        typer.Option(
            "--orphaned-resources-warn/--no-orphaned-resources-warn", help="Say so in their condition."
        ),
    ] = None,
) -> None:
    """Change a project's description, and whether orphaned resources are looked for."""
    project = session.attach().projects[name]
    if description is not None:
        project.change(lambda spec: spec.__setitem__("description", description))
    if orphaned_resources is not None or orphaned_resources_warn is not None:
        project.monitor_orphans(
            enabled=orphaned_resources is not False, warn=orphaned_resources_warn is not False
        )
    note(f"project {name!r} updated")


def _permit(name: str, group: str, kind: str, *, scope: str, allow: bool, through: ListName | None) -> None:
    by_allowing = None if through is None else through is ListName.ALLOW
    project = session.attach().projects[name]
    project.permit_kind(group, kind, scope=scope, allow=allow, by_allowing=by_allowing)
    note(f"{group}/{kind} {'allowed' if allow else 'denied'} in project {name!r}")
