"""Paths that are for no resource: discovery, version, health, OpenAPI."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any, Final

from labkit.sandbox import snapshots
from labkit.sandbox.apiserver import discovery, wire
from labkit.sandbox.apiserver.health import ROOTS as HEALTH
from labkit.sandbox.apiserver.health import Health
from labkit.sandbox.apiserver.negotiation import Form
from labkit.sandbox.apiserver.routing import PlainNotFound

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api
    from labkit.sandbox.apiserver.handlers import Call
    from labkit.sandbox.apiserver.wire import Response

JSON = dict[str, Any]

VERSION: Final = {"major": "1", "minor": "36", "gitVersion": "v1.36.2+sandbox", "gitTreeState": "clean"}
_ROOTS: Final = tuple(sorted(("/api", "/apis", *HEALTH, "/openapi/v2", "/openapi/v3", "/version")))


class Plain:
    """Answers them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._health = Health(api)

    async def answer(self, call: Call) -> Response:
        """The document at the call's path.  Raises `PlainNotFound`."""
        path = call.path.rstrip("/") or "/"
        if path.startswith(snapshots.ROOT) and self._api.snapshots is not None:
            return wire.respond(self._api.snapshots.answer(call.method, path), Form())
        if call.method not in ("GET", "HEAD"):
            raise PlainNotFound
        if self._health.answers(path):
            return self._health.answer(path, call.query)
        if path == "/version":
            return wire.respond(_version(), Form())
        if path.startswith("/openapi/"):
            return self._api.openapi.answer(path)
        return self._discovery(call, path)

    def _discovery(self, call: Call, path: str) -> Response:
        registry, wanted = self._api.registry, call.form.discovery
        if path in ("/api", "/apis") and wanted:
            document = discovery.aggregated(registry, core=path == "/api", version=wanted)
            response = wire.respond(document, Form())
            response.content_type = discovery.AGGREGATED.format(wanted)
            return response
        found = self._document(path)
        if found is None:
            raise PlainNotFound
        return wire.respond(found, Form(yaml=call.form.yaml))

    def _document(self, path: str) -> JSON | None:
        registry, parts = self._api.registry, path.strip("/").split("/")
        match parts:
            case [""]:
                return {"paths": [*_ROOTS, *(f"/apis/{name}" for name in registry.groups() if name)]}
            case ["api"]:
                return discovery.core_versions()
            case ["apis"]:
                return discovery.groups(registry)
            case ["api", version]:
                return discovery.resources(registry, "", version)
            case ["apis", group]:
                return discovery.group(registry, group)
            case ["apis", group, version]:
                return discovery.resources(registry, group, version)
        return None


def _version() -> JSON:
    system, machine = (
        platform.system().lower(),
        {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine()),
    )
    return {
        **VERSION,
        "gitCommit": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": "python",
        "platform": f"{system}/{machine or platform.machine()}",
    }
