"""``labkit app delete`` and ``confirm-deletion``."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.app.create import Name
from labkit.cli.complete import applications
from labkit.cli.session import confirm, note, session


def delete(
    names: Annotated[
        list[str],
        typer.Argument(metavar="APPNAME...", help="One or more applications.", autocompletion=applications),
    ],
    cascade: Annotated[bool, typer.Option(help="Delete what it deployed, too.")] = True,
    propagation_policy: Annotated[
        str, typer.Option("--propagation-policy", "-p", help="foreground or background.")
    ] = "foreground",
    wait: Annotated[bool, typer.Option(help="Until it is gone.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an application, and what it deployed."""
    apps = session.attach().apps
    for app in [apps[name] for name in names]:
        count = len(app.resources)
        what = f"and the {count} resources that it deployed" if cascade else "and leave what it deployed"
        confirm(f"Delete application {app.name!r} {what}?", yes=yes, where=app.name)
        app.delete(cascade=cascade, propagation_policy=propagation_policy, wait=wait)
        note(f"application {app.name!r} deleted")


def confirm_deletion(name: Name) -> None:
    """Agree to what waits for it: resources with Prune=confirm or Delete=confirm are deleted then."""
    session.attach().apps[name].confirm_deletion()
    note(f"deletion confirmed for application {name!r}")
