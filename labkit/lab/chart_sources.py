"""Where a chart that is named may come from: a path, a repository with a name, or a registry; and with which login."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.errors import ChartError
from labkit.helm import Chart
from labkit.helm.dependencies import Dependencies
from labkit.helm.repositories import Access, ChartRepository, RepositoryBook, unpack
from labkit.helm.repositories.access import OCI

if TYPE_CHECKING:
    from labkit.settings import Settings

NO_ACCESS = Access()
TRAINEE = "trainee"


class ChartSources:
    """Finds charts by what a person calls them; in a lab folder with the names and logins that it remembers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own: str = ""
        self.book = RepositoryBook(settings.chart_sources, settings.registry_logins, own=self._lab_logins())
        self._aside: Path | None = None

    @property
    def cache(self) -> Path:
        """Where fetched charts are kept; outside of a lab folder only as long as this object."""
        if self._settings.exists:
            return self._settings.cache / "charts"
        if self._aside is None:
            self._aside = Path(tempfile.mkdtemp(prefix="labkit-charts-"))
            weakref.finalize(self, shutil.rmtree, self._aside, ignore_errors=True)
        return self._aside

    @property
    def registry(self) -> str:
        """The lab's own registry: ``oci://127.0.0.1:PORT``. Empty if the lab was never up."""
        return f"{OCI}://{self._own}" if self._own else ""

    def find(self, chart: str, *, version: str = "", repo: str = "", access: Access = NO_ACCESS) -> Chart:
        """A chart by its path, ``NAME/CHART``, ``oci://HOST/PATH/CHART``, or its name in the repository ``repo``."""
        if not repo and Path(chart).exists():
            return Chart.load(chart)
        repository, name = self._repository(chart, repo, access)
        return Chart.load(repository.fetch(name, version, self.cache))

    def pull(
        self,
        chart: str,
        destination: Path,
        *,
        version: str = "",
        repo: str = "",
        access: Access = NO_ACCESS,
        provenance: bool = False,
        untar: bool = False,
    ) -> Path:
        """Fetch a chart's archive into a folder, or unpack it there; with its provenance file if it has one."""
        repository, name = self._repository(chart, repo, access)
        archive = repository.fetch(name, version, self.cache)
        destination.mkdir(parents=True, exist_ok=True)
        proof = repository.provenance(name, version) if provenance else None
        if provenance and proof is None:
            raise ChartError(
                "the chart has no provenance file there: it is not signed",
                where=repository.url,
                fix="pull it without --prov and --verify, or ask its author for a signed one",
            )
        if proof is not None:
            (destination / f"{archive.name}.prov").write_bytes(proof)
        if untar:
            return unpack(archive, destination)
        return Path(shutil.copyfile(archive, destination / archive.name))

    def push(self, archive: Path, registry: str, access: Access = NO_ACCESS) -> tuple[str, str]:
        """Push a packaged chart to ``oci://HOST/PATH``; returns its reference and digest."""
        return self.book.open(registry, access).push(archive)

    def dependencies(self, folder: Path, access: Access = NO_ACCESS) -> Dependencies:
        """The dependencies of the chart in a folder."""
        return Dependencies(folder, lambda url: self.book.open(url, access), cache=self.cache)

    def _repository(self, chart: str, repo: str, access: Access) -> tuple[ChartRepository, str]:
        if repo:
            return self.book.open(repo, access), chart
        if chart.startswith(f"{OCI}://"):
            return self.book.open(chart, access), ""
        if "://" in chart:
            raise ChartError(
                "a chart at an address of its own is not fetched",
                where=chart,
                fix="name its repository: labkit chart repo add NAME URL, then NAME/CHART; or --repo URL",
            )
        name, slash, rest = chart.partition("/")
        if not slash or chart.startswith((".", "/")):
            raise ChartError(
                "there is no chart at this path",
                where=chart,
                fix="give a folder, a .tgz, NAME/CHART of a repository (labkit chart repo list), "
                "or oci://HOST/PATH/CHART",
            )
        return self.book.open(f"@{name}", access), rest

    def _lab_logins(self) -> dict[str, Access]:
        port = self._settings.remembered().get("port") if self._settings.exists else None
        if not port:
            return {}
        self._own = f"127.0.0.1:{port}"
        login = Access(TRAINEE, self._settings.token())
        return {self._own: login, f"localhost:{port}": login}
