"""``labkit chart keygen``: a key to try signing with, for those without GnuPG."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.session import note, say


def keygen(
    name: Annotated[str, typer.Argument(metavar="NAME", help='Whose: "Ada <ada@example.org>".')],
    destination: Annotated[Path, typer.Option("--destination", "-d", help="The folder for them.")] = Path(),
) -> None:
    """Make a key for signing charts: secring.gpg for its owner, pubring.gpg for everybody. It has no passphrase."""
    from labkit.helm.keys import make_key

    made = make_key(name, destination)
    say(f"Secret key, yours alone: {made.secret}")
    say(f"Public key, for everybody: {made.public}")
    note(f"Next: labkit chart package --sign --key {shlex.quote(name)} --keyring {made.secret} CHART")
