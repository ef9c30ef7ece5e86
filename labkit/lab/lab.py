"""The `Lab` object."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from labkit.lab.background import Background
from labkit.lab.service_client import ServiceClient
from labkit.settings import Settings

if TYPE_CHECKING:
    from labkit.cluster import Cluster
    from labkit.gitops.export import Export
    from labkit.lab.accounts import Accounts
    from labkit.lab.apps import Apps
    from labkit.lab.appsets import AppSets
    from labkit.lab.chart_sources import ChartSources
    from labkit.lab.charts import Charts
    from labkit.lab.clusters import Clusters
    from labkit.lab.namespace import Namespace
    from labkit.lab.projects import Projects
    from labkit.lab.releases import LabReleases
    from labkit.lab.repos import Repos
    from labkit.lessons import Lesson
    from labkit.lessons.progress import Progress
    from labkit.views import View
    from labkit.widgets import Picture


class Lab:
    """The lab: ``charts``, ``releases``, ``repos``, ``apps``, ``cluster`` and ``clusters``.

    ``Lab()`` finds the lab folder (upwards from here, or the one that ``LABKIT_HOME`` names) and attaches to
    the running lab; if none runs, it is started. With ``start=False`` that is a `ServiceNotRunning` instead.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        start: bool = True,
        token: str | None = None,
        server: str = "",
    ) -> None:
        """``token`` makes you somebody else than the lab's owner: what you may do, the lab's policy says.

        ``server`` is the service's address, for those who have a token and no lab folder. Unless ``token`` is given,
        ``LABKIT_AUTH_TOKEN`` and ``LABKIT_SERVER`` are these; with an empty one it is the owner who asks.
        """
        if token is None:
            token, server = Settings.environment("AUTH_TOKEN"), server or Settings.environment("SERVER")
        self._settings, self._token = Settings.find(path), token
        if server and token:
            self._service = ServiceClient(server, token)
            return
        background = Background(self._settings)
        if start and background.running() is None:
            background.start()
        self._service = background.client(token)

    @property
    def home(self) -> Path:
        """The lab folder."""
        return self._settings.home

    @property
    def url(self) -> str:
        """Where the lab's service answers."""
        return self._service.url

    @property
    def service(self) -> ServiceClient:
        """The service's HTTP API."""
        return self._service

    @cached_property
    def charts(self) -> Charts:
        """The charts in the lab folder: ``lab.charts["starter"]``, ``lab.charts.create("web")``."""
        from labkit.lab.charts import Charts

        return Charts(self._settings.charts, self._sources)

    @cached_property
    def releases(self) -> LabReleases:
        """The releases in the lab's cluster, by Helm alone: ``lab.releases.install("shop", lab.charts["hello"])``."""
        from labkit.lab.releases import LabReleases

        if self._token:
            _ = self.cluster  # it says why not
        return LabReleases(self._settings.kubeconfig, self._sources)

    @cached_property
    def _sources(self) -> ChartSources:
        from labkit.lab.chart_sources import ChartSources

        return ChartSources(self._settings)

    @cached_property
    def repos(self) -> Repos:
        """The repositories on the lab's Git host: ``lab.repos.create("shop")``."""
        from labkit.lab.repos import Repos

        return Repos(self._service, self._settings.work)

    @cached_property
    def apps(self) -> Apps:
        """The applications: ``lab.apps.create("shop", repo=…, path=…)``, ``lab.apps["shop"]``."""
        from labkit.lab.applications import direct, judged
        from labkit.lab.apps import Apps

        return Apps(judged(self._service) if self._token else direct(self.cluster), self._service)

    @cached_property
    def projects(self) -> Projects:
        """The AppProjects: ``lab.projects.create("shop", …)``, ``lab.projects["shop"].add_policy(…)``."""
        from labkit.lab.projects import Projects

        return Projects(self._service)

    @cached_property
    def appsets(self) -> AppSets:
        """The ApplicationSets: ``lab.appsets.preview(manifest)`` first, then ``lab.appsets.create(manifest)``."""
        from labkit.lab.appsets import AppSets

        return AppSets(self._service)

    @cached_property
    def accounts(self) -> Accounts:
        """Who there is and who may what: ``lab.accounts.can_i("sync", "applications", "shop/web", subject="ann")``."""
        from labkit.lab.accounts import Accounts

        return Accounts(self._service)

    def as_(self, token: str) -> Lab:
        """The same lab for whoever has that token: what they may see and do, the policy says."""
        return Lab(self.home, start=False, token=token)

    @cached_property
    def cluster(self) -> Cluster:
        """The lab's cluster, the one that holds the applications."""
        from labkit.cluster import Cluster
        from labkit.lab.applications import judged

        if self._token:
            return judged(self._service).cluster  # it says why not
        # Whoever brought the lab up agreed to the use of this cluster.
        return Cluster.from_kubeconfig(self._settings.kubeconfig, own=True)

    @cached_property
    def clusters(self) -> Clusters:
        """All clusters of the lab: ``lab.clusters.create("second")``."""
        from labkit.lab.clusters import Clusters

        return Clusters(self._settings)

    def lesson(self, number: str | int) -> Lesson:
        """A lesson of the course: ``lab.lesson("00").start()`` lays its starting point."""
        from labkit.lessons import Lesson, find

        return Lesson(find(number), self, self._progress)

    def progress(self) -> View:
        """Which exercises are done, and after how many tries. It is a local file; nothing of it leaves the machine."""
        from labkit.lessons import standing_shown

        return standing_shown(self._progress)

    def namespace(self, name: str) -> Namespace:
        """A namespace to work in by hand, without Git and controller; made if it is not there."""
        from labkit.lab.namespace import Namespace

        return Namespace(self.cluster, name, self._settings.work / name)

    @property
    def _progress(self) -> Progress:
        from labkit.lessons.progress import Progress

        return Progress(self._settings.state / "progress.json")

    def clear(self, name: str) -> None:
        """Take away the application, the namespace, the repository and the working copy of that name.

        The working copy is kept in ``.lab/archive``, because it may hold somebody's work.
        """
        from labkit.lab.clearing import clear

        clear(self, name, self._settings)

    def export_argocd(self, folder: Path | str, *, git: str = "", force: bool = False) -> Export:
        """Write what a real Argo CD needs into ``folder``: the files, and ``todo``, what is left to do by hand.

        ``git`` takes the place of the lab's own Git host in every URL. Secrets come without what is secret.
        """
        from labkit.lab.export import export_argocd

        lab_git = f"{self.url}/git"
        return export_argocd(self.cluster, Path(folder), lab_git=lab_git, git=git, force=force)

    def picture(self, name: str = "") -> View:
        """All applications at a glance, or one with its loop and its tree."""
        from labkit.lab.pictures import application, overview

        return application(self.apps[name]) if name else overview(self.apps)

    def live(self) -> Picture:
        """All applications, alive in the notebook after the cell has ended, with buttons; ``stop()`` ends that."""
        from labkit.lab.doing import below
        from labkit.widgets import Picture

        return Picture(self.picture, below=lambda: below(self.apps))

    def dashboard_link(self, name: str = "") -> str:
        """A link to the live picture (of one application, if it is named); it works once, for ten minutes."""
        if name:
            self.apps[name]  # says which there are, if there is none of that name
        link = str(self._service.post("/api/v1/dashboard-links")["url"])
        return f"{link}&to={quote(name, safe='')}" if name else link

    def stop(self) -> None:
        """Stop the lab, as ``labkit down`` does; everything in it is kept."""
        from labkit.lab.lifecycle import bring_down

        self.close()
        bring_down(self._settings)

    def close(self) -> None:
        """Let go of open connections; the lab goes on running."""
        if "cluster" in self.__dict__:
            self.cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Lab({self.home.name}: {len(self.repos)} repositories, {len(self.apps)} applications)"
