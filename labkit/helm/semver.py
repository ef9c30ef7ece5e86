"""Versions, and the ranges in which a chart asks for others: ``^1.2``, ``~1.2.3``, ``>=1, <3``, ``1.x || 3.x``.

Helm's ranges are those of Masterminds/semver 3 (``constraints.go``), which differ from npm's and pip's: a
pre-release such as ``1.0.0-rc.1`` fits only a range that names one itself; ``~1`` is ``1.x``; ``^0.2`` stays
within ``0.2.x``. Argo CD's ``targetRevision`` has the same ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING

from labkit.errors import ChartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TAIL = r"(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?{_TAIL}", re.ASCII)
_PART = r"[0-9xX*]+"
_RANGE_VERSION = rf"v?({_PART})(\.{_PART})?(\.{_PART})?{_TAIL}"
_OPERATOR = r"(=>|>=|=<|<=|!=|~>|=|>|<|~|\^|)"
_ONE = re.compile(rf"\s*{_OPERATOR}\s*{_RANGE_VERSION}\s*", re.ASCII)
_ALL = re.compile(
    rf"\s*{_OPERATOR}\s*{_RANGE_VERSION}\s*(?:(?:\s+|,\s*){_OPERATOR}\s*{_RANGE_VERSION}\s*)*", re.ASCII
)
_FROM_TO = re.compile(rf"\s*({_RANGE_VERSION})\s+-\s+({_RANGE_VERSION})\s*", re.ASCII)
_WILD = frozenset({"x", "X", "*"})
_LONGEST = 256


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A semantic version. What follows ``+`` is kept, and counts for nothing in a comparison."""

    major: int
    minor: int = 0
    patch: int = 0
    pre: str = ""
    text: str = ""

    @staticmethod
    def parse(text: str) -> Version | None:
        """The version that a text says, as leniently as Helm reads one (``v1.2`` is ``1.2.0``); None if none."""
        found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
        if found is None:
            return None
        pre = (found[4] or "")[1:]
        if any(part.isdigit() and len(part) > 1 and part[0] == "0" for part in pre.split(".")):
            return None  # numbers in a pre-release have no leading zeros
        return Version(int(found[1]), int(found[2] or 0), int(found[3] or 0), pre, text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        """Ordered as semver.org says: a pre-release comes before its release, numbers before words."""
        parts = [
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre.split(".") if part
        ]
        return self.major, self.minor, self.patch, not self.pre, parts


@dataclass(frozen=True)
class _Rule:
    """One comparison of a range. ``open_at`` says from where on its version was left open: 0 major … 3 nowhere."""

    operator: str
    version: Version
    open_at: int

    def holds(self, version: Version, *, pre_releases: bool) -> bool:
        if version.pre and not pre_releases:
            return False
        return _CHECKS[self.operator](self, version)


@dataclass(frozen=True)
class Constraint:
    """A range of versions. ``*`` or an empty one is every release; pre-releases only where it names one."""

    text: str
    _either: tuple[tuple[_Rule, ...], ...]

    @staticmethod
    def parse(text: str) -> Constraint:
        """The range that a text says; `ChartError` if it is none."""
        shown = text if len(text) <= _LONGEST else f"{text[:40]}…"
        spelled = _FROM_TO.sub(_from_to, text or "*") if len(text) <= _LONGEST else ""
        groups = [_rules(part) for part in spelled.split("||")]
        if None in groups:
            raise ChartError(
                f"{shown!r} is not a range of versions",
                where="version",
                fix="write an exact version (1.2.3) or a range: ^1.2, ~1.2.3, >=1.0.0, <2.0.0, 1.x",
            )
        return Constraint(text, tuple(group for group in groups if group is not None))

    def allows(self, version: Version) -> bool:
        """Whether the version is in the range."""
        return any(
            all(rule.holds(version, pre_releases=any(r.version.pre for r in group)) for rule in group)
            for group in self._either
        )


def is_exact(text: str) -> bool:
    """Whether a text names one version and no range (``1.2`` is a range: ``1.2.x``)."""
    found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    return found is not None and found[3] is not None and Version.parse(text) is not None


def best(versions: Iterable[str], wanted: str) -> str | None:
    """The highest of ``versions`` in the range ``wanted``; a text that is among them is taken as it stands.

    This is how Helm chooses from an index (``IndexFile.Get``) and from tags. What is no version is passed over.
    """
    offered = list(versions)
    if wanted and wanted in offered:
        return wanted
    constraint = Constraint.parse(wanted)
    known = [version for text in offered if (version := Version.parse(text)) is not None]
    fitting = [version for version in known if constraint.allows(version)]
    return max(fitting).text if fitting else None


def _from_to(found: re.Match[str]) -> str:
    return f">={found[1]},<={found[7]}"


def _rules(text: str) -> tuple[_Rule, ...] | None:
    if not _ALL.fullmatch(text):
        return None
    rules = [_rule(found) for found in _ONE.finditer(text) if found[0].strip()]
    return None if None in rules else tuple(rule for rule in rules if rule is not None)


def _rule(found: re.Match[str]) -> _Rule | None:
    operator, *parts = found.group(1, 2, 3, 4)
    numbers = [(part or "").removeprefix(".") for part in parts]
    open_at = next((n for n, part in enumerate(numbers) if part in _WILD or not part), 3)
    fixed = [*numbers[:open_at], "0", "0", "0"][:3]
    version = Version.parse(".".join(fixed) + (found[5] or ""))
    return None if version is None else _Rule(operator, version, open_at)


def _equal(rule: _Rule, version: Version) -> bool:
    return _tilde(rule, version) if rule.open_at < 3 else version == rule.version


def _not_equal(rule: _Rule, version: Version) -> bool:
    if rule.open_at == 3:
        return version != rule.version
    mine, its = rule.version, version
    if its.major != mine.major:
        return True
    if rule.open_at == 1:
        return False
    if its.minor != mine.minor and rule.open_at != 1:
        return True
    if rule.open_at == 2:
        return bool(its.pre or mine.pre) and its.pre != mine.pre
    return its != mine


def _greater(rule: _Rule, version: Version) -> bool:
    mine = rule.version
    if rule.open_at == 3 or version.major != mine.major:
        return version > mine if rule.open_at == 3 else version.major > mine.major
    if rule.open_at == 1:
        return False  # >11 begins at 12
    if rule.open_at == 2:
        return version.minor > mine.minor
    return version > mine


def _at_most(rule: _Rule, version: Version) -> bool:
    mine = rule.version
    if rule.open_at == 3:
        return version <= mine
    if version.major != mine.major:
        return version.major < mine.major
    return rule.open_at == 1 or version.minor <= mine.minor


def _tilde(rule: _Rule, version: Version) -> bool:
    mine = rule.version
    if version < mine:
        return False
    if (mine.major, mine.minor, mine.patch) == (0, 0, 0) and rule.open_at in (0, 3):
        return True  # a special case of theirs: ~0.0.0, and so *, is everything from there on
    return version.major == mine.major and (rule.open_at == 1 or version.minor == mine.minor)


def _caret(rule: _Rule, version: Version) -> bool:
    mine = rule.version
    if version < mine:
        return False
    if mine.major > 0 or rule.open_at == 1:
        return version.major == mine.major
    if version.major > 0:
        return False
    if mine.minor > 0 or rule.open_at == 2:
        return version.minor == mine.minor
    return version.minor == 0 and version.patch == mine.patch


_CHECKS: dict[str, Callable[[_Rule, Version], bool]] = {
    "": _equal, "=": _equal, "!=": _not_equal, ">": _greater, "<": lambda rule, v: v < rule.version,
    ">=": lambda rule, v: v >= rule.version, "=>": lambda rule, v: v >= rule.version,
    "<=": _at_most, "=<": _at_most, "~": _tilde, "~>": _tilde, "^": _caret,
}  # fmt: skip
