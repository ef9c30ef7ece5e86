"""Who may look: whoever has the lab's token or an account's, or a link that carries a key which works once.

Who it is stays with the session, and is asked about again with each request: a token that was taken away opens no
page any more. What they may see and do, the policy says.

A browser then holds a session: when it ends, and a signature keyed with the lab's token, so that it survives a
restart of the service and ends with the token. Browsers send cookies to every port of a host; the cookie's name has
the port in it, so that two labs do not take each other's, and it holds nothing that opens anything but this page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from typing import TYPE_CHECKING

from labkit.errors import Unauthorized
from labkit.gitops.rbac import Claims

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from labkit.gitops.rbac import Caller, Callers

SESSION_SECONDS = 12 * 3600
LINK_SECONDS = 600
LINKS = 100
PROXY_HEADER = "x-labkit-proxy"
PROXIED = "proxied"
"""The session of everybody who comes through JupyterLab's proxy, which asks for a token of its own."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer: nothing but our own files, in no frame of another site (JupyterLab has one), not kept."""


class Access:
    """Links, sessions, and the token against forged requests. ``seconds`` is the time, as `time.time` tells it."""

    def __init__(self, token: str, port: int, seconds: Callable[[], float], callers: Callers) -> None:
        self._token, self._seconds, self._callers = token.encode(), seconds, callers
        self._cookie = f"labkit-{port}"
        self._links: dict[str, tuple[float, Caller]] = {}
        self._lock = threading.Lock()

    def link_key(self, caller: Caller) -> str:
        """A key that opens the page once, within ten minutes, for whom it was made for."""
        key, now = secrets.token_urlsafe(32), self._seconds()
        with self._lock:
            kept = [(k, link) for k, link in self._links.items() if link[0] > now][-LINKS + 1 :]
            self._links = dict([*kept, (_digest(key), (now + LINK_SECONDS, caller))])
        return key

    def enter(self, key: str) -> Caller | None:
        """For whom the key is good; it is not good again."""
        with self._lock:
            end, caller = self._links.pop(_digest(key), (0.0, None))
        return caller if self._seconds() < end else None

    def known(self, token: str) -> Caller | None:
        """Whose token it is: the lab's, an account's, a role's; nobody's."""
        try:
            return self._callers.of(token) if token.strip() else None
        except Unauthorized:
            return None

    def caller(self, session: str) -> Caller | None:
        """Whose session it is; None if it is none, or their token is no longer good."""
        who = session.rpartition("~")[2] if "~" in session else ""
        if not session or not who:
            return self._callers.owner() if session else None
        try:
            return self._callers.again(Claims(json.loads(_plain(who))))
        except (Unauthorized, ValueError):
            return None

    def open(self, response: Response, caller: Caller) -> Response:
        """Give the browser a session.

        No path is named: the browser takes the folder that it asked for, which a proxy may have put elsewhere.
        """
        session = f"{int(self._seconds()) + SESSION_SECONDS}.{secrets.token_urlsafe(16)}"
        if not caller.owner:
            claims = json.dumps(dict(caller.shown.raw)).encode()
            session += f"~{base64.urlsafe_b64encode(claims).decode().rstrip('=')}"  # no cookie has a bare =
        value = f"{session}.{self._sign('session', session)}"
        response.set_cookie(
            self._cookie, value, max_age=SESSION_SECONDS, path=None, httponly=True, samesite="strict"
        )
        return response

    def close(self, response: Response) -> Response:
        """Take the session from the browser."""
        response.set_cookie(self._cookie, "", max_age=0, path=None, httponly=True, samesite="strict")
        return response

    def session(self, request: Request) -> str:
        """The request's session; empty if it has none that is good."""
        given = request.headers.get(PROXY_HEADER, "")
        if given and hmac.compare_digest(given.encode(), proxy_key(self._token.decode()).encode()):
            return PROXIED
        session, _, signature = request.cookies.get(self._cookie, "").rpartition(".")
        end = session.partition(".")[0]
        good = hmac.compare_digest(signature.encode(), self._sign("session", session).encode())
        fresh = good and end.isdigit() and self._seconds() < int(end)
        return session if fresh and self.caller(session) is not None else ""

    def form_token(self, session: str) -> str:
        """What a page of this session sends with whatever it wants done."""
        return self._sign("form", session)

    def meant(self, request: Request, session: str) -> bool:
        """Whether a request that changes something comes from our own page."""
        given = request.headers.get("x-csrf-token", "")
        return same_site(request) and hmac.compare_digest(given.encode(), self.form_token(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        return _signature(self._token, purpose, text)


def same_site(request: Request) -> bool:
    """Whether the browser says that our own page asks; one that says nothing is no browser of today."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def proxy_key(token: str) -> str:
    """What a proxy sends in `PROXY_HEADER` for those whom it has let in itself. It opens this page and nothing else."""
    return _signature(token.encode(), "proxy", "")


def _signature(token: bytes, purpose: str, text: str) -> str:
    return hmac.new(token, f"dashboard {purpose} {text}".encode(), hashlib.sha256).hexdigest()


def _plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
