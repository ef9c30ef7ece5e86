"""What lesson 07 shows of releases: their revisions, the Secret that one is, and where each Helm's calls go."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from labkit.helm.releases import open_secret
from labkit.settings.texts import texts
from labkit.views.code import code
from labkit.views.diff import Change, diff
from labkit.views.flow import Arrow, Box, flow
from labkit.views.view import View, stack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labkit.helm import Difference
    from labkit.lessons.workbench import Workbench

_SIGNS = {"deployed": ("✓", "good"), "failed": ("✗", "bad"), "superseded": ("○", "")}
_LONGEST = 44


def drawn(release: Any) -> View:
    """A release's revisions, and what each of them is: two that made the same objects point at one box."""
    left, right, arrows = [], [], []
    known: dict[str, str] = {}
    for number in (each.revision for each in release.history):
        found = release.status(number)
        sign, tone = _SIGNS.get(found.status, ("◔", "warn"))
        lines = (_short(found.description), f"{sign} {found.status}")
        left.append(Box(f"r{number}", f"revision {number}", lines, tone))
        if found.manifest not in known:
            known[found.manifest] = f"m{number}"
            given = ", ".join(f"{key}: {value}" for key, value in flat(found.values)) or "its own values"
            right.append(Box(f"m{number}", f"{found.chart} {found.chart_version} with {given}"))
        arrows.append(Arrow(f"r{number}", known[found.manifest]))
    return flow(f"The revisions of release {release.name}, and what each one made", [left, right], arrows)


def opened(bench: Workbench, release: str, revision: int, namespace: str) -> View:
    """What stands in the Secret of one revision, unpacked; long texts by their length."""
    name = f"sh.helm.release.v1.{release}.v{revision}"
    found = open_secret(bench.cluster.get("v1", "Secret", name, namespace))
    chart = found["chart"]
    about = chart["metadata"]
    rows = {
        "name": found["name"],
        "version": f"{found['version']} (the revision)",
        "info.status": found["info"]["status"],
        "info.description": found["info"]["description"],
        "config": f"{found.get('config') or {}} (the values that were given)",
        "chart": f"{about['name']} {about['version']}, whole: {len(chart['templates'])} templates, its values",
        "manifest": f"{len(found['manifest'].splitlines())} lines of YAML, as it was applied",
    }
    width = max(map(len, rows))
    return code("\n".join(f"{key:<{width}}  {value}" for key, value in rows.items()), title=f"Secret {name}")


def changes(differences: Iterable[Difference]) -> View:
    """What would change in a release, line by line."""
    sides = (Change(f"{each.key.kind} {each.key.name}", each.before, each.after) for each in differences)
    return diff(sides, same="Nothing would change.", legend="− now   + after")


def generations() -> View:
    """Helm 1 to 4: whom the ``helm`` on your machine calls, with whose rights, and where it keeps what it knows."""
    return stack(_generation(each) for each in texts("labkit.lessons", "07")["generations"])


def _generation(words: dict[str, Any]) -> View:
    boxes = [Box(str(number), each[0], tuple(each[1:])) for number, each in enumerate(words["boxes"])]
    calls = [Arrow(str(number), str(number + 1), label) for number, label in enumerate(words["calls"])]
    picture = flow(words["title"], [[box] for box in boxes], calls)
    return View(picture.text, f"<h4>{escape(words['title'])}</h4>{picture.html}")


def flat(values: Any, before: str = "") -> list[tuple[str, Any]]:
    """Nested values as ``image.tag`` and what it is."""
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += flat(value, f"{before}{key}.")
        else:
            found.append((f"{before}{key}", value))
    return found


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
