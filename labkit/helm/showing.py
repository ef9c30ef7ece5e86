"""What ``helm show`` shows of a chart: its files as their author wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import ChartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.chart import Chart
    from labkit.helm.files import ChartFiles

PARTS = ("chart", "values", "readme", "crds")
_READMES = ("readme.md", "readme.txt", "readme")  # as Helm finds one, whatever its case


def checked(what: str) -> str:
    """The part's name, if a chart has such a part; `ChartError` if not."""
    if what not in {*PARTS, "all"}:
        raise ChartError(
            f"a chart has no part {what!r}", where="show", fix=f"one of {', '.join(PARTS)}, or all"
        )
    return what


def show(chart: Chart, what: str) -> str:
    """One part of a chart as text, or ``all`` of them with ``---`` between."""
    files = chart.files()
    wanted = PARTS if checked(what) == "all" else (what,)
    return "\n---\n".join(text.strip() for part in wanted if (text := "\n---\n".join(_part(files, part))))


def _part(files: ChartFiles, part: str) -> Iterator[str]:
    names = {
        "chart": ["Chart.yaml"],
        "values": ["values.yaml"],
        "readme": [name for name in sorted(files.files) if name.lower() in _READMES][:1],
        "crds": [name for name in sorted(files.files) if name.startswith("crds/")],
    }
    return (text for name in names[part] if (text := (files.text(name) or "").strip()))
