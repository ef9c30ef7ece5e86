"""The service's life: what it starts, in which order, and how it ends.

The slow parts overlap: the sandbox is a process of its own and gets ready while this one imports its
libraries. What is ready is said only when all of it is, and then in one place, ``.lab/service.json``.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from labkit import __version__
from labkit.errors import ServiceError
from labkit.service import logs
from labkit.service.address import TRAINEE, Address, settle
from labkit.service.cluster import HomeCluster
from labkit.service.ports import listen
from labkit.settings import ServiceRecord, Settings, explained

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator

    import uvicorn
    from starlette.types import ASGIApp

    from labkit.dashboard import Access, Dashboard
    from labkit.dashboard.news import News
    from labkit.forge import Forge, ForgeApp
    from labkit.gitops.rbac import Caller
    from labkit.service.announce import Announcer
    from labkit.service.engine import Engine
    from labkit.service.pulls import PullDesk

log = logging.getLogger("labkit.service")
CONTROLLER = "controller"
GRACE_SECONDS = 3


class Service:
    """One lab folder's service. `run` returns when it has been told to end and everything is stopped."""

    def __init__(
        self,
        settings: Settings,
        announcer: Announcer,
        *,
        cluster: str = "",
        port: int = 0,
        agreed: bool = False,
    ) -> None:
        self.settings = settings
        self._announcer = announcer
        self._choice = cluster
        self._port = port
        self._agreed = agreed
        self._server: uvicorn.Server | None = None
        self._dashboard: Dashboard | None = None
        self._ending = threading.Event()

    def run(self) -> None:
        """Start everything, serve until SIGTERM, Ctrl-C or ``/api/v1/shutdown``, stop everything.

        Raises `ServiceError` if the lab folder has a service already, and whatever kept a part from starting.
        """
        with self.settings.lock("service") as lock, self._signals():
            if not lock.acquire(timeout=2):
                raise ServiceError(
                    "a service for this lab folder runs already", where=str(self.settings.home)
                )
            with contextlib.ExitStack() as undo:
                self._run(undo)

    def _run(self, undo: contextlib.ExitStack) -> None:
        token, controller_token = self.settings.token(), self.settings.token("controller-token")
        with explained(self.settings.log):
            logs.configure(self.settings.log, [token, controller_token])
        undo.callback(logging.shutdown)
        undo.callback(self.settings.forget_service)
        self.settings.forget_service()
        log.info("labkit %s starts for %s", __version__, self.settings.home)

        self._announcer.stage("Starting the cluster")
        home = HomeCluster(self.settings, self._choice, agreed=self._agreed)
        undo.callback(home.stop)
        home.start()
        sock, address = self._listen(undo)

        self._announcer.stage("Starting the Git host")
        from labkit import forge as git_host
        from labkit.dashboard import Access, Dashboard
        from labkit.git import Credential
        from labkit.service.engine import Engine
        from labkit.service.pulls import PullDesk

        forge = git_host.Forge(self.settings.repos, base_url=address.git)
        forge.mend()
        trainee = Credential(TRAINEE, token)

        client = home.ready()
        self._announcer.stage("Starting the controller")
        engine = Engine(self.settings, client, address, Credential(CONTROLLER, controller_token))
        undo.callback(engine.stop)
        engine.start()
        home.watch()

        credentials = [trainee, Credential(CONTROLLER, controller_token)]
        git = git_host.app(forge, credentials=credentials, on_push=engine.pushed)
        pulls = PullDesk(forge, engine, git.merged, address.base)
        git.show_pulls(pulls.html, pulls.submitted)
        charts = git_host.chart_apps(
            self.settings.registry, self.settings.chart_repositories, credentials=credentials
        )
        access = Access(token, address.port, time.time, engine.server.callers)
        self._dashboard = Dashboard(engine.board(), access, lab=self.settings.home.name)
        undo.callback(engine.on_news(self._dashboard.news.tell))
        mounts = {**charts, "/dashboard": self._dashboard.app}
        desk = _Desk(self, forge, engine, pulls, address, token, access, self._dashboard.news)
        self._serve(sock, address, desk, git, mounts, token)

    def shut_down(self) -> None:
        """End the service soon; returns at once. May be called from any thread."""
        self._ending.set()
        if self._dashboard is not None:
            self._dashboard.close()
        if self._server is not None:
            self._server.should_exit = True

    def _listen(self, undo: contextlib.ExitStack) -> tuple[socket.socket, Address]:
        remembered = self.settings.remembered().get("port") or 0
        sock = listen(self._port or remembered, only=bool(self._port))
        undo.callback(sock.close)
        address, notice = settle(self.settings, sock.getsockname()[1])
        if notice:
            log.warning("%s", notice)
            self._announcer.notice(notice)
        return sock, address

    def _serve(
        self,
        sock: socket.socket,
        address: Address,
        desk: _Desk,
        git: ForgeApp,
        mounts: dict[str, ASGIApp],
        token: str,
    ) -> None:
        from labkit.service import web
        from labkit.service.server import Server

        self._server = Server(
            web.app(desk, {"/git": git, **mounts}, callers=desk.server.callers, token=token),
            GRACE_SECONDS,
            on_ready=lambda: self._ready(address, git, desk),
        )
        if self._ending.is_set():
            return
        self._server.run(sockets=[sock])
        log.info("ending")

    def _ready(self, address: Address, git: ForgeApp, desk: _Desk) -> None:
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.settings.write_service(
            ServiceRecord(os.getpid(), address.port, address.base, started, __version__)
        )
        log.info("ready at %s", address.base)
        self._announcer.ready(url=address.base)
        threading.Thread(target=git.notice, name="missed-pushes", daemon=True).start()
        threading.Thread(target=desk.server.get_ready, name="policy", daemon=True).start()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C end the service in good order, also while it starts."""

        def end(_number: int, _frame: object) -> None:
            if self._server is None:
                raise KeyboardInterrupt
            self.shut_down()

        before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Desk:
    """What the web side may ask for (`web.Desk`)."""

    def __init__(
        self,
        service: Service,
        forge: Forge,
        engine: Engine,
        pulls: PullDesk,
        address: Address,
        token: str,
        access: Access,
        news: News,
    ) -> None:
        self.pulls, self.server, self._news = pulls, engine.server, news
        self._access = access
        self._service = service
        self._forge = forge
        self._engine = engine
        self._address = address
        self._token = token

    def repositories(self, caller: Caller) -> list[dict[str, str]]:
        found = [self._shown(caller, repo.name) for repo in self._forge.list()]
        return [repo for repo in found if caller.may("repositories", "get", repo["url"])]

    def create_repository(self, caller: Caller, name: str) -> dict[str, str]:
        caller.demand("repositories", "create", self._address.repository(name))
        made = self._forge.create(name)
        return self._shown(caller, made.name)

    def delete_repository(self, caller: Caller, name: str) -> None:
        caller.demand("repositories", "delete", self._address.repository(name))
        self._forge.delete(name)

    def changes(self, caller: Caller, name: str) -> AsyncIterator[bytes]:
        from labkit.service.stream import changes

        return changes(self.server, self._news, caller, name)

    def webhook(self, payload: dict[str, Any]) -> list[str]:
        return self._engine.webhook(payload)

    def dashboard_link(self, caller: Caller) -> dict[str, str]:
        return {"url": f"{self._address.base}/dashboard/enter?key={self._access.link_key(caller)}"}

    def shut_down(self) -> None:
        self._service.shut_down()

    def _shown(self, caller: Caller, name: str) -> dict[str, str]:
        """A repository; only the owner is given a URL with the lab's token in it."""
        address = self._address
        url = address.repository(name)
        return {
            "name": name,
            "url": url,
            "clone_url": address.clone_url(name, self._token) if caller.owner else url,
        }
