"""``labkit kubeconfig``: the file that makes plain kubectl speak to the lab's cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.complete import clusters
from labkit.cli.session import say, session
from labkit.errors import ServiceNotRunning


def kubeconfig(
    name: Annotated[
        str,
        typer.Argument(metavar="[CLUSTER]", help="One of `labkit cluster list`.", autocompletion=clusters),
    ] = "",
) -> None:
    """Print the path of a kubeconfig for kubectl: export KUBECONFIG=$(labkit kubeconfig)."""
    from labkit.lab.clusters import kubeconfig_of

    settings = session.own()
    path = kubeconfig_of(settings, name) if name else settings.kubeconfig
    if not path.exists():
        raise ServiceNotRunning("the lab has not been started yet", where=str(path), fix="labkit up")
    say(str(path))
