"""What one run of the command line knows: which lab folder is meant, and how to speak to the person."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import ConfirmationRequired, Forbidden, SettingsError
from labkit.settings import Settings, plain_output

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from labkit.lab import Lab


@dataclass
class Session:
    """Set once by the command line's global options."""

    lab: Path | None = None
    auth_token: str = ""
    server: str = ""

    def settings(self, *, must_exist: bool = True) -> Settings:
        """The lab folder that is meant; `SettingsError` if it must be there and is not."""
        found = Settings.find(self.lab)
        if must_exist and not found.exists:
            raise SettingsError(
                "this is not a lab folder, and none is above it",
                where=str(found.home),
                fix="Make one: labkit init DIR. Or name one: labkit --lab DIR …",
            )
        return found

    def attach(self) -> Lab:
        """The running lab; `ServiceNotRunning` if it is not up. A command never starts it behind your back.

        Who asks: whose token was given (``--auth-token``, ``LABKIT_AUTH_TOKEN``), else who logged in, else the owner.
        """
        from labkit.lab import Lab

        token = self._said_token()
        server = self.server or Settings.environment("SERVER")
        if server and token:
            return Lab(self.lab, start=False, token=token, server=server)
        if server:
            raise SettingsError(
                "a server without a token opens nothing",
                where=server,
                fix="Give the token, too: LABKIT_AUTH_TOKEN, or --auth-token TOKEN",
            )
        settings = self.settings()
        return Lab(settings.home, start=False, token=token or self._login(settings))

    def own(self) -> Settings:
        """The lab folder, for what is its owner's alone: the clusters themselves. `Forbidden` for everybody else."""
        settings = self.settings()
        if self._said_token() or self._login(settings):
            raise Forbidden(
                "permission denied: the cluster itself is for the owner of the lab",
                where=str(settings.home),
                fix="Without LABKIT_AUTH_TOKEN and --auth-token, and after `labkit logout`, it is you who asks.",
            )
        return settings

    def _said_token(self) -> str:
        return self.auth_token or Settings.environment("AUTH_TOKEN")

    @staticmethod
    def _login(settings: Settings) -> str:
        from labkit.lab.login import remembered

        return remembered(settings)


session = Session()


def console() -> Console:
    """Standard output; colours and boxes only where a person sees them."""
    from rich.console import Console

    return Console(no_color=plain_output() or None, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """A line for the person, on standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line that is not the answer: on standard error, so that scripts need not skip it."""
    sys.stderr.write(text + "\n")


def secret(question: str, *, flag: str = "", empty: bool = False) -> str:
    """What the person types without it being shown; without a terminal only ``flag`` says it."""
    if not sys.stdin.isatty():
        if empty:
            return ""
        raise ConfirmationRequired("there is no terminal to ask on", where=flag, fix=f"Say it with {flag}.")
    from getpass import getpass

    return getpass(question, sys.stderr)


def confirm(question: str, *, yes: bool, where: str = "") -> None:
    """Go on only if the person agrees; without a terminal only ``--yes`` counts."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfirmationRequired(question, where=where, fix="Answer it with --yes.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfirmationRequired("not confirmed, so nothing was done", where=where)
