"""``labkit chart repo``: HTTP chart repositories that have a name; what ``helm repo`` is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.chart.options import (
    CaFile,
    Insecure,
    PassCredentials,
    Password,
    PasswordStdin,
    Username,
    access,
    remembering,
    sources,
)
from labkit.cli.output import Format, Output, listing
from labkit.cli.session import say

Name = Annotated[str, typer.Argument(help="The repository's name.")]


def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Its URL: https://HOST/PATH.")],
    username: Username = "",
    password: Password = "",
    password_stdin: PasswordStdin = False,
    pass_credentials: PassCredentials = False,
    insecure: Insecure = False,
    ca_file: CaFile = None,
    force_update: Annotated[bool, typer.Option("--force-update", help="Replace one of that name.")] = False,
) -> None:
    """Give a chart repository a name; its index is asked for once."""
    login = access(
        username, password, stdin=password_stdin, insecure=insecure, ca_file=ca_file,
        pass_credentials=pass_credentials,
    )  # fmt: skip
    made = remembering().book.add(name, url, login, force=force_update)
    say(f'"{made.name}" has been added: {made.url}')


def list_(output: Output = Format.TABLE) -> None:
    """List the chart repositories that have a name."""
    listing(
        [{"name": each.name, "url": each.url} for each in sources().book],
        output,
        {"NAME": lambda item: item["name"], "URL": lambda item: item["url"]},
        empty="No chart repository has a name yet: labkit chart repo add NAME URL",
    )


def remove(name: Name) -> None:
    """Forget a chart repository."""
    remembering().book.remove(name)
    say(f'"{name}" has been removed')


def index(
    folder: Annotated[Path, typer.Argument(help="The folder with the packaged charts.")],
    url: Annotated[str, typer.Option("--url", help="What stands before each archive's path.")] = "",
    merge: Annotated[
        Path | None, typer.Option("--merge", help="An earlier index, whose entries stay.")
    ] = None,
) -> None:
    """Write index.yaml for a folder of packaged charts: then any web server makes it a repository."""
    from labkit.helm.repositories import write_index
    from labkit.runtime.clock import SystemClock

    made = write_index(folder, url=url, merge=merge, now=SystemClock().now())
    total = sum(len(versions) for versions in made.charts.values())
    say(f"{folder / 'index.yaml'}: {len(made.charts)} charts, {total} versions")
