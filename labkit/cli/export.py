"""``labkit export``: what was tried here, for the real thing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.session import note, say, session


def argocd(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    git: Annotated[
        str, typer.Option(help="What takes the place of the lab's Git host: https://git.example.org/team")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the folder.")] = False,
) -> None:
    """Write what a real Argo CD needs: applications, projects, settings; Secrets without what is secret."""
    found = session.attach().export_argocd(folder, git=git, force=force)
    say(f"{len(found.files)} files in {folder}: kubectl apply -k {folder} --server-side")
    for line in found.todo:
        note(f"To do: {line}")
