"""What a pull request is: a branch that asks to become part of another, and what was said about it.

It holds what Git does not: who asked, what was said, who approved which commit, and what became of it. What would
change is never kept, since Git knows it better at every moment.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from labkit.errors import PullRequestError

OPEN, MERGED, CLOSED = "open", "merged", "closed"
APPROVED, CHANGES_REQUESTED = "approved", "changes-requested"
LONGEST = 20_000
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Comment:
    """Something that somebody said; on a line of a file, or on the whole."""

    by: str
    at: str
    body: str
    path: str = ""
    line: int = 0


@dataclass(frozen=True)
class Review:
    """A verdict on one commit: ``approved`` or ``changes-requested``."""

    by: str
    at: str
    verdict: str
    sha: str
    body: str = ""


@dataclass(frozen=True)
class Merge:
    """What a merged request became: by whom, how (``merge`` or ``squash``), which commit, on top of which."""

    by: str
    at: str
    method: str
    sha: str
    base_sha: str


@dataclass(frozen=True)
class PullRequest:
    """One pull request. ``head_sha`` is the newest commit that was seen of its branch."""

    number: int
    title: str
    base: str
    head: str
    head_sha: str
    by: str
    at: str
    body: str = ""
    state: str = OPEN
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    merged: Merge | None = None

    @property
    def ref(self) -> str:
        """Where Git finds its commits, also when its branch is gone: ``refs/pull/7/head``, as on GitHub."""
        return f"refs/pull/{self.number}/head"

    @property
    def verdicts(self) -> dict[str, Review]:
        """The last verdict of each person."""
        return {review.by: review for review in self.reviews}

    @property
    def approvals(self) -> list[str]:
        """Who approves of the newest commit: what was approved before a later push counts no more."""
        said = self.verdicts.items()
        return [who for who, review in said if review.verdict == APPROVED and review.sha == self.head_sha]

    @property
    def objections(self) -> list[str]:
        """Who asked for changes, and has not said otherwise since."""
        return [who for who, review in self.verdicts.items() if review.verdict == CHANGES_REQUESTED]

    def to_json(self) -> dict[str, Any]:
        """As it is stored, and told over HTTP."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> PullRequest:
        """What `to_json` made."""
        merged = found.get("merged")
        return cls(
            **found
            | {
                "comments": tuple(Comment(**each) for each in found.get("comments") or ()),
                "reviews": tuple(Review(**each) for each in found.get("reviews") or ()),
                "merged": Merge(**merged) if merged else None,
            }
        )

    def said(self, comment: Comment) -> PullRequest:
        """With one comment more."""
        return replace(self, comments=(*self.comments, comment))

    def reviewed(self, review: Review) -> PullRequest:
        """With one verdict more; nobody approves of what they asked for themselves."""
        if review.verdict not in (APPROVED, CHANGES_REQUESTED):
            raise PullRequestError(
                f"{review.verdict!r} is no verdict", where="verdict", fix=f"{APPROVED} or {CHANGES_REQUESTED}"
            )
        if review.verdict == APPROVED and review.by == self.by:
            raise PullRequestError(
                f"{self.by} opened #{self.number} and cannot approve it",
                where=f"#{self.number}",
                fix="Somebody else has to read it: approve(by=…), or --by NAME",
            )
        self.require(OPEN)
        return replace(self, reviews=(*self.reviews, review))

    def require(self, state: str) -> None:
        """`PullRequestError` unless it is in that state."""
        if self.state != state:
            raise PullRequestError(
                f"#{self.number} is {self.state}", where=f"#{self.number}", fix=f"Only an {state} one can be."
            )


@dataclass(frozen=True)
class Check:
    """One thing that a machine looked at, before people do: its name, whether all is well, and what was seen."""

    name: str
    passed: bool
    says: str
    details: tuple[str, ...] = field(default=())


def a_name(by: str) -> str:
    """Who does something, as it is shown and written into commits; `PullRequestError` if it cannot be a name."""
    text = " ".join(by.split())
    if not text or len(text) > _LONGEST_NAME or not text.isprintable() or set(text) & set("<>\\"):
        raise PullRequestError(f"{by[:80]!r} is no name", where="by", fix="A short name, in one line.")
    return text


def a_text(text: str, where: str) -> str:
    """What somebody wrote, of bounded length and not empty."""
    if not text.strip():
        raise PullRequestError("there is nothing in it", where=where, fix="Write a word.")
    if len(text) > LONGEST:
        raise PullRequestError(f"it has more than {LONGEST} letters", where=where, fix="Say it shorter.")
    return text.strip()
