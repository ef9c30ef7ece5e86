"""Applications as they change, for those who wait: lines of JSON, as Argo CD's API streams them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from labkit.errors import LabError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from labkit.dashboard.news import News
    from labkit.gitops.rbac import Caller
    from labkit.gitops.server import Server

JSON = dict[str, Any]


async def changes(server: Server, news: News, caller: Caller, name: str) -> AsyncIterator[bytes]:
    """``{"result": {"type": "MODIFIED", "application": {…}}}`` for each change the caller may see; first how it is.

    An application comes only once in a while however often it changes: it is told as it is then. Who asked is looked
    at anew each time: a token that was taken away ends the stream. An empty line says that nothing happened.
    """
    shown: set[str] = set()
    async for told in news.names():
        try:
            names = await run_in_threadpool(_now, server, caller, name) if told is None else told
            found = await run_in_threadpool(_seen, server, caller, [n for n in names if name in ("", n)])
        except LabError:
            return
        for each, application in found.items():
            if application is not None:
                kind = "MODIFIED" if each in shown else "ADDED"
                shown.add(each)
                yield _line(kind, application)
            elif each in shown:
                shown.discard(each)
                yield _line("DELETED", {"metadata": {"name": each}})
        if not found:
            yield b"\n"


def _now(server: Server, caller: Caller, name: str) -> list[str]:
    return [name] if name else server.applications.names(caller)


def _seen(server: Server, caller: Caller, names: list[str]) -> dict[str, JSON | None]:
    if not caller.owner and caller.name:
        server.callers.again(caller.shown)
    return {each: server.applications.seen(caller, each) for each in names}


def _line(kind: str, application: JSON) -> bytes:
    return json.dumps({"result": {"type": kind, "application": application}}).encode() + b"\n"
