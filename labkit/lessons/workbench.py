"""What a lesson needs of the lab that it is worked in; `labkit.Lab` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class Workbench(Protocol):
    """The parts of a lab that checks look at and solutions work with."""

    @property
    def home(self) -> Path:
        """The lab folder."""
        ...

    @property
    def url(self) -> str:
        """Where the lab's service answers."""
        ...

    @property
    def charts(self) -> Any:
        """The charts, and where they come from."""
        ...

    @property
    def apps(self) -> Any:
        """The applications."""
        ...

    @property
    def repos(self) -> Any:
        """The repositories."""
        ...

    @property
    def releases(self) -> Any:
        """The releases that Helm made."""
        ...

    @property
    def cluster(self) -> Any:
        """The cluster."""
        ...

    def namespace(self, name: str) -> Any:
        """A namespace to work in by hand."""
        ...

    def clear(self, name: str) -> None:
        """Take away the application, repository, working copy and namespace of that name; keep the trainee's files."""
        ...
