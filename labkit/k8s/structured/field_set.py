"""Sets of fields: who owns what, what has changed, what is to go.

A set is a tree.  At each place it says which steps lead to a *member*, and below which steps there are more.  A
container can be a member or only lie on the way to one, and the difference matters: who owns ``spec.ports`` (the
list being there) may not own its elements.  On the wire that is the "." of ``fieldsV1``.

    >>> FieldSet.decode({"f:data": {".": {}, "f:a": {}}}).paths()
    [('f:data',), ('f:data', 'f:a')]

Sets are never changed once they are handed out; operations give new ones, which share what is the same.

Source: sigs.k8s.io/structured-merge-diff, ``fieldpath.Set``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.structured.elements import Element, Path, order, parse
from labkit.k8s.structured.types import ANYTHING, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

JSON = dict[str, Any]


class FieldSet:
    """A set of paths."""

    __slots__ = ("children", "members")

    def __init__(
        self, members: Iterable[Element] = (), children: dict[Element, FieldSet] | None = None
    ) -> None:
        self.members: set[Element] = set(members)
        self.children: dict[Element, FieldSet] = children if children is not None else {}

    @staticmethod
    def of(*paths: Path) -> FieldSet:
        """The set of these paths."""
        result = FieldSet()
        for path in paths:
            result.insert(path)
        return result

    def insert(self, path: Path) -> None:
        """Add a path, while the set is being built; the empty one (the whole object) is nobody's."""
        if not path:
            return
        place = self
        for element in path[:-1]:
            below = place.children.get(element)
            if below is None:
                below = place.children[element] = FieldSet()
            place = below
        place.members.add(path[-1])

    # ── on the wire ───────────────────────────────────────────────────────────

    @staticmethod
    def decode(fields: JSON) -> FieldSet:
        """From ``fieldsV1``.  Raises `ValueError`."""
        result = FieldSet()
        for text, below in fields.items():
            if text == ".":
                continue
            element = parse(text)
            if element is None:
                continue  # a kind of step from the future
            if not isinstance(below, dict):
                raise ValueError(f"{text!r} is not followed by an object")  # noqa: TRY004  # bad text, whoever sent it
            inner = FieldSet.decode(below)
            if inner:
                result.children[element] = inner
            if not inner or "." in below:
                result.members.add(element)
        return result

    def encode(self) -> JSON:
        """As ``fieldsV1``."""
        result: JSON = {}
        for element in sorted(self.members | self.children.keys(), key=order):
            below = self.children.get(element)
            own: JSON = {".": {}} if below and element in self.members else {}
            result[element] = {**own, **below.encode()} if below else own
        return result

    # ── questions ─────────────────────────────────────────────────────────────

    def __bool__(self) -> bool:
        return bool(self.members) or any(self.children.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldSet):
            return NotImplemented
        mine, theirs = ({e: s for e, s in one.children.items() if s} for one in (self, other))
        return self.members == other.members and mine == theirs

    __hash__ = None  # type: ignore[assignment]  # a set under construction changes

    def __repr__(self) -> str:
        return f"FieldSet({self.encode()})"

    def __contains__(self, path: Path) -> bool:
        place: FieldSet | None = self
        for element in path[:-1]:
            place = place.children.get(element) if place else None
        return bool(path) and place is not None and path[-1] in place.members

    def __iter__(self) -> Iterator[Path]:
        """All paths: at each place first its members, then what lies deeper."""
        for element in sorted(self.members, key=order):
            yield (element,)
        for element in sorted(self.children, key=order):
            for path in self.children[element]:
                yield (element, *path)

    def paths(self) -> list[Path]:
        """All paths in order."""
        return list(self)

    # ── operations ────────────────────────────────────────────────────────────

    def __or__(self, other: FieldSet) -> FieldSet:
        children = dict(self.children)
        for element, theirs in other.children.items():
            mine = children.get(element)
            children[element] = mine | theirs if mine is not None else theirs
        return FieldSet(self.members | other.members, children)

    def __and__(self, other: FieldSet) -> FieldSet:
        children = {}
        for element in self.children.keys() & other.children.keys():
            both = self.children[element] & other.children[element]
            if both:
                children[element] = both
        return FieldSet(self.members & other.members, children)

    def __sub__(self, other: FieldSet) -> FieldSet:
        """Without the other's members; what lies below a member stays unless it is one, too."""
        children = {}
        for element, mine in self.children.items():
            theirs = other.children.get(element)
            rest = mine - theirs if theirs is not None else mine
            if rest:
                children[element] = rest
        return FieldSet(self.members - other.members, children)

    def without(self, other: FieldSet) -> FieldSet:
        """Without the other's members and everything below them."""
        children = {}
        for element, mine in self.children.items():
            theirs = other.children.get(element)
            rest = mine.without(theirs) if theirs is not None else mine
            if element not in other.members and rest:
                children[element] = rest
        return FieldSet(self.members - other.members, children)

    # ── with the schema ───────────────────────────────────────────────────────

    def with_structs(self, kind: Type | None) -> FieldSet:
        """Also with the named fields that only lie on the way to members.

        Nobody owns ``spec`` itself; but who owned all that is in it, and leaves, should not leave it behind empty.
        """
        declared = kind.map.declares if kind and kind.map else None
        named = {e for e in self.children if declared and e.startswith("f:") and declared(e[2:])}
        children = {e: below.with_structs(kind.at(e) if kind else None) for e, below in self.children.items()}
        return FieldSet(self.members | named, children)

    def reconciled(self, kind: Type | None) -> FieldSet:
        """As the schema sees it today: whoever owned parts of what has become atomic since owns it as a whole."""
        members, children = set(self.members), {}
        for element, below in self.children.items():
            inner = kind.at(element) if kind else None
            if inner is None or inner is ANYTHING:
                children[element] = below  # the schema does not say
            elif inner.atomic:
                members.add(element)
            else:
                children[element] = below.reconciled(inner)
        return FieldSet(members, children)
