"""Health: ``/healthz``, ``/livez`` and ``/readyz``, each check of theirs, and what a person reads with ``?verbose``.

Source of the form: k8s.io/apiserver's pkg/server/healthz.  The checks are what this server consists of; the store goes
by the name that probes of a real cluster know it by, ``etcd``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labkit.sandbox.apiserver.routing import PlainNotFound
from labkit.sandbox.apiserver.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.sandbox.apiserver.api import Api

ROOTS: Final = ("/healthz", "/livez", "/readyz")
_TEXT: Final = "text/plain; charset=utf-8"


class Health:
    """Answers them."""

    def __init__(self, api: Api) -> None:
        checks: dict[str, Callable[[], bool]] = {
            "ping": lambda: True,
            "etcd": api.store.readable,
        }
        self._checks = dict.fromkeys(ROOTS, checks)
        self._checks["/readyz"] = checks | {"shutdown": lambda: not api.closing}

    def answers(self, path: str) -> bool:
        """Whether the path is one of them."""
        return path in ROOTS or path.startswith(tuple(f"{root}/" for root in ROOTS))

    def answer(self, path: str, query: Mapping[str, list[str]]) -> Response:
        """The state of one check, or of all.  Raises `PlainNotFound` for a check that there is not."""
        if path in ROOTS:
            return self._all(path, query)
        _, root, name = path.split("/", 2)
        check = self._checks[f"/{root}"].get(name)
        if check is None:
            raise PlainNotFound
        if check():
            return Response(b"ok", content_type=_TEXT)
        return Response(b"internal server error: reason withheld\n", 500, _TEXT)

    def _all(self, root: str, query: Mapping[str, list[str]]) -> Response:
        excluded = list(dict.fromkeys(query.get("exclude", [])))
        lines, healthy = [], True
        for name, check in self._checks[root].items():
            if name in excluded:
                excluded.remove(name)
                lines.append(f"[+]{name} excluded: ok")
            elif check():
                lines.append(f"[+]{name} ok")
            else:
                healthy = False
                lines.append(f"[-]{name} failed: reason withheld")
        if excluded:
            quoted = ", ".join(f'"{name}"' for name in excluded)
            lines.append(f"warn: some health checks cannot be excluded: no matches for {quoted}")
        lines.append(f"{root[1:]} check {'passed' if healthy else 'failed'}\n")
        if healthy and "verbose" not in query:
            return Response(b"ok", content_type=_TEXT)
        return Response("\n".join(lines).encode(), 200 if healthy else 500, _TEXT)
