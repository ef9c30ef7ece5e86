"""``lab.charts``: the charts in the lab folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import ChartError
from labkit.helm import Chart
from labkit.settings import Settings, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.dependencies import Dependencies
    from labkit.lab.chart_sources import ChartSources
    from labkit.views import View


class Charts:
    """The folders with a ``Chart.yaml`` in the lab's ``charts/``."""

    def __init__(self, folder: Path, sources: ChartSources | None = None) -> None:
        self._folder = folder
        self._sources = sources

    @property
    def sources(self) -> ChartSources:
        """Chart repositories and registries: ``sources.find("oci://…")``, ``sources.push(archive, "oci://…")``."""
        from labkit.lab.chart_sources import ChartSources

        return self._sources or ChartSources(Settings.find(self._folder.parent))

    def create(self, name: str, folder: Path | str | None = None) -> Chart:
        """A new chart from the course's starter, in ``folder`` (by default the lab's ``charts/``).

        Give a working copy's ``path`` to have it where it can be pushed from.
        """
        return Chart.create(
            Path(folder) if folder is not None else self._folder, name, starter=share("charts") / "starter"
        )

    def load(self, path: Path | str) -> Chart:
        """The chart at any path: a folder or a packaged ``.tgz``. Messages name it from the lab folder on."""
        return Chart.load(path, shown_as=self._shown(Path(path)))

    def dependencies(self, chart: Chart) -> Dependencies:
        """The charts that a chart needs: ``update()`` locks them, ``build()`` fetches, ``standing()`` lists."""
        return self.sources.dependencies(chart.path)

    def files(self, chart: Chart) -> View:
        """The chart's folder as a tree, with what each file is for."""
        from labkit.views.files import files

        return files(chart.path.name, [name for name in chart.files().files if not name.startswith(".")])

    def copy(self, name: str, folder: Path | str) -> Chart:
        """A copy of the chart ``name`` in ``folder``, for example a working copy's ``path``."""
        source = self[name]
        target = Path(folder) / name
        if target.exists():
            raise ChartError("there is something already", where=str(target), fix="Choose another folder.")
        shutil.copytree(source.path, target)
        return self.load(target)

    def __getitem__(self, name: str) -> Chart:
        if name not in self._names():
            known = ", ".join(self._names()) or "none yet"
            raise ChartError(
                f"there is no chart {name!r}",
                where=str(self._folder),
                fix=f"There are: {known}. A new one: lab.charts.create({name!r})",
            )
        return self.load(self._folder / name)

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[Chart]:
        return (self.load(self._folder / name) for name in self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return f"Charts({', '.join(self._names())})"

    def _shown(self, path: Path) -> str:
        """A path inside of the lab folder without what comes before; '' for any other, which is shown whole."""
        home, inside = self._folder.resolve().parent, path.resolve()
        return inside.relative_to(home).as_posix() if inside.is_relative_to(home) else ""

    def _names(self) -> list[str]:
        return sorted(file.parent.name for file in self._folder.glob("*/Chart.yaml"))
