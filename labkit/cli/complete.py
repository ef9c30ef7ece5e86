"""What the Tab key offers for names: asked of the running lab; nothing where there is none."""

from __future__ import annotations

import contextlib

from labkit.cli.session import session
from labkit.errors import LabError


def applications(incomplete: str) -> list[str]:
    """The applications' names."""
    names: list[str] = []
    with contextlib.suppress(LabError, OSError):
        names = [app.name for app in session.attach().apps]
    return [name for name in names if name.startswith(incomplete)]


def projects(incomplete: str) -> list[str]:
    """The projects' names."""
    names: list[str] = []
    with contextlib.suppress(LabError, OSError):
        names = [project.name for project in session.attach().projects]
    return [name for name in names if name.startswith(incomplete)]


def repositories(incomplete: str) -> list[str]:
    """The repositories' names."""
    names: list[str] = []
    with contextlib.suppress(LabError, OSError):
        names = [repo.name for repo in session.attach().repos]
    return [name for name in names if name.startswith(incomplete)]


def clusters(incomplete: str) -> list[str]:
    """The clusters' names."""
    names: list[str] = []
    with contextlib.suppress(LabError, OSError):
        from labkit.lab.clusters import Clusters

        names = [cluster.name for cluster in Clusters(session.settings())]
    return [name for name in names if name.startswith(incomplete)]
