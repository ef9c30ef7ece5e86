"""``lab.releases``: charts that run in the lab's cluster by Helm alone, without Git and controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from labkit.helm import Chart
from labkit.helm.releases import Releases as Helm
from labkit.helm.releases.releases import Plan
from labkit.helm.values import Given
from labkit.lab.facts import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from labkit.helm import Difference
    from labkit.helm.releases import Revision
    from labkit.lab.chart_sources import ChartSources

ValuesFrom = Literal["", "reset", "reuse", "reset-then-reuse"]


class LabRelease:
    """One release. It holds no state: each question is asked of the cluster when you ask it."""

    def __init__(self, name: str, namespace: str, helm: Helm, sources: ChartSources) -> None:
        self.name = name
        self.namespace = namespace
        self._helm = helm
        self._sources = sources

    def __repr__(self) -> str:
        return str(self.status())

    def _repr_html_(self) -> str:
        return self.history._repr_html_()

    def status(self, revision: int = 0) -> Revision:
        """How it stands, or how it was at a revision: notes, manifest, values and hooks."""
        return self._helm.status(self.name, revision, namespace=self.namespace)

    @property
    def history(self) -> Listing[Revision]:
        """Its revisions, oldest first."""
        return Listing(self._helm.history(self.name, namespace=self.namespace), empty="(no revisions)")

    @property
    def manifest(self) -> str:
        """What it applied."""
        return self.status().manifest

    @property
    def notes(self) -> str:
        """What its chart tells the person who installed it."""
        return self.status().notes

    def values(self, revision: int = 0, *, computed: bool = False) -> dict[str, Any]:
        """The values that were given; with ``computed`` all that the templates saw."""
        return self._helm.values(self.name, revision, namespace=self.namespace, computed=computed)

    def upgrade(
        self,
        chart: Chart | Path | str,
        *,
        version: str = "",
        values: Mapping[str, Any] | str | None = None,
        value_files: Sequence[Path | str] = (),
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        values_from: ValuesFrom = "",
        wait: bool = False,
        timeout: float = 300.0,
        atomic: bool = False,
    ) -> LabRelease:
        """A new revision: another chart, or other values. `Releases.upgrade` of `labkit.helm.releases` says more."""
        self._helm.upgrade(
            self.name, found(chart, version, self._sources), Given(value_files, values, set=set),
            namespace=self.namespace, values_from=values_from, plan=plan(wait=wait, timeout=timeout, atomic=atomic),
        )  # fmt: skip
        return self

    def rollback(self, revision: int = 0) -> LabRelease:
        """A new revision that is as an earlier one (0: the last but one) was."""
        self._helm.rollback(self.name, revision, namespace=self.namespace)
        return self

    def diff(self, before: int, after: int) -> Listing[Difference]:
        """What differs between two revisions."""
        differences = self._helm.diff(self.name, before, after, namespace=self.namespace)
        return Listing(differences, empty="Nothing differs between these revisions.")

    def preview(
        self,
        chart: Chart | Path | str,
        *,
        version: str = "",
        values: Mapping[str, Any] | str | None = None,
        value_files: Sequence[Path | str] = (),
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        values_from: ValuesFrom = "",
    ) -> Listing[Difference]:
        """What an upgrade would change; the cluster is asked, and not changed."""
        differences = self._helm.preview(
            self.name, found(chart, version, self._sources), Given(value_files, values, set=set),
            namespace=self.namespace, values_from=values_from,
        )  # fmt: skip
        return Listing(differences, empty="An upgrade would change nothing.")

    def test(self, timeout: float = 300.0) -> str:
        """Run its chart's test hooks; returns the logs of their pods. `ReleaseError` if one fails."""
        return self._helm.test(self.name, namespace=self.namespace, seconds=timeout)[1]

    def uninstall(self, *, keep_history: bool = False) -> str:
        """Remove it, and what it made; returns what Helm says was kept."""
        return self._helm.uninstall(self.name, namespace=self.namespace, keep_history=keep_history)


class LabReleases:
    """``lab.releases``: install, find by name, go through them all."""

    def __init__(self, kubeconfig: Path, sources: ChartSources) -> None:
        self._helm = Helm(kubeconfig)
        self._sources = sources

    def install(
        self,
        name: str,
        chart: Chart | Path | str,
        *,
        namespace: str = "default",
        create_namespace: bool = True,
        version: str = "",
        values: Mapping[str, Any] | str | None = None,
        value_files: Sequence[Path | str] = (),
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        wait: bool = False,
        timeout: float = 300.0,
        atomic: bool = False,
    ) -> LabRelease:
        """Install a chart (a `Chart`, a path, ``REPO/CHART`` or ``oci://…``) as a new release."""
        self._helm.install(
            name, found(chart, version, self._sources), Given(value_files, values, set=set),
            namespace=namespace, create_namespace=create_namespace,
            plan=plan(wait=wait, timeout=timeout, atomic=atomic),
        )  # fmt: skip
        return self.get(name, namespace)

    def get(self, name: str, namespace: str = "default") -> LabRelease:
        """A release by its name and namespace; `ReleaseNotFound` if it is not there."""
        self._helm.status(name, namespace=namespace)
        return LabRelease(name, namespace, self._helm, self._sources)

    def __getitem__(self, name: str) -> LabRelease:
        """A release by its name; one in a namespace is ``lab.releases["team/shop"]``."""
        namespace, slash, rest = name.rpartition("/")
        return self.get(rest, namespace if slash else "default")

    def __iter__(self) -> Iterator[LabRelease]:
        listed = self._helm.list(all_namespaces=True, every_status=True)
        return (LabRelease(each.name, each.namespace, self._helm, self._sources) for each in listed)

    def __len__(self) -> int:
        return len(self._helm.list(all_namespaces=True, every_status=True))

    @property
    def _listing(self) -> Listing[Revision]:
        return Listing(self._helm.list(all_namespaces=True, every_status=True), empty="(no releases)")

    def __repr__(self) -> str:
        return repr(self._listing)

    def _repr_html_(self) -> str:
        return self._listing._repr_html_()


def found(chart: Chart | Path | str, version: str, sources: ChartSources) -> Chart:
    """The chart that is meant."""
    return chart if isinstance(chart, Chart) else sources.find(str(chart), version=version)


def plan(*, wait: bool, timeout: float, atomic: bool) -> Plan:
    """How it is to be done."""
    return Plan(wait="watcher" if wait else "", seconds=timeout, rollback_on_failure=atomic)
