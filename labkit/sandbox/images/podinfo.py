"""``ghcr.io/stefanprodan/podinfo``: the example application of many GitOps tutorials, as far as they look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from labkit.sandbox.images.http import Answer, Request
from labkit.sandbox.images.program import Program, Run
from labkit.sandbox.images.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.images.program import Setting


class Podinfo(Server):
    """podinfo: JSON about itself; readiness can be switched off."""

    listens: ClassVar[tuple[int, ...]] = (9898, 9797, 9999)
    mebibytes = 16
    lines = ('{{"level":"info","msg":"Starting podinfo","version":"{tag}","port":"9898"}}',)

    def __init__(
        self, setting: Setting, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(setting, log, wake)
        self.ready = True

    @property
    def ports(self) -> tuple[int, ...]:
        """``--port`` says where."""
        told = [
            a.partition("=")[2]
            for a in (*self.setting.command, *self.setting.args)
            if a.startswith("--port=")
        ]
        return (*(int(port) for port in told if port.isdigit()), *self.listens)

    def http(self, request: Request) -> Answer:
        """The endpoints that charts and tutorials use."""
        path = request.path.rstrip("/")
        if path == "/readyz" and not self.ready:
            return Answer.json({"status": "Service Unavailable"}, 503)
        if path in ("/healthz", "/readyz"):
            return Answer.json({"status": "OK"})
        if path in ("/readyz/enable", "/readyz/disable") and request.method == "POST":
            self.ready = path.endswith("enable")
            return Answer.json({"status": "OK"}, 202)
        if path == "/version":
            return Answer.json({"commit": "simulated", "version": self._version})
        if path == "/env":
            return Answer.json(sorted(name for name in self.setting.env))
        if path in ("", "/api/info"):
            return Answer.json(self._info())
        return Answer.text("404 page not found\n", 404)

    @property
    def _version(self) -> str:
        return self.setting.image.tag.removeprefix("v")

    def _info(self) -> dict[str, str]:
        env = self.setting.env
        return {
            "hostname": self.setting.host_name,
            "version": self._version,
            "revision": "simulated",
            "color": env.get("PODINFO_UI_COLOR", "#34577c"),
            "logo": env.get(
                "PODINFO_UI_LOGO",
                "https://raw.githubusercontent.com/stefanprodan/podinfo/gh-pages/cuddle_clap.gif",
            ),
            "message": env.get("PODINFO_UI_MESSAGE") or f"greetings from podinfo v{self._version}",
            "goos": "linux",
            "goarch": "amd64",
            "runtime": "go1.25",
            "num_goroutine": "8",
            "num_cpu": "2",
        }


class Curl(Program):
    """curl's image: a request to a Service or a pod of the cluster."""

    def run(self) -> Run:
        """Ask, and end as curl would."""
        from labkit.sandbox.images import asking, shell

        words = (*self.setting.command, *self.setting.args)
        if shell.is_command(words):
            return (yield from shell.follow(words, self.setting, self.log))
        yield 0.2
        return asking.curl(list(words), self.setting, self.log)
