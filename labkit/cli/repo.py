"""``labkit repo``: repositories on the lab's Git host."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.complete import repositories
from labkit.cli.output import Format, Output, listing, structured
from labkit.cli.session import confirm, note, say, session

Name = Annotated[str, typer.Argument(help="The repository's name.")]


def create(name: Name, output: Output = Format.TABLE) -> None:
    """Create a repository on the lab's Git host.

    `-o json` gives {name, url, clone_url}: `url` is what an Application names, and has no credential in it;
    `clone_url` is what plain `git clone` can use as it stands.
    """
    made = session.attach().repos.create(name)
    if output is Format.NAME:
        say(made.name)
    elif not structured(made.to_json(), output):
        say(f"Repository {made.name}")
        say(f"  for an Application: {made.url}")
        say(f"  to clone:           git clone {made.clone_url}")


def list_(output: Output = Format.TABLE) -> None:
    """List the repositories on the lab's Git host."""
    listing(
        [repo.to_json() for repo in session.attach().repos],
        output,
        {"NAME": lambda r: r["name"], "URL": lambda r: r["url"]},
        wide={"CLONE URL": lambda r: r["clone_url"]},
        empty="No repositories yet. Make one: labkit repo create NAME",
    )


def delete(
    name: Annotated[str, typer.Argument(help="The repository's name.", autocompletion=repositories)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a repository from the lab's Git host, with all its history. Clones of it stay."""
    repos = session.attach().repos
    found = repos[name]
    confirm(f"Delete repository {found.name} and all its history?", yes=yes, where=found.url)
    repos.delete(name)
    note(f"repository {name} deleted")


def protect(
    name: Annotated[str, typer.Argument(help="The repository's name.", autocompletion=repositories)],
    branch: Annotated[str, typer.Option(help="The branch; else the default one.")] = "",
    approvals: Annotated[int, typer.Option(help="How many people have to approve.")] = 1,
) -> None:
    """Let a branch take changes through pull requests only: Git refuses a push to it."""
    found = session.attach().repos[name].protect(branch, approvals=approvals)
    for protected, count in found.protected.items():
        note(f"{name}: {protected} is protected, approvals needed: {count}")


def unprotect(
    name: Annotated[str, typer.Argument(help="The repository's name.", autocompletion=repositories)],
    branch: Annotated[str, typer.Option(help="The branch; else the default one.")] = "",
) -> None:
    """Let a branch be pushed to again."""
    session.attach().repos[name].unprotect(branch)
    note(f"{name}: pushes are taken again")
