"""``labkit account``: who there is, their tokens, and who may do what; in the words of ``argocd account``."""

from __future__ import annotations

from typing import Annotated

import typer

from labkit.cli.output import Format, Output, listing, paint, structured, table
from labkit.cli.session import note, say, secret, session

Account = Annotated[str, typer.Option("--account", "-a", help="The account; else the one that asks.")]
Expires = Annotated[str, typer.Option("--expires-in", "-e", help="Such as 24h or 30m; 0s: never.")]
TokenId = Annotated[str, typer.Option("--id", help="The token's id; else one is made.")]


def list_(output: Output = Format.TABLE) -> None:
    """List the accounts that you may see. They are made in argocd-cm: accounts.NAME: apiKey, login."""
    listing(
        list(session.attach().accounts),
        output,
        {
            "NAME": lambda a: a["name"],
            "ENABLED": lambda a: str(a["enabled"]).lower(),
            "CAPABILITIES": lambda a: ", ".join(a["capabilities"]),
        },
        wide={"TOKENS": lambda a: len(a["tokens"])},
    )


def get(account: Account = "", output: Output = Format.TABLE) -> None:
    """Show an account and its tokens (never the tokens themselves)."""
    from labkit.lab.tokens import token_entry

    accounts = session.attach().accounts
    found = accounts[account or accounts.me["username"]]
    if output is Format.NAME:
        say(found["name"])
    elif not structured(found, output):
        say(f"Name:          {found['name']}")
        say(f"Enabled:       {str(found['enabled']).lower()}")
        say(f"Capabilities:  {', '.join(found['capabilities'])}\n")
        rows = [token_entry(token) for token in found["tokens"]]
        table(("ID", "ISSUED AT", "EXPIRES AT"), [(r["id"], r["issued"], r["expires"]) for r in rows])


def can_i(
    action: Annotated[str, typer.Argument(help="get, create, update, delete, sync, rollback, override …")],
    resource: Annotated[
        str, typer.Argument(help="applications, applicationsets, projects, clusters, repositories, logs …")
    ],
    subresource: Annotated[
        str, typer.Argument(metavar="SUBRESOURCE", help="The object: PROJECT/NAME, or '*'.")
    ] = "*",
    subject: Annotated[
        str, typer.Option("--as", help="Ask for this account, role or group instead of yourself.")
    ] = "",
    output: Output = Format.TABLE,
) -> None:
    """Say whether you may: yes or no, and on standard error the rule that decided.

    labkit account can-i sync applications shop/web --as ann
    """
    answer = session.attach().accounts.can_i(action, resource, subresource, subject=subject)
    said = {"value": "yes" if answer else "no", "reason": answer.reason}
    if not structured(said, output):
        say(paint(said["value"], "32" if answer else "31"))
        note(answer.reason)


def generate_token(account: Account = "", expires_in: Expires = "0s", identity: TokenId = "") -> None:
    """Print a new token for an account with the capability apiKey. It is shown once, and may be taken away again.

    export LABKIT_AUTH_TOKEN=$(labkit account generate-token --account ci --expires-in 24h)
    """
    say(session.attach().accounts.create_token(account, expires_in=expires_in, identity=identity))


def delete_token(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The token's id: labkit account get.")],
    account: Account = "",
) -> None:
    """Take a token away: it opens nothing any more."""
    session.attach().accounts.delete_token(identity, account)
    note(f"token {identity!r} deleted")


def get_user_info(output: Output = Format.TABLE) -> None:
    """Say who you are."""
    me = session.attach().accounts.me
    if output is Format.NAME:
        say(me["username"])
    elif not structured(me, output):
        say(f"Logged In: {str(me['loggedIn']).lower()}")
        if me["loggedIn"]:
            say(f"Username: {me['username']}")
            say(f"Issuer: {me['iss']}")
            say(f"Groups: {', '.join(me['groups'])}".rstrip())


def update_password(
    account: Account = "",
    current_password: Annotated[str, typer.Option("--current-password", help="Else it is asked for.")] = "",
    new_password: Annotated[str, typer.Option("--new-password", help="Else it is asked for.")] = "",
) -> None:
    """Give an account another password; logins with the old one end."""
    accounts = session.attach().accounts
    me = str(accounts.me["username"])
    if (account or me) == me and not current_password:
        current_password = secret("Current password (Enter, if there is none yet): ", empty=True)
    new = new_password or secret(f"New password for account {account or me}: ", flag="--new-password")
    accounts.set_password(new, account, current=current_password)
    note("password updated")
