"""``labkit chart registry``: logins to OCI registries; what ``helm registry`` is."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.chart.options import (
    CaFile,
    Insecure,
    Password,
    PasswordStdin,
    PlainHttp,
    Username,
    access,
    remembering,
)
from labkit.cli.session import say

Host = Annotated[str, typer.Argument(help="The registry's host, and port if it has one.")]


def login(
    host: Host,
    username: Username = "",
    password: Password = "",
    password_stdin: PasswordStdin = False,
    plain_http: PlainHttp = False,
    insecure: Insecure = False,
    ca_file: CaFile = None,
) -> None:
    """Log in to a registry; the login is kept in the lab folder, for this user only."""
    given = access(
        username, password, stdin=password_stdin, plain_http=plain_http, insecure=insecure, ca_file=ca_file
    )
    remembering().book.login(host, given)
    say("Login Succeeded")


def logout(host: Host) -> None:
    """Forget the login to a registry."""
    remembering().book.logout(host)
    say(f"Removing login credentials for {host}")
