"""Whose settings count: the person's that Git knows already, as far as they cannot run a program.

A first commit should not fail on a missing ``user.email``. What the lab puts in its place is given to each
command; it is never written to anybody's configuration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from labkit.git.command import Config, environment, run
from labkit.git.values import Person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FALLBACK = Person("Trainee", "trainee@lab.local")

# What is taken over from a person's own configuration: their name, the way to the network, their line ends.
# Nothing here can name a program.
_TAKEN = (
    r"^(user\.(name|email)|http\.(.*\.)?(proxy|sslcainfo|sslcapath)|core\.(autocrlf|eol)|safe\.directory)$"
)

# What a repository's own configuration could make `git` execute beyond what `command.HARDENED` overrides.
_EXECUTES = (
    r"^(filter\..*\.(clean|smudge|process|required)|merge\..*\.driver|diff\..*\.(command|textconv)"
    r"|core\.alternaterefscommand|credential\..*\.helper|branch\..*\.mergeoptions)$"
)


def settings(git_dir: Path | None) -> Config:
    """What a command in this repository is configured with: the harmless part of what the user and the
    repository have set (the nearest one last), and an override for every program that it names.

    With the overrides a filter passes content through unchanged, and a merge driver reports a conflict.
    """
    where = (f"--git-dir={git_dir}",) if git_dir else ()
    command = ("config", "--includes", "--null", "--get-regexp", f"{_TAKEN}|{_EXECUTES}")
    result = run(*where, *command, env=environment(user_config=True), check=False)
    pairs = (field.partition("\n") for field in result.fields())
    return [(key, value if re.match(_TAKEN, key) else _instead(key)) for key, _, value in pairs if key]


def _instead(key: str) -> str:
    if key.endswith(".required"):
        return "false"
    if key == "core.alternaterefscommand":
        return "true"
    return "false" if key.startswith("merge.") and key.endswith(".driver") else ""


def identity(config: Config, inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables that name the author and the committer, for whatever part nobody has set."""
    known = {key.lower(): value for key, value in config}
    name = known.get("user.name") or FALLBACK.name
    email = known.get("user.email") or FALLBACK.email
    wanted = {f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")}
    wanted |= {f"GIT_{role}_EMAIL": email for role in ("AUTHOR", "COMMITTER")}
    return {key: value for key, value in wanted.items() if not inherited.get(key)}
