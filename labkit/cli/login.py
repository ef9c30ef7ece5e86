"""``labkit login`` and ``logout``: speak as an account, as ``argocd login`` does."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.session import note, secret, session


def login(
    username: Annotated[str, typer.Option("--username", help="The account.")] = "",
    password: Annotated[str, typer.Option("--password", help="Its password; else it is asked for.")] = "",
) -> None:
    """Speak as an account from now on, until `labkit logout`. What it may do, argocd-rbac-cm says.

    With a password (labkit login --username ann), or with a token (labkit --auth-token TOKEN login). Without a login
    you are the lab's owner. A program uses LABKIT_AUTH_TOKEN instead, and LABKIT_SERVER where there is no lab folder.
    """
    from labkit.errors import BadRequest
    from labkit.lab.login import log_in

    settings, token = session.settings(), session.auth_token
    if not token and not username:
        raise BadRequest("it does not say as whom", where="labkit login", fix="labkit login --username NAME")
    if not token and not password:
        password = secret(f"Password for account {username}: ", flag="--password")
    name = log_in(settings, username=username, password=password, token=token)
    note(f"'{name}' logged in successfully")


def logout() -> None:
    """Speak as the lab's owner again."""
    from labkit.lab.login import log_out

    name = log_out(session.settings())
    note(f"'{name}' logged out" if name else "nobody was logged in")
