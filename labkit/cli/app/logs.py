"""``labkit app logs``."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.app.create import Name
from labkit.cli.output import BLUE, paint
from labkit.cli.session import note, say, session


def logs(
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help="Only below resources of this kind.")] = "",
    resource: Annotated[str, typer.Option("--name", help="Only below the resource of this name.")] = "",
    container: Annotated[str, typer.Option("--container", "-c", help="This container.")] = "",
    tail: Annotated[int, typer.Option("--tail", help="Only the last lines; 0: all.")] = 0,
    previous: Annotated[bool, typer.Option("--previous", "-p", help="Of the container before it.")] = False,
) -> None:
    """Print the logs of an application's pods, each line with its pod's name."""
    found = (
        session.attach()
        .apps[name]
        .logs(kind=kind, name=resource, container=container, tail=tail or None, previous=previous)
    )
    for pod, lines in found.items():
        for line in lines.splitlines():
            say(f"{paint(pod, BLUE)}  {line}")
    if not found:
        note(f"application {name!r} has no pods")
