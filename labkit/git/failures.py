"""What went wrong, for people: the messages of ``git`` turned into the lab's errors, with a next step each.

Git says on its error stream, in English (``LC_ALL=C``), what it could not do; there is no other interface.
One table, first match wins.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from labkit.errors import (
    AuthenticationRequired,
    GitError,
    RepositoryNotFound,
    RepositoryUnreachable,
    RevisionNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CREDENTIAL = "Give a user name and a password or token for this address; check that the repository exists."
_NETWORK = "Check the address, the network and the proxy settings, and whether the Git host runs."

# (what git says, the error, the problem in our words, the next step)
_TABLE: tuple[tuple[str, type[GitError], str, str], ...] = (
    (r"no space left on device|disk quota exceeded|file size limit exceeded|fsize", GitError,
     "The disk is full, or the repository is larger than the lab reads.", "Make room, then try again."),
    (r"dubious ownership", GitError, "The folder belongs to another user, so Git does not read it.",
     "Change its owner, or run: git config --global --add safe.directory <folder>"),
    (r"transport '[^']*' not allowed", GitError, "This kind of address is not allowed.",
     "Use http, https or ssh."),
    ((r"could not read (username|password)|authentication failed|terminal prompts disabled|error: 40[13]\b"
      r"|permission denied \(|permission to \S+ denied|access denied"), AuthenticationRequired,
     "The Git host wants a credential, or refuses this one.", _CREDENTIAL),
    (r"host key verification failed", RepositoryUnreachable, "The host's ssh key is not known.",
     "Connect once by hand (ssh -T git@HOST) and accept its key."),
    (r"error: 30[12378]\b|unable to update url base from redirection", RepositoryNotFound,
     "The repository has moved.", "Use its new address."),
    ((r"repository '?[^\n]*'? not found|error: 404\b|repository not found|does not appear to be a git rep"
      r"|does not exist|not valid: is this a git repository|not a git repository|no such file or directory"),
     RepositoryNotFound, "There is no Git repository.",
     "Check the address; `labkit repo list` shows the lab's own."),
    (r"could(n't| not) find remote ref|not our ref|unadvertised object|no such remote ref|bad object", RevisionNotFound,
     "The repository has no such revision.", "Check the name of the branch, tag or commit."),
    (r"certificate|ssl", RepositoryUnreachable, "The host's certificate is not trusted.",
     "Name its authority in SSL_CERT_FILE, or check the clock and the address."),
    ((r"could not resolve|failed to connect|couldn't connect|connection (refused|reset|closed)|timed out"
      r"|error: 5\d\d\b|early eof|rpc failed|hung up|unable to access|could not read from remote"
      r"|no route to host|network is unreachable|empty reply|operation too slow"), RepositoryUnreachable,
     "The Git host does not answer.", _NETWORK),
    (r"non-fast-forward|fetch first|stale info", GitError,
     "The remote branch has commits that this one lacks, so the push was refused.",
     "Call pull(), put any conflict right, and push again."),
    (r"pre-receive hook declined|protected branch|deletion of the current branch|refusing to", GitError,
     "The Git host refused the change.", "Push to another branch, and open a pull request."),
    (r"would be overwritten by|please commit your changes or stash", GitError,
     "Uncommitted changes are in the way.", "Commit them first, or restore() the files."),
    (r"unresolved conflict|unmerged|you have not concluded your merge|merge_head exists", GitError,
     "A merge is under way.", "Put the conflicts right, then add() and commit(); or call abort()."),
    (r"\.lock'?: file exists", GitError, "Another git process works in this folder, or was killed in it.",
     "Wait for it; if there is none, delete the .lock file named in the message."),
)  # fmt: skip


def error_for(args: Sequence[str], code: int, errors: str, *, where: str) -> GitError:
    """The error that fits what git printed; where nothing fits, a GitError with git's own last words."""
    said = errors.strip().lower()
    if "hook declined" in said and (told := _hosts_words(errors)):
        return GitError(told[0], where=where, fix=told[1])
    for pattern, kind, problem, fix in _TABLE:
        if re.search(pattern, said):
            return kind(f"{problem} ({last_words(errors)})", where=where, fix=fix)
    words = last_words(errors) or f"it ended with code {code}"
    return GitError(
        f"git {args[0]} failed: {words}.", where=where, fix="Read what git says, mend it, try again."
    )


def _hosts_words(errors: str) -> tuple[str, str] | None:
    """What the Git host's own hook said of a push, and its advice: the lines that Git marks with ``remote:``."""
    told = [
        line.removeprefix("remote:").strip() for line in errors.splitlines() if line.startswith("remote:")
    ]
    said = [line for line in told if line and not line.lower().startswith(("error:", "fix:"))]
    fixes = [line[4:].strip() for line in told if line.lower().startswith("fix:")]
    advice = fixes[0] if fixes else "Push to another branch, and open a pull request."
    return (" ".join(said)[:300], advice) if said else None


def last_words(errors: str) -> str:
    """The line of git's error output that says most: its first fatal or error line, without the prefix."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    lines = [line for line in lines if not line.lower().startswith(("hint:", "warning:", "cloning into"))]
    telling = [
        line for line in lines if line.lower().startswith(("fatal:", "error:", "remote: error", "! ["))
    ]
    best = (telling or lines or [""])[0]
    return re.sub(r"^(remote: )?(fatal|error): ", "", best, flags=re.IGNORECASE).rstrip(".")[:300]


def not_started(cwd: Path | None, where: str) -> GitError:
    """Why `git` could not be started: the folder is gone, or git is not installed."""
    if cwd is not None and not cwd.is_dir():
        return RepositoryNotFound(
            "The folder is gone.", where=where or str(cwd), fix="Clone the repository again."
        )
    if shutil.which("git") is None:
        return GitError("The command `git` was not found.", where="PATH", fix="Install Git 2.32 or newer.")
    return GitError("git could not be started.", where=where, fix="Run `git --version` to see why.")


def too_slow(command: str, seconds: float, where: str) -> RepositoryUnreachable:
    """The error for a command that was stopped because its time was over."""
    problem = f"git {command} did not end within {seconds:g} s and was stopped."
    return RepositoryUnreachable(problem, where=where, fix=_NETWORK)
