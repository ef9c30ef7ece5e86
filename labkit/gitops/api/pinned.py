"""Sources, each at one revision: what an operation deploys, what the history remembers.

An Application has one ``source`` or several ``sources``; what is written of them (``operation.sync``,
``status.operationState.syncResult``, ``status.history[]``) has ``revision`` or ``revisions`` beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.application import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.gitops.api.application import Application

JSON = dict[str, Any]


@dataclass(frozen=True)
class Pinned:
    """``raw`` has the sources as they are written; ``many`` says that they stood in ``sources``."""

    raw: tuple[JSON, ...]
    revisions: tuple[str, ...]
    many: bool = False

    @classmethod
    def of(cls, app: Application, revisions: Sequence[str]) -> Pinned:
        """The application's sources at these revisions."""
        many = bool(app.spec.get("sources"))
        raw = app.spec["sources"] if many else [app.spec.get("source") or {}]
        return cls(tuple(raw), tuple(revisions), many)

    @classmethod
    def read(cls, fields: JSON, app: Application) -> Pinned:
        """What ``fields`` say; where they leave out the sources, those of the application are meant."""
        spec = fields if fields.get("source") or fields.get("sources") else app.spec
        many = bool(spec.get("sources"))
        raw = spec["sources"] if many else [spec.get("source") or {}]
        revisions = fields.get("revisions") or [fields.get("revision") or ""]
        return cls(tuple(raw), tuple(revisions), many)

    @property
    def sources(self) -> list[Source]:
        """The sources as typed data; `InvalidSpec` names the field."""
        if not self.many:
            return [Source.parse(self.raw[0])]
        return [Source.parse(raw, f"spec.sources[{number}]") for number, raw in enumerate(self.raw)]

    @property
    def fields(self) -> JSON:
        """As it is written down."""
        if self.many:
            return {"revision": "", "revisions": list(self.revisions), "sources": list(self.raw)}
        return {"revision": self.revisions[0], "source": self.raw[0]}

    @property
    def short(self) -> str:
        """For messages: the commits, cut as Git cuts them; a chart's version is said whole."""
        return ", ".join(shortened(revision) for revision in self.revisions)


def shortened(revision: str) -> str:
    """A commit's first seven digits; what is no commit as it is."""
    is_commit = len(revision) == 40 and all(c in "0123456789abcdef" for c in revision)
    return revision[:7] if is_commit else revision
