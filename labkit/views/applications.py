"""All applications at a glance: a tile for each, or a line of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.views.table import aligned
from labkit.views.view import View, render
from labkit.views.words import status as marked
from labkit.views.words import tone

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON = dict[str, Any]


@dataclass(frozen=True)
class Card:
    """What is shown of one application."""

    name: str
    project: str = ""
    namespace: str = ""
    repository: str = ""
    path: str = ""
    target: str = ""
    sync: str = ""
    health: str = ""
    message: str = ""
    revision: str = ""
    subject: str = ""
    author: str = ""
    phase: str = ""
    synced_at: str = ""
    policy: str = ""
    resources: int = 0
    link: str = ""

    @property
    def tone(self) -> str:
        """The tile's colour: the worse of the two words, or that something is wrong."""
        if self.message and self.sync == "Unknown":
            return "bad"
        return tone(self.sync if self.health == "Healthy" else self.health)

    @property
    def commit(self) -> str:
        """The commit as people quote it: short name and subject."""
        return f"{self.revision[:7]} {self.subject}".strip()

    @property
    def words(self) -> str:
        """Everything that a search looks at."""
        found = (
            self.name,
            self.project,
            self.namespace,
            self.repository,
            self.path,
            self.subject,
            self.author,
        )
        return " ".join(found).lower()


def card_of(application: JSON, commit: JSON, *, link: str = "") -> Card:
    """A card, of an Application and its commit (``author`` and ``message``)."""
    spec, status = application.get("spec") or {}, application.get("status") or {}
    source: JSON = spec.get("source") or next(iter(spec.get("sources") or []), {})
    sync, state = status.get("sync") or {}, status.get("operationState") or {}
    history = status.get("history") or [{}]
    phase = state.get("phase") or ""
    return Card(
        name=application["metadata"]["name"],
        project=spec.get("project") or "default",
        namespace=(spec.get("destination") or {}).get("namespace") or "",
        repository=source.get("repoURL") or "",
        path=source.get("chart") or source.get("path") or "",
        target=source.get("targetRevision") or "HEAD",
        sync=sync.get("status") or "Unknown",
        health=(status.get("health") or {}).get("status") or "Unknown",
        message="; ".join(c.get("message", "") for c in status.get("conditions") or []),
        revision=sync.get("revision") or next(iter(sync.get("revisions") or []), ""),
        subject=str(commit.get("message") or "").partition("\n")[0],
        author=str(commit.get("author") or "").partition(" <")[0],
        phase=phase if phase in {"Running", "Terminating", "Failed", "Error"} else "",
        synced_at=history[-1].get("deployedAt") or "",
        policy=policy_of(spec),
        resources=len(status.get("resources") or []),
        link=link,
    )


def policy_of(spec: JSON) -> str:
    """The sync policy in words: ``manual``, ``automated, prune, self-heal``."""
    policy = spec.get("syncPolicy") or {}
    automated = policy.get("automated")
    if automated is None or automated.get("enabled") is False:
        return "manual"
    switches = {"prune": "prune", "selfHeal": "self-heal", "allowEmpty": "allow empty"}
    return ", ".join(["automated", *(said for key, said in switches.items() if automated.get(key))])


def applications(cards: Sequence[Card]) -> View:
    """The tiles; in text, a line each."""
    rows = [["NAME", "SYNC", "HEALTH", "POLICY", "COMMIT", "AUTHOR"]]
    rows += [[c.name, marked(c.sync), marked(c.health), c.policy, c.commit, c.author] for c in cards]
    text = aligned(rows) if cards else "(no applications)"
    return View(text, render("applications.html", cards=cards))


def applications_table(cards: Sequence[Card]) -> View:
    """The same as a table on a page."""
    return View(applications(cards).text, render("applications_table.html", cards=cards))
