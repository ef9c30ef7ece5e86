"""HTTP to one API server: kept-alive connections, TLS, and errors that say what to do.

Everything above speaks of objects; this file alone knows urllib3. It is safe to use from several threads.
"""

from __future__ import annotations

import contextlib
import socket
import time
import urllib.request
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

import orjson
import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning, ProtocolError

from labkit.cluster.unreachable import explain
from labkit.errors import ApiError, ClusterUnreachable, Gone, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from labkit.cluster.access import Access

JSON_TYPE = "application/json"
APPLY_TYPE = "application/apply-patch+yaml"
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0  # a delete or a list of thousands on a slow cluster
_CONNECTIONS = 8
_TRIES, _PATIENCE = 10, 60.0
"""How often, and for how many seconds together, a busy server's "come again later" is followed; client-go: 10 times."""

_USER_AGENT = ("User-Agent", "labkit")  # the API server takes the field manager's name from it
_MESSAGE_CHARACTERS = 500

# A laptop that slept, a VPN that dropped: a silent watch finds out within minutes instead of never.
_SOCKET = [
    *urllib3.connection.HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]
if hasattr(socket, "TCP_KEEPIDLE"):
    _SOCKET += [
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    ]

Query: TypeAlias = "Mapping[str, str | int | bool | None]"
Headers: TypeAlias = "Callable[[], Sequence[tuple[str, str]]]"


class Transport:
    """Requests to the server of one `Access`.

    ``headers`` says who we are, asked before each request (a plugin's credential expires); by default the
    access's own. ``own`` and ``name`` only choose the words of an error.
    """

    def __init__(
        self,
        access: Access,
        *,
        own: bool = False,
        headers: Headers | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.access = access
        self.own = own
        self._headers = headers or access.headers
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._pools = self._manager(access)

    def close(self) -> None:
        """Close the idle connections; the next request opens new ones."""
        self._pools.clear()

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON_TYPE,
    ) -> Any:
        """What the server answers, decoded. Raises `ApiError` and `ClusterUnreachable`."""
        answer = self.send(method, path, query=query, body=body, content_type=content_type)
        return self.decode(answer.data)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON_TYPE,
        accept: str = JSON_TYPE,
        extra: Sequence[tuple[str, str]] = (),
        raises: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        """One request, its answer read whole. With ``raises`` an answer of 400 or more is an `ApiError`."""
        headers = [("Accept", accept), *extra]
        data = body
        if body is not None:
            headers.append(("Content-Type", content_type))
            data = body if isinstance(body, bytes) else orjson.dumps(body)
        answer = self._request(method, path, query, headers, data, self._timeout, stream=False)
        if raises and answer.status >= 400:
            raise self.error(answer.status, answer.data)
        return answer

    def stream(
        self,
        path: str,
        *,
        query: Query | None = None,
        accept: str = JSON_TYPE,
        read_seconds: float | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """A GET whose answer is read piece by piece; ``read_seconds`` is the longest silence in it."""
        limits = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        answer = self._request("GET", path, query, [("Accept", accept)], None, limits, stream=True)
        if answer.status >= 400:
            with contextlib.closing(answer), self.explained():
                body = answer.read(1 << 20)
            raise self.error(answer.status, body)
        return answer

    def decode(self, data: bytes) -> Any:
        """JSON that the server sent."""
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise ClusterUnreachable(
                "the answer is not JSON: this is not a Kubernetes API server, or a proxy answers in its place",
                where=self._where,
                fix=f"Check the server's address in {self.access.source}.",
            ) from error

    def error(self, code: int, body: bytes) -> ApiError:
        """The error that an answer stands for: its Status, or its first words where it has none."""
        try:
            status = orjson.loads(body)
        except orjson.JSONDecodeError:
            status = None
        if not isinstance(status, dict) or status.get("kind") != "Status":
            text = body.decode("utf-8", "replace").strip().partition("\n")[0][:_MESSAGE_CHARACTERS]
            status = {"message": text or f"HTTP {code}"}
        error = self.status_error({"code": code} | status)
        if isinstance(error, Unauthorized) and not error.fix:
            error.fix = (
                "Write the lab's kubeconfig anew: labkit kubeconfig"
                if self.own
                else f"Log in to the cluster again; the credential in {self.access.source} is not accepted."
            )
        return error

    def status_error(self, status: dict[str, Any]) -> ApiError:
        """The error that a Status stands for."""
        if status.get("code") == Gone.code:
            status = status | {"reason": Gone.reason}  # servers say Expired, and Gone
        return ApiError.from_status(status, where=self._where)

    @contextlib.contextmanager
    def explained(self) -> Any:
        """Turn what goes wrong on the way to the server into `ClusterUnreachable`."""
        try:
            yield
        except (HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    @property
    def _where(self) -> str:
        return f"cluster {self.access.name}"

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: Sequence[tuple[str, str]],
        data: bytes | None,
        timeout: urllib3.Timeout,
        *,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        """The answer; of a server that says when to come again (429, 503), the one that it gives then."""
        patience = _PATIENCE
        for number in range(_TRIES + 1):
            answer = self._once(method, path, query, headers, data, timeout, stream=stream)
            pause = _come_again(answer)
            if pause is None or pause > patience or number == _TRIES:
                break
            answer.close()
            patience -= pause
            time.sleep(pause)
        return answer

    def _once(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: Sequence[tuple[str, str]],
        data: bytes | None,
        timeout: urllib3.Timeout,
        *,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        url = self.access.server + path + _query(query)
        repeatable = method == "GET" or ("Content-Type", APPLY_TYPE) in headers
        for last in (not repeatable, True):
            fields = urllib3.HTTPHeaderDict([_USER_AGENT, *headers, *self._headers()])
            try:
                return self._pools.urlopen(
                    method, url, body=data, headers=fields, timeout=timeout,
                    retries=False, redirect=False, preload_content=not stream,
                )  # fmt: skip
            except ProtocolError as error:
                # The server closed a kept-alive connection just as we used it. A read may be repeated, and an
                # apply, which done twice is done once.
                if last:
                    raise self._unreachable(error) from error
            except (HTTPError, OSError) as error:
                raise self._unreachable(error) from error
        raise AssertionError

    def _manager(self, access: Access) -> urllib3.PoolManager:
        options: dict[str, Any] = {
            "num_pools": 2,
            "maxsize": _CONNECTIONS,
            "headers": {},
            "socket_options": _SOCKET,
            "ssl_context": access.tls(),
        }
        if access.tls_server_name:
            options["server_hostname"] = options["assert_hostname"] = access.tls_server_name
        if access.insecure:  # this kubeconfig's own words; they need not be repeated at each request
            warnings.simplefilter("ignore", InsecureRequestWarning)
        proxy = "" if access.loopback else access.proxy or _machine_proxy(access)
        if not proxy:
            return urllib3.PoolManager(**options)
        try:
            return urllib3.ProxyManager(proxy, **options)
        except (HTTPError, ValueError) as error:
            raise ClusterUnreachable(
                "the proxy for this cluster must be an http:// or https:// address",
                where=f"{access.source}: proxy-url",
                fix="Correct the address; other kinds of proxy are not supported.",
            ) from error

    def _unreachable(self, error: Exception) -> ClusterUnreachable:
        problem, fix = explain(error, self.access, own=self.own)
        return ClusterUnreachable(f"{problem}: {self.access.server}", where=self._where, fix=fix)


def _machine_proxy(access: Access) -> str:
    """The proxy that this machine's settings name for the server, as kubectl would use."""
    scheme = access.server.partition(":")[0]
    if urllib.request.proxy_bypass(access.host):
        return ""
    return urllib.request.getproxies().get(scheme, "")


def _come_again(answer: urllib3.BaseHTTPResponse) -> float | None:
    """In how many seconds the server wants to be asked again, as client-go reads it: 429 or 5xx with Retry-After."""
    said = answer.headers.get("Retry-After", "")
    if (answer.status != 429 and answer.status < 500) or not said.isdigit():
        return None
    return float(said)


def _query(query: Query | None) -> str:
    pairs = [(key, _word(value)) for key, value in (query or {}).items() if not _absent(value)]
    return f"?{urlencode(pairs)}" if pairs else ""


def _absent(value: object) -> bool:
    return value is None or value is False or value == ""  # 0 is a value: no lines, at once


def _word(value: object) -> str:
    return "true" if value is True else str(value)
