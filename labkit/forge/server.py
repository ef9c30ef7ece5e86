"""The forge on HTTP: Git's smart protocol for repositories, behind the lab's credential.

``/<name>.git/info/refs``, ``/<name>.git/git-upload-pack`` and ``/<name>.git/git-receive-pack`` are the whole
of it (gitprotocol-http(5)); the dumb protocol, which would serve single files, is not offered. The service
mounts this application under ``/git``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from labkit.errors import LabError, PullRequestNotFound, RepositoryNotFound
from labkit.forge.backend import Backend, Call
from labkit.forge.events import Announcer, PushEvent
from labkit.forge.login import CHALLENGE, user_of
from labkit.git import Credential

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from labkit.forge.repositories import Forge, Repo

READ, WRITE = "git-upload-pack", "git-receive-pack"

# A page has no script, no frame around it, nothing fetched from elsewhere, and forms that come back here only.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

MOST_FORM = 100_000

log = logging.getLogger(__name__)


class Page(Protocol):
    """Makes the HTML of one pull request of a repository, or of all (None), with forms that carry ``token``."""

    def __call__(self, name: str, number: int | None, token: str, *, by: str = "", problem: str = "") -> str:
        """``problem``: why what ``by`` wanted was not done."""
        ...


class Submitted(Protocol):
    """Does what a form of such a page says."""

    def __call__(self, name: str, number: int | None, said: Mapping[str, str]) -> int:
        """Returns the number of the pull request to show then."""
        ...


class ForgeApp:
    """The forge's ASGI application; `notice` tells of pushes that went past it."""

    def __init__(
        self,
        forge: Forge,
        *,
        credentials: Sequence[Credential],
        on_push: Callable[[PushEvent], object] | None = None,
        seconds: float = 600.0,
    ) -> None:
        self.forge = forge
        self._credentials = tuple(credentials)
        self._announcer = Announcer(forge, on_push or (lambda _event: None))
        self._backend = Backend(seconds=seconds)
        self._telling: set[asyncio.Task[None]] = set()
        self._pull_page: Page | None = None
        self._pull_done: Submitted | None = None
        self._routes: ASGIApp = Starlette(
            routes=[
                Route("/{name}.git/info/refs", self._info_refs, methods=["GET"]),
                Route(f"/{{name}}.git/{READ}", self._upload_pack, methods=["POST"]),
                Route(f"/{{name}}.git/{WRITE}", self._receive_pack, methods=["POST"]),
                Route("/{name}/pulls", self._pulls, methods=["GET", "POST"]),
                Route("/{name}/pulls/{number:int}", self._pulls, methods=["GET", "POST"]),
                Route("/{name}", self._page, methods=["GET"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; without the lab's credential the answer is 401."""
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        user = user_of(scope, self._credentials)
        if user is None:
            refusal = PlainTextResponse("The lab wants its credential.\n", 401, headers=CHALLENGE)
            await refusal(scope, receive, send)
            return
        await self._routes({**scope, "lab.user": user}, receive, send)

    def notice(self) -> list[PushEvent]:
        """Tells `on_push` what was pushed while this application did not run, or by the folder's path.

        For the service's start, after `Forge.mend`; may be called at any time, from any thread.
        """
        return self._announcer.announce_all()

    def merged(self, repo: Repo) -> list[PushEvent]:
        """Tells `on_push` of a merge that the host itself made; may be called from any thread."""
        return self._announcer.announce(repo, "merge")

    def show_pulls(self, page: Page, submitted: Submitted) -> None:
        """Serve pull requests' pages: ``page`` makes the HTML of one of a repository, or of all (None).

        What a page shows the forge cannot know, since it has to be rendered first; so it is handed in.
        ``submitted`` does what one of its forms says, and returns the number of the request to show.
        """
        self._pull_page, self._pull_done = page, submitted

    async def _info_refs(self, request: Request) -> ASGIApp:
        service = request.query_params.get("service", "")
        if service not in (READ, WRITE):
            return _text("Only Git's smart protocol is served here.", 403)
        return self._git(request, "info/refs", query=f"service={service}", writes=False)

    async def _upload_pack(self, request: Request) -> ASGIApp:
        return self._git(request, READ, writes=False)

    async def _receive_pack(self, request: Request) -> ASGIApp:
        return self._git(request, WRITE, writes=True)

    def _git(self, request: Request, action: str, *, writes: bool, query: str = "") -> ASGIApp:
        try:
            repo = self.forge.get(request.path_params["name"])
        except RepositoryNotFound as error:
            return _text(str(error), 404)
        encoding = request.headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            return _text(f"The content encoding {encoding!r} is not read here.", 415)
        user = request.scope["lab.user"]
        call = Call(self.forge.root, f"/{repo.name}.git/{action}", query, user, writes)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await self._backend.serve(call, scope, receive, send)
            finally:
                if writes:
                    self._tell(repo, user)

        return respond

    def _tell(self, repo: Repo, user: str) -> None:
        """Tells of a push in the background: the client has its answer and waits for nobody."""
        task = asyncio.get_running_loop().create_task(self._announce(repo, user))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _announce(self, repo: Repo, user: str) -> None:
        try:
            await asyncio.to_thread(self._announcer.announce, repo, user)
        except Exception:
            log.exception("the push to %s could not be told; it will be at the next one or start", repo.name)

    async def _pulls(self, request: Request) -> Response:
        if self._pull_page is None or self._pull_done is None:
            return _text("Pull requests are not shown here.", 404)
        name, number = request.path_params["name"], request.path_params.get("number")
        said = await _form(request) if request.method == "POST" else {}
        if request.method == "POST" and not self._meant(request, said):
            return _text("This form is not of the lab's own page: open the page, and do it there.", 403)
        problem, status = "", 200
        try:
            if request.method == "POST":
                try:
                    done = await asyncio.to_thread(self._pull_done, name, number, said)
                    base = request.url.path.partition("/pulls")[0]
                    return RedirectResponse(f"{base}/pulls/{done}", 303, headers=_PAGE_HEADERS)
                except (RepositoryNotFound, PullRequestNotFound):
                    raise
                except LabError as error:
                    problem, status = str(error), 409
            html = await asyncio.to_thread(
                partial(
                    self._pull_page, name, number, self._form_token, by=said.get("by", ""), problem=problem
                )
            )
        except (RepositoryNotFound, PullRequestNotFound) as error:
            return _text(str(error), 404)
        return HTMLResponse(html, status, headers=_PAGE_HEADERS)

    @property
    def _form_token(self) -> str:
        """What our own page's forms bring back. A browser sends the login with any site's form; not this."""
        key = self._credentials[0].password.encode()
        return hmac.new(key, b"labkit: a form of a pull request's page", hashlib.sha256).hexdigest()

    def _meant(self, request: Request, said: Mapping[str, str]) -> bool:
        """Whether a form comes from our own page."""
        ours = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        return ours and hmac.compare_digest(said.get("token", "").encode(), self._form_token.encode())

    async def _page(self, request: Request) -> Response:
        """What a person sees who opens a repository's address in a browser."""
        name = request.path_params["name"].removesuffix(".git")
        try:
            repo = await asyncio.to_thread(self.forge.get, name)
        except RepositoryNotFound as error:
            return _text(str(error), 404)
        branches = await asyncio.to_thread(repo.reader.branches)
        lines = [f"{repo.name}: a Git repository of the lab.", "", f"  git clone {repo.url}", ""]
        return _text("\n".join(lines + [repr(branch) for branch in branches]), 200)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; one that is too long, or is none, has no fields."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_FORM:
            return {}
    with contextlib.suppress(ValueError):
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
        return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
    return {}


def _text(text: str, status: int) -> PlainTextResponse:
    return PlainTextResponse(text + "\n", status)


def app(
    forge: Forge,
    *,
    credentials: Credential | Sequence[Credential],
    on_push: Callable[[PushEvent], object] | None = None,
    seconds: float = 600.0,
) -> ForgeApp:
    """The ASGI application that serves `forge` to those who have one of `credentials`.

    `on_push` gets every push as a `PushEvent`, in a thread of its own, after the client got its answer; what
    it raises is logged. `seconds` limits each request.
    """
    several = (credentials,) if isinstance(credentials, Credential) else tuple(credentials)
    return ForgeApp(forge, credentials=several, on_push=on_push, seconds=seconds)
