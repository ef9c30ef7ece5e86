"""``wget`` and ``curl`` in a container: they ask the cluster's Services and pods, and nobody outside.

What they say and how they end is BusyBox's and curl's own: a test Pod that asks a Service which nobody is behind
fails here as it would on a real cluster. A name outside of the cluster is not asked; that counts as a success and is
logged, since most charts that fetch something would otherwise never start.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from labkit.sandbox.images.http import Answer, NoSuchHost, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labkit.sandbox.images.program import Setting

_OUTSIDE = re.compile(r".+\..+\..+|.+\.(com|org|net|io|dev|sh|info|eu|de|uk|app|cloud)", re.IGNORECASE)
_INSIDE = re.compile(r".+\.svc(\..*)?|[\d.]+|.*:.*")
_WITH_VALUE = {
    "wget": set("OoTtUPY"),
    "curl": set("oXHdmuAbceTwxF") | {"retry", "max-time", "connect-timeout", "request", "header", "data", "output",
             "retry-delay", "user", "user-agent", "write-out"},
}  # fmt: skip
NOT_ASKED = "(simulated: nobody outside of the cluster is asked)"
_PHRASES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
            500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    host: str
    port: int
    answer: Answer | None
    problem: str = ""  # "name" or "refused" where nobody answered


def wget(args: list[str], setting: Setting, log: Callable[[str], None]) -> int:
    """BusyBox's wget: the body on the log where ``-O -`` asks for it; 0, or 1 with its words."""
    flags, urls = _parse("wget", args)
    for url in urls:
        asked = _ask(url, setting)
        if asked is None:
            log(NOT_ASKED)
        elif asked.answer is None:
            why = f"bad address '{asked.host}'" if asked.problem == "name" else (
                f"can't connect to remote host ({asked.host}): Connection refused"
            )  # fmt: skip
            log(f"wget: {why}")
            return 1
        elif asked.answer.status >= 400:
            status = asked.answer.status
            log(f"wget: server returned error: HTTP/1.1 {status} {_PHRASES.get(status, '')}".rstrip())
            return 1
        elif flags.get("O") == "-":
            _print(asked.answer, log)
    return 0


def curl(args: list[str], setting: Setting, log: Callable[[str], None]) -> int:
    """curl: the body on the log; 0, 6 (no such host), 7 (nobody listens), 22 (``-f`` and an error status)."""
    flags, urls = _parse("curl", args)
    for url in urls:
        asked = _ask(url, setting, str(flags.get("X") or flags.get("request") or "GET"))
        if asked is None:
            log(NOT_ASKED)
        elif asked.answer is None and asked.problem == "name":
            log(f"curl: (6) Could not resolve host: {asked.host}")
            return 6
        elif asked.answer is None:
            log(f"curl: (7) Failed to connect to {asked.host} port {asked.port}: Connection refused")
            return 7
        elif asked.answer.status >= 400 and ({"f", "fail"} & flags.keys()):
            log(f"curl: (22) The requested URL returned error: {asked.answer.status}")
            return 22
        elif not ({"o", "output"} & flags.keys()):
            _print(asked.answer, log)
    return 0


def _ask(url: str, setting: Setting, method: str = "GET") -> _Asked | None:
    """What the one behind a URL answers; ``None`` for a name outside of the cluster."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    request = Request(method, parts.path or "/", query, {"host": host, "accept": "*/*"}, b"", port)
    try:
        return _Asked(host, port, setting.network.fetch(host, request))
    except NoSuchHost:
        if _OUTSIDE.fullmatch(host) and not _INSIDE.fullmatch(host):
            return None
        return _Asked(host, port, None, "name")
    except ConnectionRefusedError:
        return _Asked(host, port, None, "refused")


def _parse(name: str, args: list[str]) -> tuple[dict[str, str | bool], list[str]]:
    """Flags (``-qO-``, ``--max-time 5``) and the rest, which are URLs."""
    flags: dict[str, str | bool] = {}
    urls: list[str] = []
    rest = iter(args)
    for word in rest:
        if word.startswith("--"):
            key, equals, value = word[2:].partition("=")
            flags[key] = value if equals else (next(rest, "") if key in _WITH_VALUE[name] else True)
        elif word.startswith("-") and len(word) > 1:
            _short(name, word[1:], rest, flags)
        else:
            urls.append(word)
    return flags, urls


def _short(name: str, letters: str, rest: Iterator[str], flags: dict[str, str | bool]) -> None:
    for place, letter in enumerate(letters):
        if letter in _WITH_VALUE[name]:
            flags[letter] = letters[place + 1 :] or next(rest, "")
            return
        flags[letter] = True


def _print(answer: Answer, log: Callable[[str], None]) -> None:
    for line in answer.body.decode("utf-8", "replace").splitlines():
        log(line)
