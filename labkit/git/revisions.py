"""What a revision means: the rule by which ``main``, ``v1.2``, ``HEAD`` or ``9d921f6`` become one commit.

The order is Argo CD's (util/git/client.go, 3.6): a full commit sha is itself; then the first reference, in
the host's own (alphabetical) order, whose full or short name it is, so a branch wins over a tag of the same
name; then a symbolic reference (``HEAD``) is followed; and what still looks like a shortened sha is one.
An annotated tag means the commit it points at. A range of versions (``1.2.*``, ``>=1.0 <2``) stands for the
highest tag in it. Pure functions over a list of references.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import RevisionNotFound
from labkit.versions import is_range, newest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COMMIT_SHA = re.compile(r"[0-9A-Fa-f]{40}")
_TRUNCATED_SHA = re.compile(r"[0-9A-Fa-f]{7,}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_SHORT_FORMS = re.compile(r"refs/(?:tags/|heads/|remotes/)?(.+)")


def is_commit_sha(revision: str) -> bool:
    """Whether it is a whole commit id: 40 hexadecimal digits."""
    return _COMMIT_SHA.fullmatch(revision) is not None


def is_truncated_commit_sha(revision: str) -> bool:
    """Whether it may be a shortened commit id: at least 7 hexadecimal digits."""
    return _TRUNCATED_SHA.fullmatch(revision) is not None


def is_short_ref(revision: str) -> bool:
    """Whether it is a name as people write it (``main``), not a full one (``refs/heads/main``)."""
    return not revision.startswith("refs/")


@dataclass(frozen=True, slots=True)
class Ref:
    """One reference of a repository. `target` is the name that a symbolic one points at."""

    name: str
    sha: str
    target: str = ""

    @property
    def short(self) -> str:
        """``main`` for ``refs/heads/main``; ``pull/1/head`` for ``refs/pull/1/head``."""
        found = _SHORT_FORMS.fullmatch(self.name)
        return found[1] if found else self.name


def parse_ls_remote(output: str) -> list[Ref]:
    """The references that ``git ls-remote --symref`` printed, in its order; tags peeled to their commits."""
    found: dict[str, Ref] = {}
    targets: dict[str, str] = {}
    for line in output.splitlines():
        value, tab, name = line.partition("\t")
        if not tab:
            continue
        if value.startswith("ref: "):
            targets[name] = value.removeprefix("ref: ")
            continue
        name = name.removesuffix("^{}")  # a peeled line follows its tag, and replaces it
        found[name] = Ref(name, value, targets.get(name, ""))
    return list(found.values())


def find(refs: Sequence[Ref], revision: str) -> Ref | None:
    """The reference that `revision` names, or None; an empty revision means ``HEAD``."""
    wanted = in_range(refs, revision) or revision or "HEAD"
    short = is_short_ref(wanted)
    return next((ref for ref in refs if ref.name == wanted or (short and ref.short == wanted)), None)


def in_range(refs: Iterable[Ref], revision: str) -> str | None:
    """The tag, as ``refs/tags/…``, that a range of versions stands for: the highest in it.

    ``None`` where it is no range (``v1.2`` is a pin, not one) or no tag is in it: then it may be a branch's name.
    """
    if not is_range(revision):
        return None
    found = newest((ref.short for ref in refs if ref.name.startswith("refs/tags/")), revision)
    return f"refs/tags/{found}" if found is not None else None


def check_revision(revision: str, *, where: str = "") -> str:
    """`revision` without surrounding blanks, if `git` may be given it: no option, no control character."""
    text = revision.strip()
    if text.startswith("-") or _UNSAFE.search(text) or len(text) > 1024:
        raise RevisionNotFound(
            f"{text[:80]!r} is not the name of a revision.",
            where=where,
            fix="Name a branch, a tag, a commit or HEAD.",
        )
    return text


def near(refs: Iterable[Ref], revision: str, count: int = 3) -> list[str]:
    """The branches and tags whose names are most like `revision`; else the first ones there are."""
    names = [ref.short for ref in refs if ref.name.startswith(("refs/heads/", "refs/tags/"))]
    like = difflib.get_close_matches(revision.removeprefix("refs/heads/"), names, count, cutoff=0.5)
    return like or names[:count]


def not_found(refs: Sequence[Ref], revision: str, *, where: str) -> RevisionNotFound:
    """The error for a revision that none of `refs` is, with the names it might have been."""
    if is_range(revision):
        tags = [ref.short for ref in refs if ref.name.startswith("refs/tags/")]
        return RevisionNotFound(
            f"No tag is a version in the range {revision!r}.",
            where=where,
            fix=f"The newest of its {len(tags)} tags: {', '.join(tags[-5:]) or 'there are none; push one'}.",
        )
    names = near(refs, revision)
    advice = f"Did you mean {' or '.join(names)}?" if names else "It is empty: push a commit first."
    return RevisionNotFound(f"There is no branch, tag or commit {revision!r}.", where=where, fix=advice)
