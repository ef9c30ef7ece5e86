"""Probes: is a container up, is it ready, is it alive?

Each asks for the first time ``initialDelaySeconds`` after the container's start, and then every ``periodSeconds``.
Its answer counts once it was the same ``successThreshold`` or ``failureThreshold`` times in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from labkit.sandbox.images.http import Request

if TYPE_CHECKING:
    from labkit.k8s.objects import Object
    from labkit.sandbox.images.program import Program

_OK = range(200, 400)


class Outcome(NamedTuple):
    """What a probe found: whether all is well, and what was wrong."""

    well: bool
    message: str = ""


class Probe:
    """One probe of one run of a container. Times are seconds of the clock."""

    def __init__(self, kind: str, spec: Object, container: Object, started: float) -> None:
        self.kind, self._spec, self._container = kind, spec, container
        self.due = started + spec.get("initialDelaySeconds", 0)
        self.passed = False
        self.given_up = False
        """Liveness and startup: it failed so often that the container is to be restarted."""
        self._streak = (True, 0)

    def ask(self, program: Program, address: str, now: float) -> Outcome:
        """Ask once, count, and say what was found."""
        outcome = self._ask(program, address)
        self.due = now + self._spec.get("periodSeconds", 10)
        well, times = self._streak
        self._streak = (outcome.well, times + 1 if well == outcome.well else 1)
        if outcome.well and self._streak[1] >= self._spec.get("successThreshold", 1):
            self.passed = True
        if not outcome.well and self._streak[1] >= self._spec.get("failureThreshold", 3):
            self.passed, self.given_up = False, True
        return outcome

    def _ask(self, program: Program, address: str) -> Outcome:
        if "httpGet" in self._spec:
            return self._http(program, address)
        if "exec" in self._spec:
            code, output = program.exec(tuple(self._spec["exec"].get("command") or ()))
            return Outcome(code == 0, output or f"command exited with code {code}")
        where = self._spec.get("tcpSocket") or self._spec.get("grpc") or {}
        port = self._port(where.get("port"))
        if port in program.ports:
            return Outcome(True)
        return Outcome(False, f"dial tcp {where.get('host') or address}:{port}: connect: connection refused")

    def _http(self, program: Program, address: str) -> Outcome:
        get = self._spec["httpGet"]
        port, parts = self._port(get["port"]), urlsplit(get.get("path") or "/")
        place = f"{get.get('scheme', 'HTTP').lower()}://{get.get('host') or address}:{port}{get.get('path') or '/'}"
        if port not in program.ports:
            return Outcome(False, f'Get "{place}": dial tcp {address}:{port}: connect: connection refused')
        headers = {h["name"].lower(): h["value"] for h in get.get("httpHeaders") or []}
        headers.setdefault("user-agent", "kube-probe/1.36")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = program.http(Request("GET", parts.path, query, headers, b"", port))
        if answer.after > self._spec.get("timeoutSeconds", 1):
            late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return Outcome(False, f'Get "{place}": {late}')
        return Outcome(answer.status in _OK, f"HTTP probe failed with statuscode: {answer.status}")

    def _port(self, port: int | str | None) -> int:
        """A number, or the container's port of that name."""
        if isinstance(port, str) and not port.isdigit():
            ports = self._container.get("ports") or []
            return next((int(p["containerPort"]) for p in ports if p.get("name") == port), 0)
        return int(port or 0)
