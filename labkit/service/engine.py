"""The controller, wired to this lab: its cluster, its Git host, its credential.

Everything that the controller is to know it finds where Argo CD would: resource definitions, the default
project, and the credential for the lab's own servers (Secrets of type ``repo-creds``, by the URL's beginning) are
objects in the cluster's namespace ``argocd``. So it could be replaced by a real Argo CD.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
from typing import TYPE_CHECKING, Any

from labkit.dashboard import Board
from labkit.errors import AlreadyExists, BadRequest, SettingsError
from labkit.git import Mirror
from labkit.gitops.api import NAMESPACE, crds, default_project
from labkit.gitops.api import settings as argocd_settings
from labkit.gitops.api.names import SECRET_TYPE
from labkit.gitops.controller import Controller
from labkit.gitops.server import Server
from labkit.gitops.sources import Charts, Sources
from labkit.gitops.sync.operation import WAVE_SECONDS
from labkit.runtime.clock import SystemClock
from labkit.service.registry import MANAGER, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labkit.cluster import Cluster
    from labkit.forge import PushEvent
    from labkit.git import Credential
    from labkit.service.address import Address
    from labkit.settings import Settings

log = logging.getLogger("labkit.service.engine")
JSON = dict[str, Any]
CREDENTIAL_NAME = "lab-git-host"


def wave_seconds(said: str) -> float:
    """The pause between two waves of a sync: Argo CD's, unless ``LABKIT_WAVE_SECONDS`` says another."""
    try:
        seconds = float(said or WAVE_SECONDS)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise SettingsError(
            f"{said!r} is no number of seconds", where="LABKIT_WAVE_SECONDS", fix="Such as 0.5; or unset it."
        )
    return seconds


class Engine:
    """The controller of one lab. `start` returns when it works; `stop` when nothing of it does any more."""

    def __init__(self, settings: Settings, client: Cluster, address: Address, credential: Credential) -> None:
        self._client = client
        self._address = address
        self._credential = credential
        mirror = Mirror(settings.cache / "git")
        self._controller = Controller(
            client,
            make_sources=lambda secrets: Sources(
                mirror,
                credentials=secrets.credential,
                aliases=address.current,
                charts=Charts(settings.cache / "charts", secrets.chart_access),
            ),
            connect=connect,
            clock=SystemClock(),
            wave_seconds=wave_seconds(settings.environment("WAVE_SECONDS")),
            identity=f"lab-{hashlib.sha256(str(settings.home).encode()).hexdigest()[:12]}",
        )
        self.server = Server(client, self._controller, SystemClock(), lab_token=settings.token())

    def start(self) -> None:
        """Install what Applications need in the cluster, then start the controller."""
        for definition in crds():
            self._client.apply(definition, field_manager=MANAGER, force=True)
        self._ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for secret in self._secrets():
            self._client.apply(secret, field_manager=MANAGER, force=True)
        self._ensure(default_project())
        self._ensure(argocd_settings())
        self._controller.start()
        self.server.accounts.signing()

    def stop(self) -> None:
        """End the controller; a pass that is at work is waited for."""
        self._controller.stop()

    def board(self) -> Board:
        """What the web page shows, read from this engine and its cluster."""
        return Board(self._client, self._controller, self.server, self.server.callers.owner())

    def on_news(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call ``listener`` with the name of each application of which something changed."""
        return self._controller.on_news(listener)

    def pushed(self, event: PushEvent) -> None:
        """A push reached the Git host: what GitHub would send as a webhook."""
        names = self.webhook(event.payload())
        log.info("push to %s %s: refresh %s", event.repository, event.ref, ", ".join(names) or "nobody")

    def webhook(self, payload: dict[str, Any]) -> list[str]:
        """Refresh the applications that a push concerns, whichever of its addresses they know the host by."""
        names = self._controller.webhook(payload)
        repository = payload.get("repository")
        if not isinstance(repository, dict):
            raise BadRequest("this is not a push: it names no repository", where="repository")
        for url in self._address.aliases(str(repository.get("clone_url") or ""))[1:]:
            names += self._controller.webhook({**payload, "repository": {**repository, "clone_url": url}})
        return list(dict.fromkeys(names))

    def preview(self, repository: str, branch: str, default: str, before: str, after: str) -> list[JSON]:
        """What a merge into ``branch`` would make of each application that follows it, by application's name."""
        found: dict[str, JSON] = {}
        for url in self._address.aliases(self._address.repository(repository)):
            about = {"name": repository, "clone_url": url, "default_branch": default}
            payload = {"ref": f"refs/heads/{branch}", "repository": about}
            for each in self._controller.preview(payload, before, after):
                found.setdefault(each["application"], each)
        return [found[name] for name in sorted(found)]

    def _ensure(self, obj: dict[str, Any]) -> None:
        """Create it unless it is there: what a trainee changed in it stays."""
        with contextlib.suppress(AlreadyExists):
            self._client.create(obj)

    def _secrets(self) -> Iterator[dict[str, Any]]:
        """The credential for the lab's own Git host, chart repositories and registry, by what their URLs begin with."""
        yield self._secret(CREDENTIAL_NAME, "git", self._address.git)
        yield self._secret(f"{CREDENTIAL_NAME}-charts", "helm", f"{self._address.base}/charts")
        host = self._address.base.removeprefix("http://")
        yield self._secret(f"{CREDENTIAL_NAME}-registry", "helm", host)

    def _secret(self, name: str, kind: str, url: str) -> dict[str, Any]:
        fields = {"type": kind, "url": url, "username": self._credential.username}
        registry = {"enableOCI": "true"} if kind == "helm" and "://" not in url else {}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {SECRET_TYPE: "repo-creds"}},
            "type": "Opaque",
            "stringData": fields | registry | {"password": self._credential.password},
        }
