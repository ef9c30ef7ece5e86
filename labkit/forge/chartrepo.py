"""Folders of packaged charts, each served as an HTTP chart repository, as any web server would serve them.

``/<name>/index.yaml`` and ``/<name>/<chart>-<version>.tgz`` (and ``.tgz.prov``) are files in the folder ``<name>``;
``helm repo index`` writes the index. All of it wants the lab's login, except the repository named ``public``.
The service mounts this application under ``/charts``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from labkit.forge.login import CHALLENGE, user_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.requests import Request

    from labkit.git import Credential

PUBLIC = "public"
INDEX = "index.yaml"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,254}\.tgz(\.prov)?")


def chart_repositories(root: Path, *, credentials: Sequence[Credential]) -> Starlette:
    """The ASGI application that serves every folder directly below ``root``; read anew at each request."""
    known = tuple(credentials)

    async def serve(request: Request) -> Response:
        name, file = request.path_params["name"], request.path_params["file"]
        if name != PUBLIC and user_of(request.scope, known) is None:
            return PlainTextResponse("This repository wants the lab's login.\n", 401, headers=CHALLENGE)
        path = _file(root, name, file)
        if path is None:
            return PlainTextResponse(_absent(root, name, file), 404)
        kind = "application/yaml" if file == INDEX else "application/gzip"
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})

    return Starlette(routes=[Route("/{name}/{file}", serve, methods=["GET", "HEAD"])])


def _file(root: Path, name: str, file: str) -> Path | None:
    """A file that may be handed out: a chart, its provenance or the index, and no link that leads away."""
    if not _NAME.fullmatch(name) or not (file == INDEX or _FILE.fullmatch(file)):
        return None
    path = root / name / file
    inside = path.resolve().is_relative_to((root / name).resolve())
    return path if inside and path.is_file() else None


def _absent(root: Path, name: str, file: str) -> str:
    if not _NAME.fullmatch(name) or not (root / name).is_dir():
        return f"There is no chart repository {name!r} here.\n"
    if file == INDEX:
        return f"The repository has no index yet: labkit chart repo index {root.name}/{name}\n"
    return f"The repository {name!r} has no file {file!r}.\n"
