"""Semantic versions and ranges of them, by the rules that Helm and Argo CD share.

Both use Masterminds/semver v3, which is more lenient than the specification: ``v1.2`` is a version, and a range is
any of ``^1.2``, ``~1.2.3``, ``1.x``, ``>=1.0, <2``, ``1.2 - 1.4`` and such, joined by ``||``. A version with a
pre-release is in a range only if the range names a pre-release itself (``>=1.0.0-0``). Pure functions on text.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Final

from labkit.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TAIL: Final = r"(?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
_VERSION: Final = re.compile(rf"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?{_TAIL}", re.ASCII)
_PART: Final = r"(\d+|[xX*])"
_RANGE: Final = rf"v?{_PART}(?:\.{_PART})?(?:\.{_PART})?{_TAIL}"
_ONE: Final = re.compile(rf"\s*(=||!=|>|<|>=|=>|<=|=<|~|~>|\^)\s*({_RANGE})", re.ASCII)
_HYPHEN: Final = re.compile(rf"\s*({_RANGE})\s+-\s+({_RANGE})\s*", re.ASCII)
_LONGEST: Final = 256


class VersionError(LabError):
    """A text that is no version, or no range of versions."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """One version. Compared as the specification says: build metadata does not count."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: str = ""
    original: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """From ``1.2.3``, ``v1.2``, ``1.0.0-rc.1+build``; `VersionError` for anything else."""
        found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            raise VersionError(f"{text[:80]!r} is not a version", fix="Write one such as 1.2.3.")
        if any(part.isdigit() and part != "0" and part[0] == "0" for part in (found[4] or "").split(".")):
            raise VersionError(
                f"{text[:80]!r} is not a version: a number in its pre-release begins with 0",
                fix="Write one such as 1.2.3-1.",
            )
        return cls(int(found[1]), int(found[2] or 0), int(found[3] or 0), found[4] or "", text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._order == other._order

    def __lt__(self, other: Version) -> bool:
        return self._order < other._order

    def __hash__(self) -> int:
        return hash(self._order)

    def __str__(self) -> str:
        return self.original or f"{self.major}.{self.minor}.{self.patch}{f'-{self.pre}' if self.pre else ''}"

    @property
    def _order(self) -> tuple[object, ...]:
        # A version with a pre-release comes before the one without; numbers in it come before words.
        parts = [
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre.split(".") if part
        ]
        return (self.major, self.minor, self.patch, not self.pre, parts)


@dataclass(frozen=True, slots=True)
class _Bound:
    """One condition, such as ``^1.2``. ``open_from``: from which part on it says nothing (0 major … 3 all said)."""

    sign: str
    version: Version
    open_from: int

    def admits(self, version: Version, *, pre: bool) -> bool:
        """Whether a version fulfils it; ``pre``: a pre-release may."""
        if version.pre and not self.version.pre and not pre:
            return False
        return _SIGNS[self.sign](self, version)


class Range:
    """A range of versions, as in ``dependencies[].version`` or ``targetRevision``."""

    def __init__(self, text: str) -> None:
        """`VersionError` where the text is no range."""
        self.text = text
        if len(text) > _LONGEST:
            raise VersionError("the range of versions is too long", where=text[:40])
        self._choices = [_bounds(part, text) for part in text.split("||")]

    def __contains__(self, version: Version) -> bool:
        return any(
            all(bound.admits(version, pre=any(b.version.pre for b in bounds)) for bound in bounds)
            for bounds in self._choices
        )

    def __repr__(self) -> str:
        return f"Range({self.text!r})"


def is_range(text: str) -> bool:
    """Whether a text is a range and not simply a version, which is a pin."""
    if _VERSION.fullmatch(text):
        return False
    try:
        Range(text)
    except VersionError:
        return False
    return True


def is_exact(text: str) -> bool:
    """Whether it names one version by all of its three numbers."""
    found = _VERSION.fullmatch(text)
    return found is not None and found[3] is not None and bool(known([text]))


def known(texts: Iterable[str]) -> list[Version]:
    """Those of the texts that are versions, the lowest first; what is none is passed over."""
    found = []
    for text in texts:
        with contextlib.suppress(VersionError):
            found.append(Version.parse(text))
    return sorted(found)


def newest(texts: Iterable[str], wanted: str = "") -> str | None:
    """The highest of these versions in the range ``wanted``, as it was written; ``None`` where none is.

    A text that is among them is taken as it stands; nothing wanted is ``*``, every release. So Helm chooses from
    an index, and Argo CD from a repository's tags; what is no version is passed over.
    """
    offered = list(texts)
    if wanted and wanted in offered:
        return wanted
    range_ = Range(wanted or "*")
    return next((str(version) for version in reversed(known(offered)) if version in range_), None)


def _bounds(part: str, whole: str) -> list[_Bound]:
    part = _HYPHEN.sub(lambda m: f" >={m[1]} <={m[7]} ", part)
    bounds, at = [], 0
    text = part.strip()
    while at < len(text):
        found = _ONE.match(text, at)
        if found is None:
            raise _bad(whole)
        bounds.append(_bound(found))
        rest = re.match(r"\s*,\s*|\s+|$", text[found.end() :])
        if rest is None:
            raise _bad(whole)
        at = found.end() + rest.end()
    if not bounds or text.endswith(","):
        raise _bad(whole)
    return bounds


def _bound(found: re.Match[str]) -> _Bound:
    parts = [found[3], found[4], found[5]]
    said = next((i for i, part in enumerate(parts) if part is None or part in "xX*"), 3)
    major, minor, patch = (int(part) if i < said else 0 for i, part in enumerate(parts))
    version = Version.parse(f"{major}.{minor}.{patch}" + (f"-{found[6]}" if found[6] else ""))
    return _Bound(found[1], version, said)


def _bad(text: str) -> VersionError:
    return VersionError(
        f"{text[:80]!r} is not a range of versions", fix="Write one such as ^1.2, ~1.2.3, 1.x or >=1.0 <2."
    )


# -- the signs. ``open_from`` 3: all parts are said.


def _above(bound: _Bound, version: Version) -> bool:
    wanted = bound.version
    if version.major != wanted.major or bound.open_from in {0, 3}:
        return version > wanted
    return bound.open_from == 2 and version.minor > wanted.minor


def _up_to(bound: _Bound, version: Version) -> bool:
    wanted = bound.version
    if bound.open_from == 3:
        return version <= wanted
    if version.major != wanted.major:
        return version.major < wanted.major
    return bound.open_from == 1 or version.minor <= wanted.minor


def _about(bound: _Bound, version: Version) -> bool:
    """``~``: the patch may grow; of what is not said, all."""
    wanted = bound.version
    if version < wanted:
        return False
    if (wanted.major, wanted.minor, wanted.patch) == (0, 0, 0) and bound.open_from in {0, 3}:
        return True
    return version.major == wanted.major and (bound.open_from == 1 or version.minor == wanted.minor)


def _equal(bound: _Bound, version: Version) -> bool:
    return version == bound.version if bound.open_from == 3 else _about(bound, version)


def _unequal(bound: _Bound, version: Version) -> bool:
    wanted = bound.version
    if bound.open_from in {0, 3} or version.major != wanted.major:
        return version != wanted
    if bound.open_from == 1:
        return False
    return version.minor != wanted.minor or version.pre != wanted.pre


def _compatible(bound: _Bound, version: Version) -> bool:
    """``^``: what is left of the first number that is not 0 stays."""
    wanted = bound.version
    if version < wanted:
        return False
    if wanted.major or bound.open_from == 1:
        return version.major == wanted.major
    if version.major:
        return False
    if wanted.minor or bound.open_from == 2:
        return version.minor == wanted.minor
    return not version.minor and version.patch == wanted.patch


_SIGNS: Final[dict[str, Callable[[_Bound, Version], bool]]] = {
    "": _equal,
    "=": _equal,
    "!=": _unequal,
    ">": _above,
    "<": lambda bound, version: version < bound.version,
    ">=": lambda bound, version: version >= bound.version,
    "=>": lambda bound, version: version >= bound.version,
    "<=": _up_to,
    "=<": _up_to,
    "~": _about,
    "~>": _about,
    "^": _compatible,
}
