"""How lists of facts look in a notebook: a table each, or the differences as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.helm import Difference as Rerendered
from labkit.helm.releases import Revision
from labkit.k8s.yaml import dump
from labkit.lab.facts import Difference, Entry, Event, Leaving, PlannedTask, Resource
from labkit.views import View
from labkit.views.code import code
from labkit.views.diff import Change, diff
from labkit.views.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS: dict[type, tuple[tuple[str, str], ...]] = {
    Resource: (
        ("KIND", "kind"),
        ("NAME", "name"),
        ("SYNC", "sync"),
        ("HEALTH", "health"),
        ("MESSAGE", "message"),
    ),
    PlannedTask: (("WHEN", "when"), ("ACTION", "action"), ("OBJECT", "about"), ("WHY", "reason")),
    Leaving: (("WHAT", "what"), ("OBJECT", "about"), ("WHY", "reason")),
    Entry: (("ID", "id"), ("REVISION", "short"), ("INITIATED BY", "initiated_by")),
    Revision: (
        ("NAME", "name"),
        ("NAMESPACE", "namespace"),
        ("REVISION", "revision"),
        ("STATUS", "status"),
        ("CHART", "chart_version"),
        ("DESCRIPTION", "description"),
    ),
    Event: (("TYPE", "type"), ("REASON", "reason"), ("OBJECT", "about"), ("MESSAGE", "message")),
}


def picture(items: Sequence[Any], empty: str) -> View:
    """A list of one kind of facts; what is no known fact is shown as YAML."""
    if not items:
        return View(empty, code(empty).html)
    if isinstance(items[0], Difference):
        return diff(
            [Change(f"{d.change} {d.resource.kind} {d.resource.name}", d.live, d.desired) for d in items]
        )
    if isinstance(items[0], Rerendered):
        return diff([Change(str(d), d.before, d.after) for d in items])
    columns = _COLUMNS.get(type(items[0]))
    if columns is None:
        return code(dump(list(items)) if isinstance(items[0], dict) else "\n".join(map(repr, items)))
    rows = [[getattr(item, attribute) for _, attribute in columns] for item in items]
    return table([name for name, _ in columns], rows)
