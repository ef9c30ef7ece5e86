"""Who commits: the person that Git knows already, or a name for those who have not told it one.

A first commit should not fail on a missing ``user.email``. What the lab puts in its place is given to each
command; it is never written to anybody's configuration.
"""

from __future__ import annotations

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

# What a repository's own configuration could make `git` execute, and what it is overridden with.
_EXECUTES = (
    r"^(filter\..*\.(clean|smudge|process|required)|merge\..*\.driver|diff\..*\.(command|textconv)"
    r"|core\.alternaterefscommand|credential\..*\.helper|branch\..*\.mergeoptions|merge\.default|diff\.trustexitcode)$"
)


def _read(git_dir: Path | None, pattern: str, *scope: str) -> list[tuple[str, str]]:
    where = (f"--git-dir={git_dir}",) if git_dir else ()
    env = environment(user_config=True)
    result = run(
        *where, "config", *scope, "--includes", "--null", "--get-regexp", pattern, env=env, check=False
    )
    pairs = (field.partition("\n") for field in result.fields())
    return [(key, value) for key, _, value in pairs if key]


def own_settings(git_dir: Path | None) -> Config:
    """The harmless part of the user's and the repository's configuration, the nearest one last."""
    return _read(git_dir, _TAKEN)


def disarmed(git_dir: Path) -> Config:
    """Overrides for every program that this repository's configuration names: filters pass content through
    unchanged, a merge driver reports a conflict."""
    keys = {key for key, _ in _read(git_dir, _EXECUTES, "--local")}
    return [(key, _instead(key)) for key in sorted(keys)]


def _instead(key: str) -> str:
    if key.endswith(".required"):
        return "false"
    if key == "core.alternaterefscommand":
        return "true"
    return "false" if key.startswith("merge.") and key.endswith(".driver") else ""


def identity(settings: Config, inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables that name the author and the committer, for whatever part nobody has set."""
    known = {key.lower(): value for key, value in settings}
    name = known.get("user.name") or FALLBACK.name
    email = known.get("user.email") or FALLBACK.email
    wanted = {f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")}
    wanted |= {f"GIT_{role}_EMAIL": email for role in ("AUTHOR", "COMMITTER")}
    return {key: value for key, value in wanted.items() if not inherited.get(key)}
