"""Branches that take changes through pull requests only.

Git itself refuses the push: its ``update`` hook, written by the lab and not by a repository, reads the rules from a
file beside the repository's own. So the command line, an editor and a notebook get the same words.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import PullRequestError
from labkit.git.revisions import check_revision

if TYPE_CHECKING:
    from pathlib import Path

RULES = "lab-protected"
HOOKS = ".hooks"
MOST_APPROVALS = 6

# Of githooks(5): it gets the reference, its old and its new object; what it prints the person reads.
_HOOK = f"""\
#!/bin/sh
# Written by the lab: refuses a push to a protected branch. A branch that is not there yet may be made.
case "$2" in *[!0]*) ;; *) exit 0 ;; esac
test -f "$GIT_DIR/{RULES}" || exit 0
while read -r ref approvals; do
  if test "$ref" = "$1"; then
    branch="${{1#refs/heads/}}"
    test "$approvals" = 1 && needed="1 approval" || needed="$approvals approvals"
    echo "$branch is protected: it takes changes through pull requests only ($needed needed)." >&2
    echo "Fix: push a branch of your own (git push origin HEAD:my-change), then: labkit pr create" >&2
    exit 1
  fi
done <"$GIT_DIR/{RULES}"
exit 0
"""


@dataclass(frozen=True)
class Rule:
    """What a branch asks for before something is merged into it: so many approvals, and checks that pass."""

    branch: str
    approvals: int = 1


def rules(git_dir: Path) -> dict[str, Rule]:
    """The protected branches of a repository, by name."""
    try:
        text = (git_dir / RULES).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found = {}
    for ref, _, approvals in (line.partition(" ") for line in text.splitlines()):
        branch = ref.removeprefix("refs/heads/")
        found[branch] = Rule(branch, int(approvals))
    return found


def protect(git_dir: Path, branch: str, approvals: int) -> Rule:
    """From now on the branch takes changes through pull requests only."""
    if not 0 <= approvals <= MOST_APPROVALS:
        problem = f"{approvals} approvals cannot be asked for"
        raise PullRequestError(problem, where="approvals", fix=f"0 to {MOST_APPROVALS}")
    rule = Rule(check_revision(branch, where=git_dir.name), approvals)
    _write(git_dir, rules(git_dir) | {rule.branch: rule})
    return rule


def unprotect(git_dir: Path, branch: str) -> None:
    """The branch may be pushed to again; nothing happens if it may already."""
    _write(git_dir, {name: rule for name, rule in rules(git_dir).items() if name != branch})


def hooks(root: Path) -> Path:
    """The folder with the hook, below the forge's own; it is written anew if it is not as it should be."""
    folder = root / HOOKS
    hook = folder / "update"
    if not hook.is_file() or hook.read_text(encoding="utf-8") != _HOOK:
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"update.{os.getpid()}.new"
        new.write_text(_HOOK, encoding="utf-8", newline="\n")
        new.chmod(0o755)
        new.replace(hook)
    return folder


def _write(git_dir: Path, found: dict[str, Rule]) -> None:
    text = "".join(f"refs/heads/{rule.branch} {rule.approvals}\n" for rule in found.values())
    new = git_dir / f"{RULES}.new"
    with new.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(git_dir / RULES)
