"""One cluster as one process: the folder's files, the API server, and the controllers and the kubelet beside it.

What the folder holds: ``state.db`` (the objects), ``tls/``, ``token``, ``kubeconfig``, ``sandbox.json`` (pid, port and
url, while the process runs) and ``lock``.  Each file that holds a credential is readable by its owner only.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import importlib
import importlib.util
import json
import logging
import os
import secrets
import signal
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from labkit.errors import PortTaken, SettingsError
from labkit.runtime.clock import Clock, SystemClock
from labkit.sandbox import certificates
from labkit.sandbox.apiserver.api import Api, Secrets
from labkit.sandbox.apiserver.app import Application
from labkit.sandbox.apiserver.bootstrap import bootstrap
from labkit.sandbox.client import LocalClient
from labkit.sandbox.life import LOOK_SECONDS, ORPHAN_SECONDS, Life
from labkit.sandbox.server import HttpsServer, listen
from labkit.sandbox.snapshots import Snapshots
from labkit.sandbox.store import Store

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

READY_FILE: Final = "sandbox.json"


class Part(Protocol):
    """Something that works in the process until it is stopped."""

    def stop(self) -> None:
        """End it; leave no timer."""


class Sandbox:
    """One cluster's process.  `run` returns when `stop` is called or the process is told to end."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        clock: Clock | None = None,
        controllers: bool = True,
        orphan_seconds: float = ORPHAN_SECONDS,
    ) -> None:
        self.folder = folder
        self.clock: Clock = clock or SystemClock()
        self._port = port
        self._with_controllers = controllers
        self._orphan_seconds = orphan_seconds
        self._parts: list[Part] = []
        self._server: HttpsServer | None = None
        self.url = ""

    def run(self) -> None:
        """Serve.  Raises `SettingsError` for a folder that cannot be used, `PortTaken` for a port that is not free."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """End the process's work; from the loop's thread or a signal handler."""
        if self._server is not None:
            self._server.stop()

    async def _run(self) -> None:
        with _locked(self.folder), contextlib.ExitStack() as stack:
            store = Store(self.folder / "state.db")
            stack.callback(store.close)
            listener = _listen(self._port, self.folder)
            stack.callback(listener.close)
            tls = certificates.ensure(self.folder / "tls")
            token = _secret(self.folder / "token")
            key = _secret(self.folder / "tls" / "service-accounts.key").encode()
            api = Api(store, self.clock, Secrets(token, key, tls.authority_pem))
            self.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            certificates.write_private(
                self.folder / "kubeconfig", kubeconfig(self.url, tls.authority_pem, token)
            )
            bootstrap(api, listener.getsockname()[1])
            api.snapshots = Snapshots(
                store, self.folder / "snapshots", lambda change: self._quietly(api, change)
            )
            self._server = HttpsServer(Application(api), tls, before_stop=api.close)
            stack.callback(self._stop_parts)
            stack.callback((self.folder / READY_FILE).unlink, missing_ok=True)
            alone = asyncio.ensure_future(self._leave_when_alone())
            stack.callback(alone.cancel)
            with _signals(self.stop):
                await self._server.serve(listener, ready=lambda: self._ready(api, listener))

    async def _leave_when_alone(self) -> None:
        """End when nobody can want this process any more: the folder was deleted, or who owns it was killed."""
        life = Life(self.folder, self._orphan_seconds)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            reason = life.ended(time.monotonic())
            if reason:
                log.warning("ending: %s", reason)
                self.stop()
                return

    def _ready(self, api: Api, listener: socket.socket) -> None:
        state = {"pid": os.getpid(), "port": listener.getsockname()[1], "url": self.url}
        certificates.write_private(self.folder / READY_FILE, json.dumps(state))
        log.info("ready: %s", self.url)
        if self._with_controllers:
            asyncio.get_running_loop().call_soon(self._start_parts, api)

    def _start_parts(self, api: Api) -> None:
        """Start the kubelet and the controllers, imported only now that the port answers."""
        client, loop = LocalClient(api), asyncio.get_running_loop()
        for name in ("kubelet", "controllers"):
            module = f"labkit.sandbox.{name}"
            if importlib.util.find_spec(module) is None:
                continue
            start: Callable[..., Any] = importlib.import_module(module).start
            part = start(client, self.clock, loop)
            if name == "kubelet":
                api.node = part
            self._parts.append(part)

    def _quietly(self, api: Api, change: Callable[[], int]) -> int:
        """Change the store under everybody: controllers and kubelet begin anew, watchers have to list again."""
        working = bool(self._parts)
        self._stop_parts()
        try:
            changed = change()
            for watch in tuple(api.watches):
                watch.expire()
        finally:
            if working:
                self._start_parts(api)
        return changed

    def _stop_parts(self) -> None:
        while self._parts:
            self._parts.pop().stop()


def kubeconfig(url: str, authority: str, token: str) -> str:
    """A kubeconfig for the cluster's administrator, as JSON, which is YAML."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority.encode()).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox-admin", "user": {"token": token}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox-admin"}}],
        "current-context": "sandbox",
        "preferences": {},
    }
    return json.dumps(config, indent=2) + "\n"


def _listen(port: int, folder: Path) -> socket.socket:
    """The port asked for; else the one of the last time, if it is free, so that kubeconfigs go on working."""
    if port:
        try:
            return listen(port)
        except OSError as error:
            raise PortTaken(
                f"port {port} is taken: {error.strerror}",
                where="--port",
                fix="choose another, or 0 for a free one",
            ) from error
    last = folder / "port"
    with contextlib.suppress(OSError, ValueError):
        return listen(int(last.read_text(encoding="ascii")))
    listener = listen(0)
    last.write_text(str(listener.getsockname()[1]), encoding="ascii")
    return listener


def _secret(path: Path) -> str:
    if not path.exists():
        certificates.write_private(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="utf-8").strip()


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Any:
    """SIGTERM and Ctrl-C call `stop`."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _locked(folder: Path) -> Any:
    """Hold the folder's lock, which a killed process lets go of.  Raises `SettingsError` when another holds it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (folder / "lock").open("a+b")
    except OSError as error:
        raise SettingsError(
            f"the cluster's folder cannot be used: {error.strerror}",
            where=str(folder),
            fix="choose another folder",
        ) from error
    with file:
        if not _try_lock(file.fileno()):
            raise SettingsError(
                "another process runs this cluster",
                where=str(folder),
                fix=f"use that one (its address is in {READY_FILE}), or stop it first",
            )
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
