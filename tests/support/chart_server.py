"""An HTTP chart repository for tests: a folder of packaged charts behind a real port, and what was asked of it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.helm import Chart
from labkit.helm.repositories.access import Access

USER = Access("ada", "s3cret/pa:ss@word")


@dataclass
class ChartServer:
    """Serves ``files`` by path; ``asked`` has each request's path, credential and method."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    login: Access | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        given = headers.get(b"authorization", b"").decode()
        path = scope["path"]
        self.asked.append((path, given))
        status, extra, body = self._answer(path, given, headers)
        await send({"type": "http.response.start", "status": status, "headers": extra})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str, given: str, headers: dict[bytes, bytes]) -> Any:
        if self.login and given != self.login.authorization:
            return 401, [(b"www-authenticate", b"Basic")], b"who are you?"
        if path in self.redirects:
            return 302, [(b"location", self.redirects[path].encode())], b""
        if path not in self.files:
            return 404, [], b"nothing here"
        body = self.files[path]
        tag = hashlib.sha256(body).hexdigest().encode()
        if headers.get(b"if-none-match") == tag:
            return 304, [(b"etag", tag)], b""
        return 200, [(b"etag", tag)], body

    def publish(self, archives: Iterable[Path], **changed: Any) -> None:
        """Put archives there, with an index; ``changed`` replaces fields of each of its entries."""
        entries: dict[str, list[dict[str, Any]]] = {}
        for archive in archives:
            data, metadata = archive.read_bytes(), Chart.load(archive).metadata
            self.files[f"/{archive.name}"] = data
            entry = metadata | {"urls": [archive.name], "digest": hashlib.sha256(data).hexdigest()} | changed
            entries.setdefault(metadata["name"], []).append(entry)
        self.files["/index.yaml"] = json.dumps({"apiVersion": "v1", "entries": entries}).encode()


def archives(folder: Path, versions: Iterable[str], name: str = "web") -> list[Path]:
    """A small chart, packaged in several versions."""
    made = []
    for version in versions:
        source = folder / f"source-{version}" / name
        (source / "templates").mkdir(parents=True)
        (source / "Chart.yaml").write_text(
            f"apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: '7'\n"
        )
        (source / "values.yaml").write_text(f"seen: {version}\n")
        template = (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\ndata: {it: '{{ .Values.seen }}'}\n"
        )
        (source / "templates" / "seen.yaml").write_text(template)
        made.append(Chart.load(source).package(folder / "packed"))
    return made


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


Serve = Callable[[Any], int]
