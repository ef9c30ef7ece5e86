"""All parts of the API server, put together over one store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labkit.errors import NoSuchKind, NotFound
from labkit.sandbox.apiserver import metrics
from labkit.sandbox.apiserver.admission import Admission
from labkit.sandbox.apiserver.authentication import Authenticator
from labkit.sandbox.apiserver.authorization import Authorizer
from labkit.sandbox.apiserver.builtin import builtin_codec, builtin_resources
from labkit.sandbox.apiserver.definitions import Definitions
from labkit.sandbox.apiserver.escalation import Escalation
from labkit.sandbox.apiserver.handlers import Handlers
from labkit.sandbox.apiserver.managed import Managed
from labkit.sandbox.apiserver.plain import Plain
from labkit.sandbox.apiserver.requests import SYSTEM, DeleteOptions
from labkit.sandbox.apiserver.resources import Registry, Resource
from labkit.sandbox.apiserver.reviews import Reviews
from labkit.sandbox.apiserver.rules import ServerRules
from labkit.sandbox.apiserver.subresources import Subresources
from labkit.sandbox.apiserver.verbs import Clock, Verbs
from labkit.sandbox.apiserver.writes import Writes
from labkit.sandbox.store import Key, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.apiserver.node import NodeApi
    from labkit.sandbox.apiserver.openapi import OpenApi
    from labkit.sandbox.apiserver.tables import Tables
    from labkit.sandbox.apiserver.watch import Watch
    from labkit.sandbox.snapshots import Snapshots

JSON = dict[str, Any]


@dataclass(frozen=True)
class Secrets:
    """What the server must know and nobody else may: its token, and the key that signs service accounts' tokens."""

    token: str
    key: bytes
    ca_certificate: str = ""


class Api:
    """The API server without its HTTP: what `app.Application` and `LocalClient` share."""

    def __init__(self, store: Store, clock: Clock, secrets: Secrets) -> None:
        self.store, self.clock = store, clock
        self.ca_certificate = secrets.ca_certificate
        self.codec = builtin_codec()
        self.registry = Registry(builtin_resources(self.codec))
        self.managed = Managed(self.registry, clock.now)
        self.authorizer = Authorizer(store)
        admission = Admission(store, Escalation(self.authorizer))
        self.verbs = Verbs(store, ServerRules(admission, self.managed), clock)
        self.writes = Writes(self.verbs, self.registry, self.managed)
        self.authenticator = Authenticator(secrets.token, secrets.key, self._account, clock.now)
        self.handlers = Handlers(self)
        self.subresources = Subresources(self)
        self.reviews = Reviews(self)
        self.plain = Plain(self)
        self.watches: set[Watch] = set()
        self.closing = False
        self.snapshots: Snapshots | None = None
        self.node: NodeApi | None = None
        for resource in metrics.resources(self):
            self.registry.add(resource)
        self.definitions = Definitions(store, self.registry, self.codec, clock.now, defer, self._delete)

    @cached_property
    def tables(self) -> Tables:
        """Tables for kubectl."""
        from labkit.sandbox.apiserver.tables import Tables

        return Tables(self.clock)

    @cached_property
    def openapi(self) -> OpenApi:
        """The OpenAPI documents."""
        from labkit.sandbox.apiserver.openapi import OpenApi

        return OpenApi(self.registry)

    def close(self) -> None:
        """End all watches, and those that clients open again at once."""
        self.closing = True
        for watch in tuple(self.watches):
            watch.close()

    def resource(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind.  Raises `NoSuchKind`."""
        found = self.registry.of_kind(api_version, kind)
        if found is None:
            raise NoSuchKind(f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    def _account(self, namespace: str, name: str) -> str | None:
        entry = self.store.get(Key("serviceaccounts", namespace, name))
        return entry.decode()["metadata"]["uid"] if entry else None

    def _delete(self, resource: Resource, namespace: str, name: str) -> None:
        try:
            self.verbs.delete(resource, namespace, name, DeleteOptions(), SYSTEM)
        except NotFound:
            return


def defer(function: Callable[[], None]) -> None:
    """Run the function soon, after what is going on; at once where no event loop runs."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        function()
    else:
        loop.call_soon(function)
