"""What generators ask of the world: the ports of this room. Who composes the lab says what stands behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from labkit.k8s.objects import Object


@dataclass(frozen=True)
class Repository:
    """A repository on a Git host, as a ``pullRequest`` generator names it.

    ``provider`` is ``github``, ``gitlab``, ``gitea`` …; ``api`` the host's address, empty for the provider's own.
    """

    provider: str
    api: str
    owner: str
    name: str


@dataclass(frozen=True)
class PullRequest:
    """An open pull request; ``branch`` is what is to be merged, ``head_sha`` its newest commit."""

    number: int
    title: str
    branch: str
    target_branch: str
    head_sha: str
    author: str = ""
    labels: tuple[str, ...] = ()


class PullRequests(Protocol):
    """A Git host that knows of pull requests."""

    def __call__(self, repository: Repository) -> Sequence[PullRequest]:
        """The open pull requests; `RepositoryNotFound` where there is no such repository."""


@dataclass(frozen=True)
class Inputs:
    """What generators may ask.

    ``clusters`` gives the registered clusters' Secrets; ``checkout`` a folder with the files of a repository at a
    revision (`LabError` where it cannot be had); ``pull_requests`` is None where no Git host offers them.
    """

    clusters: Callable[[], Sequence[Object]] = lambda: ()
    checkout: Callable[[str, str], Path] | None = None
    pull_requests: PullRequests | None = None
