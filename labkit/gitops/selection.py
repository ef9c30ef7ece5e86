"""Which of an application's resources a person means: ``--resource apps:Deployment:web``, as for ``argocd app sync``.

A filter is ``GROUP:KIND:NAME`` or ``GROUP:KIND:NAMESPACE/NAME``. Each part may hold ``*``, and a ``!`` before it leaves
out what it matches. What is left out wins; with nothing but exclusions, all the rest is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError
from labkit.gitops.projects.globs import match

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JSON = dict[str, Any]
FIELDS = ("group", "kind", "namespace", "name")


@dataclass(frozen=True)
class Filter:
    """One ``--resource``."""

    group: str
    kind: str
    namespace: str
    name: str
    excludes: bool = False

    @classmethod
    def parse(cls, text: str) -> Filter:
        """From its text; `ApplicationError` where it is none."""
        parts = text.removeprefix("!").split(":")
        if len(parts) != 3 or not parts[1] or not parts[2] or parts[2].count("/") > 1:
            raise ApplicationError(
                f"{text!r} does not name a resource",
                where="--resource",
                fix="Write GROUP:KIND:NAME, such as apps:Deployment:web; * stands for any, ! before it for all but it.",
            )
        namespace, _, name = parts[2].rpartition("/")
        return cls(parts[0], parts[1], namespace, name, text.startswith("!"))

    def meets(self, resource: JSON) -> bool:
        """Whether an entry of ``status.resources`` is one of those."""
        wanted = {"group": self.group, "kind": self.kind, "name": self.name}
        if self.namespace:
            wanted["namespace"] = self.namespace
        return all(match(pattern, resource.get(field) or "") for field, pattern in wanted.items())


def qualified(text: str, namespace: str = "") -> tuple[str, str]:
    """Name and namespace of an application from ``NAME`` or ``NAMESPACE/NAME``, as ``argocd`` takes them."""
    before, slash, name = text.partition("/")
    if not slash or "/" in name:
        return text, namespace
    return name, before


def selected(filters: Sequence[str], resources: Iterable[JSON]) -> list[JSON]:
    """Those of ``status.resources`` that the filters mean.

    Raises `ApplicationError` where a filter is none, or where nothing matches.
    """
    parsed = [Filter.parse(text) for text in filters]
    known = list(resources)
    wanted = [each for each in parsed if not each.excludes]
    found = [r for r in known if not wanted or any(each.meets(r) for each in wanted)]
    found = [r for r in found if not any(each.excludes and each.meets(r) for each in parsed)]
    if not found:
        names = ", ".join(f"{r.get('group', '')}:{r['kind']}:{r['name']}" for r in known[:10])
        raise ApplicationError(
            f"No matching app resources found for resource filter: {', '.join(filters)}",
            where="--resource",
            fix=f"The application has: {names}."
            if names
            else "The application was not compared yet: refresh it.",
        )
    return found


def named(resources: Iterable[JSON]) -> list[JSON]:
    """Resources as an operation names them."""
    return [{field: r[field] for field in FIELDS if r.get(field) is not None} for r in resources]
