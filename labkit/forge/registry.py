"""The lab's OCI registry: where charts are pushed to and pulled from (OCI distribution specification 1.1).

All of the specification's pull and push, listing of tags and referrers, as Helm's and oras' clients ask for
them; nothing can be deleted. Who writes needs the lab's credential; who reads, too, except below ``public/``:
those charts are for everybody on this machine. The service mounts this application under ``/v2``.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import IO, TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from labkit.forge.blobs import DIGEST, LONGEST_NAME, NAME, TAG, UPLOAD, BlobStore, digest_of
from labkit.forge.login import CHALLENGE, user_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from labkit.git import Credential

Endpoint: TypeAlias = "Callable[[Registry, Request, str, str], Awaitable[Response]]"

PUBLIC = "public/"
MOST_BLOB = 256 * 2**20
MOST_MANIFEST = 4 * 2**20
MOST_TAGS = 1000
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_PATH = re.compile(
    r"(?P<name>.+)/(?:(?P<kind>manifests|blobs|tags|referrers)/(?P<reference>[^/]+)|blobs/(?P<uploads>uploads)/(?P<id>[^/]*))"
)
_RANGE = re.compile(r"(\d+)-(\d+)")


class Problem(Exception):
    """An answer in the specification's form: a status, a code of its list, and words."""

    def __init__(self, status: int, code: str, message: str, detail: Any = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.detail = status, code, message, detail

    def response(self) -> Response:
        """The answer itself."""
        error = {"code": self.code, "message": self.message, "detail": self.detail}
        headers = CHALLENGE if self.status == 401 else {}
        return JSONResponse({"errors": [error]}, self.status, headers=headers)


class Registry:
    """The endpoints over one `BlobStore`."""

    def __init__(self, store: BlobStore, credentials: Sequence[Credential]) -> None:
        self.store = store
        self._credentials = tuple(credentials)

    async def answer(self, request: Request) -> Response:
        """One request's answer, also to what makes no sense."""
        try:
            path = request.path_params["path"]
            self._authorize(request, path)
            return await self._route(request, path)
        except Problem as problem:
            return problem.response()

    def _authorize(self, request: Request, path: str) -> None:
        reads = request.method in {"GET", "HEAD"}
        if reads and path.startswith(PUBLIC):
            return
        if user_of(request.scope, self._credentials) is None:
            raise Problem(
                401,
                "UNAUTHORIZED",
                "the registry wants the lab's login: user trainee, password of .lab/token",
            )

    async def _route(self, request: Request, path: str) -> Response:
        if path == "":
            return JSONResponse({}, headers={"Docker-Distribution-API-Version": "registry/2.0"})
        if path == "_catalog":
            return JSONResponse({"repositories": await asyncio.to_thread(self.store.names)})
        found = _PATH.fullmatch(path)
        if found is None:
            raise Problem(404, "UNSUPPORTED", f"a registry has nothing at /v2/{path}")
        name = found["name"]
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise Problem(400, "NAME_INVALID", "a name has lower-case letters, digits and - . _ /", name)
        kind = found["uploads"] or found["kind"]
        table = _ENDPOINTS[kind]
        if request.method not in table:
            raise Problem(
                405, "UNSUPPORTED", f"{request.method} of {kind}: the lab's registry does not do that"
            )
        return await table[request.method](self, request, name, found["reference"] or found["id"] or "")

    # -- manifests, tags, referrers

    async def _get_manifest(self, _: Request, name: str, reference: str) -> Response:
        if not (TAG.fullmatch(reference) or DIGEST.fullmatch(reference)):
            raise Problem(400, "TAG_INVALID", "this is neither a tag nor a digest", reference)
        found = await asyncio.to_thread(self.store.manifest, name, reference)
        if found is None:
            raise Problem(404, "MANIFEST_UNKNOWN", f"the registry has no {name}:{reference}", reference)
        headers = {"Docker-Content-Digest": found.digest, "ETag": f'"{found.digest}"'}
        return Response(found.body, media_type=found.media_type, headers=headers)

    async def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        if not (TAG.fullmatch(reference) or DIGEST.fullmatch(reference)):
            raise Problem(400, "TAG_INVALID", "this is neither a tag nor a digest", reference)
        body = b"".join([part async for part in _bounded(request, MOST_MANIFEST)])
        manifest = _manifest(body)
        missing = [each for each in _blobs(manifest) if self.store.blob(name, each) is None]
        if missing:
            raise Problem(404, "MANIFEST_BLOB_UNKNOWN", "push the blobs first", missing)
        media_type = request.headers.get("content-type") or str(manifest.get("mediaType") or MANIFEST)
        if ":" in reference and digest_of(body) != reference:
            raise Problem(400, "DIGEST_INVALID", "the manifest does not hash to this digest", reference)
        digest = await asyncio.to_thread(self.store.put_manifest, name, reference, body, media_type)
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        if subject := _subject(manifest):
            headers["OCI-Subject"] = subject
        return Response(status_code=201, headers=headers)

    async def _list_tags(self, request: Request, name: str, reference: str) -> Response:
        tags = await asyncio.to_thread(self.store.tags, name) if reference == "list" else None
        if tags is None:
            raise Problem(404, "NAME_UNKNOWN", f"the registry has no {name}", name)
        last, most = request.query_params.get("last", ""), _number(request.query_params.get("n"), MOST_TAGS)
        rest = [tag for tag in tags if tag > last]
        page, headers = rest[:most], {}
        if page and len(rest) > most:
            headers["Link"] = f'</v2/{name}/tags/list?n={most}&last={quote(page[-1])}>; rel="next"'
        return JSONResponse({"name": name, "tags": page}, headers=headers)

    async def _list_referrers(self, request: Request, name: str, digest: str) -> Response:
        wanted = request.query_params.get("artifactType", "")
        found = await asyncio.to_thread(self._referrers, name, digest)
        shown = [each for each in found if wanted in {"", each["artifactType"]}]
        headers = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": shown})
        return Response(body, media_type=INDEX, headers=headers)

    def _referrers(self, name: str, digest: str) -> list[dict[str, Any]]:
        found = []
        for each in self.store.manifests(name):
            manifest = _manifest(each.body)
            if _subject(manifest) == digest:
                config = manifest.get("config") or {}
                kind = manifest.get("artifactType") or config.get("mediaType", "")
                entry = {"mediaType": each.media_type, "digest": each.digest, "size": len(each.body)}
                notes = manifest.get("annotations") or {}
                found.append(entry | {"artifactType": kind, "annotations": notes})
        return found

    # -- blobs

    async def _get_blob(self, _: Request, name: str, digest: str) -> Response:
        path = self.store.blob(name, _checked(digest))
        if path is None:
            raise Problem(404, "BLOB_UNKNOWN", f"{name} has no such blob", digest)
        headers = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    async def _begin_upload(self, request: Request, name: str, _: str) -> Response:
        query = request.query_params
        mount, source = query.get("mount", ""), query.get("from", "")
        if DIGEST.fullmatch(mount) and NAME.fullmatch(source) and self.store.mount(name, source, mount):
            return _created(name, mount)
        upload = await asyncio.to_thread(self.store.begin, name)
        if digest := query.get("digest", ""):
            return await self._finish(request, name, upload, digest)
        return self._progress(name, upload, 202)

    async def _upload_status(self, _: Request, name: str, upload: str) -> Response:
        self._size(name, upload)
        return self._progress(name, upload, 204)

    async def _append(self, request: Request, name: str, upload: str) -> Response:
        size = self._size(name, upload)
        said = _RANGE.fullmatch(request.headers.get("content-range", ""))
        if said and int(said[1]) != size:
            answer = self._progress(name, upload, 416)
            answer.headers["Content-Length"] = "0"
            return answer
        await self._receive(request, upload, size)
        return self._progress(name, upload, 202)

    async def _finish_upload(self, request: Request, name: str, upload: str) -> Response:
        self._size(name, upload)
        return await self._finish(request, name, upload, request.query_params.get("digest", ""))

    async def _cancel_upload(self, _: Request, name: str, upload: str) -> Response:
        self._size(name, upload)
        await asyncio.to_thread(self.store.cancel, upload)
        return Response(status_code=204)

    async def _finish(self, request: Request, name: str, upload: str, digest: str) -> Response:
        _checked(digest)
        await self._receive(request, upload, self._size(name, upload))
        if not await asyncio.to_thread(self.store.finish, name, upload, digest):
            raise Problem(400, "DIGEST_INVALID", "what was sent does not hash to this digest", digest)
        return _created(name, digest)

    async def _receive(self, request: Request, upload: str, size: int) -> None:
        with self.store.appending(upload) as file:
            async for part in _bounded(request, MOST_BLOB - size):
                await asyncio.to_thread(_write_all, file, part)

    def _size(self, name: str, upload: str) -> int:
        size = self.store.uploaded(name, upload) if UPLOAD.fullmatch(upload) else None
        if size is None:
            raise Problem(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload; begin anew", upload)
        return size

    def _progress(self, name: str, upload: str, status: int) -> Response:
        last = max((self.store.uploaded(name, upload) or 0) - 1, 0)
        headers = {
            "Location": f"/v2/{name}/blobs/uploads/{upload}",
            "Range": f"0-{last}",
            "Docker-Upload-UUID": upload,
        }
        return Response(status_code=status, headers=headers)


_ENDPOINTS: dict[str, dict[str, Endpoint]] = {
    "manifests": {"GET": Registry._get_manifest, "HEAD": Registry._get_manifest, "PUT": Registry._put_manifest},
    "blobs": {"GET": Registry._get_blob, "HEAD": Registry._get_blob},
    "tags": {"GET": Registry._list_tags},
    "referrers": {"GET": Registry._list_referrers},
    "uploads": {
        "POST": Registry._begin_upload, "GET": Registry._upload_status, "PATCH": Registry._append,
        "PUT": Registry._finish_upload, "DELETE": Registry._cancel_upload,
    },
}  # fmt: skip


def registry_app(store: BlobStore, *, credentials: Sequence[Credential]) -> Starlette:
    """The ASGI application that serves a store to those who have one of `credentials`."""
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", Registry(store, credentials).answer, methods=methods)])


async def _bounded(request: Request, most: int) -> Any:
    async for part in request.stream():
        most -= len(part)
        if most < 0:
            raise Problem(
                413, "SIZE_INVALID", f"the lab's registry takes blobs of {MOST_BLOB // 2**20} MB at most"
            )
        yield part


def _write_all(file: IO[bytes], part: bytes) -> None:
    file.write(part)


def _checked(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise Problem(400, "DIGEST_INVALID", "a digest is sha256: and 64 hexadecimal digits", digest)
    return digest


def _created(name: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return Response(status_code=201, headers=headers)


def _manifest(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Problem(400, "MANIFEST_INVALID", "a manifest is a JSON object")
    return found


def _blobs(manifest: dict[str, Any]) -> list[str]:
    """The digests of what a manifest consists of."""
    layers = manifest.get("layers")
    parts = [manifest.get("config"), *(layers if isinstance(layers, list) else [])]
    digests = [str(part.get("digest", "")) for part in parts if isinstance(part, dict)]
    if not all(DIGEST.fullmatch(digest) for digest in digests):
        raise Problem(400, "MANIFEST_INVALID", "a part of the manifest has no sha256 digest")
    return digests


def _subject(manifest: dict[str, Any]) -> str:
    subject = manifest.get("subject")
    return str(subject.get("digest", "")) if isinstance(subject, dict) else ""


def _number(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isdecimal() and len(text) < 10 else most
