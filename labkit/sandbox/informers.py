"""Views of the store for those who live in its process: in step with every write, without a watch.

Elsewhere an informer lags a little behind the server, and controllers must remember what they did until they see it
(Kubernetes calls that *expectations*). Here the store tells each write before the writer's call returns, so that a
controller that looks sees its own work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.runtime.informer import Informer

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.k8s.objects import Object
    from labkit.sandbox.client import LocalClient


class Informers:
    """One informer a kind, made when it is first asked for, and shared. What they hold is read only."""

    def __init__(self, client: LocalClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], Informer] = {}
        self._ends: list[Callable[[], None]] = []

    def of(self, api_version: str, kind: str) -> Informer:
        """The informer of a kind. Raises `NoSuchKind`."""
        found = self._known.get((api_version, kind))
        if found is None:
            found = self._known[api_version, kind] = self._start(Informer(api_version, kind))
        return found

    def stop(self) -> None:
        """Hear no more."""
        while self._ends:
            self._ends.pop()()

    def _start(self, informer: Informer) -> Informer:
        def changed(event: str, obj: Object, _old: Object | None) -> None:
            informer.observe(event, obj)

        self._ends.append(self._client.subscribe(informer.api_version, informer.kind, changed))
        informer.replace(self._client.list(informer.api_version, informer.kind).items)
        return informer
