"""Requests and answers of simulated containers, and the network between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Request:
    """An HTTP request to a container. ``path`` is without the query; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    port: int = 0
    times: int = 1
    """How many requests this one stands for: load is not sent one by one."""

    @property
    def is_probe(self) -> bool:
        """Whether a kubelet asks."""
        return self.headers.get("user-agent", "").startswith("kube-probe/")


@dataclass(frozen=True)
class Answer:
    """What a container answers; ``after`` seconds of thought."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    after: float = 0.0

    @classmethod
    def text(cls, text: str, status: int = 200, *, after: float = 0.0) -> Answer:
        """Plain text."""
        return cls(status, text.encode(), after=after)

    @classmethod
    def html(cls, text: str, status: int = 200) -> Answer:
        """A page."""
        return cls(status, text.encode(), "text/html; charset=utf-8")

    @classmethod
    def json(cls, content: object, status: int = 200) -> Answer:
        """JSON, for people to read."""
        body = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return cls(status, body, "application/json")


class NoSuchHost(OSError):
    """The cluster's DNS does not know the name."""


class Network(Protocol):
    """Whom a container can reach: the cluster's Services and pods, and nobody outside."""

    def fetch(self, host: str, request: Request) -> Answer:
        """Ask ``host`` (``web``, ``web.shop``, ``web.shop.svc.cluster.local``, or an IP) at ``request.port``.

        Raises `NoSuchHost`, or `ConnectionRefusedError` where nothing listens.
        """
        ...


class NoNetwork:
    """A network with nobody in it."""

    def fetch(self, host: str, request: Request) -> Answer:
        """Nobody has that name."""
        raise NoSuchHost(f"{host}:{request.port}")


def fetch(network: Network, url: str, *, agent: str = "", times: int = 1) -> Answer:
    """GET a URL, or what is short for one (``web``, ``web:8080/version``).  Raises what `Network.fetch` does."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise NoSuchHost(f"bad port in {url}") from error
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    headers = {"host": parts.netloc} | ({"user-agent": agent} if agent else {})
    asked = Request("GET", parts.path or "/", query, headers, port=port, times=times)
    return network.fetch(parts.hostname or "", asked)
