"""HTTP as it is spoken with somebody else's server: bounded, and careful with whom the credential goes to.

A redirect is followed without the credential when it leads to another host, and not at all when it leads from
https to http, or from elsewhere to this machine. An answer has a largest size and a longest time.
"""

from __future__ import annotations

import ssl
import time
import urllib.request
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    InsecureRequestWarning,
    NameResolutionError,
    NewConnectionError,
    SSLError,
    TimeoutError,  # noqa: A004  (urllib3's own)
)

from labkit.errors import ChartRepositoryError
from labkit.helm.repositories.access import is_loopback
from labkit.runtime.addresses import is_link_local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.helm.repositories.access import Access

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
ANSWER_SECONDS = 300.0
MOST_REDIRECTS = 5
_PIECE = 64 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True)
class Answer:
    """One answer, read whole: ``url`` is where it came from in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Web:
    """Requests with one `Access`. The caller says what to authorise with, and what a status means."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pools: dict[str, urllib3.PoolManager] = {}

    def close(self) -> None:
        """Close the idle connections."""
        for pool in self._pools.values():
            pool.clear()

    def request(
        self,
        method: str,
        url: str,
        *,
        authorization: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int,
    ) -> Answer:
        """One request, its redirects followed. `ChartRepositoryError` if there is no answer, or too long a one."""
        first = urlsplit(url)
        for _ in range(MOST_REDIRECTS + 1):
            fields = {"User-Agent": "labkit", **(headers or {})}
            if authorization:
                fields["Authorization"] = authorization
            answer = self._once(method, url, fields, body, most)
            target = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not target or method not in {"GET", "HEAD"}:
                return answer
            url = self._redirected(url, target)
            if not same_host(first, urlsplit(url)):
                authorization = ""
        raise ChartRepositoryError(
            f"the server redirects more than {MOST_REDIRECTS} times",
            where=shown(url),
            fix="check the repository's address",
        )

    def _redirected(self, url: str, target: str) -> str:
        before, after = urlsplit(url), urlsplit(urljoin(url, target))
        inward = is_loopback(after.hostname or "") and not is_loopback(before.hostname or "")
        downward = before.scheme == "https" and after.scheme != "https"
        if after.scheme not in {"http", "https"} or inward or downward:
            raise ChartRepositoryError(
                f"the server redirects to {shown(after.geturl())}, which is not followed",
                where=shown(url),
                fix="a redirect may not leave https, nor lead to this machine; check the repository's address",
            )
        return after._replace(netloc=after.netloc.rpartition("@")[2]).geturl()

    @staticmethod
    def _check(url: str) -> None:
        if is_link_local(urlsplit(url).hostname or ""):
            raise ChartRepositoryError(
                "nothing is read from link-local addresses: cloud machines keep their credentials there",
                where=shown(url),
                fix="check the repository's address",
            )

    def _once(self, method: str, url: str, fields: dict[str, str], body: bytes | None, most: int) -> Answer:
        self._check(url)
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        try:
            got = self._pool(url).urlopen(
                method, url, body=body, headers=fields, timeout=timeout,
                retries=False, redirect=False, preload_content=False,
            )  # fmt: skip
            parts: list[bytes] = []
            left = most
            for part in got.stream(_PIECE, decode_content=True):
                left -= len(part)
                if left < 0 or time.monotonic() > deadline:
                    got.close()
                    raise _too_much(url, most, left)
                parts.append(part)
            got.release_conn()
        except (HTTPError, OSError, ValueError) as error:
            raise _unreachable(error, url) from None
        names = {name.lower(): value for name, value in got.headers.items()}
        return Answer(got.status, names, b"".join(parts), url)

    def _pool(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = ""
        if not is_loopback(host) and not urllib.request.proxy_bypass(host):
            proxy = urllib.request.getproxies().get(parts.scheme, "")
        if proxy not in self._pools:
            options: dict[str, Any] = {"ssl_context": _tls(self._access), "num_pools": 4, "headers": {}}
            made = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
            self._pools[proxy] = made
        return self._pools[proxy]


def same_host(one: SplitResult, other: SplitResult) -> bool:
    """Whether two URLs speak to the same server: scheme, host and port."""
    return _server(one) == _server(other)


def shown(url: str) -> str:
    """A URL as messages say it: without a credential, and without a query, which may be one."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _server(url: SplitResult) -> tuple[str, str, int | None]:
    return url.scheme, (url.hostname or "").lower(), url.port or {"https": 443, "http": 80}.get(url.scheme)


def _tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if access.ca:
        try:
            context.load_verify_locations(cadata=access.ca)
        except ssl.SSLError:
            raise ChartRepositoryError(
                "the certificate that is to be trusted is not PEM text",
                where="CA",
                fix="it begins with -----BEGIN CERTIFICATE-----",
            ) from None
    if access.insecure_skip_tls_verify:  # asked for by name; it need not be said again at each request
        warnings.simplefilter("ignore", InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _too_much(url: str, most: int, left: int) -> ChartRepositoryError:
    problem = f"is larger than {most // 2**20} MB" if left < 0 else f"took more than {ANSWER_SECONDS:.0f} s"
    return ChartRepositoryError(
        f"the answer {problem}", where=shown(url), fix="check the repository's address"
    )


def _unreachable(error: Exception, url: str) -> ChartRepositoryError:
    """What went wrong on the way, in our words: the library's own may quote what was sent."""
    if isinstance(error, SSLError):
        found = [str(a.verify_message) for a in error.args if isinstance(a, ssl.SSLCertVerificationError)]
        problem = f"no trusted TLS connection{f' ({found[0]})' if found else ''}"
        fix = "check the address; a registry without TLS is asked with plain http"
    elif isinstance(error, NameResolutionError):
        problem, fix = "no host of that name is known", "check the address, and the network (a VPN?)"
    elif isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
        problem, fix = "the repository does not answer in time", "check the network, and try again"
    else:
        problem, fix = "the repository cannot be reached", "check the address, and that the server runs"
    return ChartRepositoryError(problem, where=shown(url), fix=fix)
