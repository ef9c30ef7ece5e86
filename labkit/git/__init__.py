"""Git as a trainee and as a controller see it: working copies, and mirrors of repositories elsewhere.

Git is the loop's first step: what is pushed is what the cluster is to become. A trainee's `WorkingCopy` does
what the ``git`` command does, under Git's own names, on ordinary folders that the command works on as well.
The controller's `Mirror` answers two questions about a repository that it does not trust: which commit does
this revision mean, and what files are in it. All of it is real ``git``, run through one hardened door
(`command`).
"""

from labkit.git.export import Limits
from labkit.git.mirror import Mirror
from labkit.git.reader import Reader
from labkit.git.urls import Credential, normalise, redact, same_url, with_credential
from labkit.git.values import Branch, Change, Commit, Diff, Log, Person, Push, Status
from labkit.git.workingcopy import WorkingCopy

__all__ = [
    "Branch",
    "Change",
    "Commit",
    "Credential",
    "Diff",
    "Limits",
    "Log",
    "Mirror",
    "Person",
    "Push",
    "Reader",
    "Status",
    "WorkingCopy",
    "normalise",
    "redact",
    "same_url",
    "with_credential",
]
