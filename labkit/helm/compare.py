"""What changes between two renders: two versions of a chart, or two sets of values."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, Literal

from labkit.k8s import yaml
from labkit.k8s.objects import ObjectKey
from labkit.k8s.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.helm.rendered import Rendered, RenderedObject

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Difference:
    """One object that differs. ``before`` and ``after`` are its YAML, '' where it is not there.

    A Secret's values are masked: that one changed is seen, and what it is, is not.
    """

    key: ObjectKey
    change: Change
    before: str
    after: str
    template: str

    @property
    def text(self) -> str:
        """The change as people read diffs."""
        lines = self.before.splitlines(), self.after.splitlines()
        return "\n".join(unified_diff(*lines, "before", "after", lineterm=""))

    def __str__(self) -> str:
        return f"{self.key} {self.change} ({self.template})"


def differences(before: Rendered, after: Rendered) -> list[Difference]:
    """Every object that differs between two renders, in the order of the second, removed ones last."""
    return differing(before.objects, after.objects)


def differing(before: Iterable[RenderedObject], after: Iterable[RenderedObject]) -> list[Difference]:
    """The same for objects, wherever they came from."""
    old, new = _by_key(before), _by_key(after)
    found = [
        _difference(key, old.get(key), new.get(key))
        for key in [*new, *(key for key in old if key not in new)]
    ]
    return [each for each in found if each is not None]


def _by_key(objects: Iterable[RenderedObject]) -> dict[ObjectKey, RenderedObject]:
    return {ObjectKey.of(each.obj): each for each in objects}


def _difference(key: ObjectKey, old: RenderedObject | None, new: RenderedObject | None) -> Difference | None:
    if old is not None and new is not None and old.obj == new.obj:
        return None
    change: Change = "added" if old is None else "removed" if new is None else "changed"
    shown = masked(*(each.obj if each else None for each in (old, new)))
    before, after = ("" if each is None else yaml.dump(each) for each in shown)
    known = new or old
    return Difference(key, change, before, after, known.template if known else "")
