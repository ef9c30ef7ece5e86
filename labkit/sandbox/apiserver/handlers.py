"""Requests for resources: read the options and the body, do the verb, put the result into the form asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from labkit.errors import ApiError
from labkit.sandbox.apiserver import bodies, negotiation, options, problems, reviews, wire
from labkit.sandbox.apiserver.negotiation import Form
from labkit.sandbox.apiserver.selection import Selection
from labkit.sandbox.apiserver.watch import Watch

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api
    from labkit.sandbox.apiserver.requests import User
    from labkit.sandbox.apiserver.routing import Route
    from labkit.sandbox.apiserver.wire import Response

JSON = dict[str, Any]
Query = Mapping[str, list[str]]


@dataclass(slots=True)
class Call:
    """One request, as the handlers see it."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, list[str]]
    body: bytes
    user: User
    form: Form
    route: Route = field(init=False)
    warnings: list[str] = field(
        default_factory=list
    )  # what to tell the client, whatever becomes of the request

    @property
    def media_type(self) -> str:
        """The body's media type without parameters."""
        return self.headers.get("content-type", [""])[0].partition(";")[0].strip().lower()

    @property
    def user_agent(self) -> str:
        """What the client calls itself."""
        return self.headers.get("user-agent", [""])[0]

    def truth(self, name: str) -> bool:
        """A query parameter's value as true or false."""
        return flag(self.query, name)

    def one(self, name: str, default: str = "") -> str:
        """A query parameter's value."""
        values = self.query.get(name)
        return values[0] if values else default


@dataclass(slots=True)
class Streaming:
    """An answer that goes on: a watch, a log that is followed."""

    parts: AsyncIterator[bytes]
    close: Callable[[], None]
    content_type: str = "application/json"
    warnings: list[str] = field(default_factory=list)


def flag(query: Query, name: str) -> bool:
    """A truth value in the query: whatever is there is true, but for ``false`` and ``0``."""
    values = query.get(name)
    return bool(values) and values is not None and values[0].lower() not in ("false", "0")


class Handlers:
    """Answers requests for resources."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._verbs: dict[str, Callable[[Call], Response | Streaming]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def answer(self, call: Call) -> Response | Streaming:
        """Do what the call's route says.  Raises `ApiError`."""
        route = call.route
        if route.subresource not in ("", "status"):
            return await self._api.subresources.answer(call)
        try:
            answer = self._verbs[route.verb](call)
        except ApiError as error:  # whoever is refused should hear it, too
            answer = wire.error_response(error, Form(yaml=call.form.yaml))
            answer.warnings.extend(call.warnings)
        if route.resource.warning:
            answer.warnings.append(route.resource.warning)
        return answer

    # ── reading ───────────────────────────────────────────────────────────────

    def _get(self, call: Call) -> Response:
        route = call.route
        options.check_resource_version(self._api.store, call.one("resourceVersion"))
        entry = self._api.verbs.entry(route.resource, route.namespace, route.name)
        return self._one(call, entry.value)

    def _one(
        self, call: Call, value: bytes, status: int = 200, warnings: list[str] | None = None
    ) -> Response:
        """One stored object in the form asked for."""
        resource, form = call.route.resource, call.form
        if form.transform == negotiation.TABLE:
            return wire.respond(
                self._api.tables.one(resource, value, options.included(call)), form, status, warnings
            )
        if form.transform == negotiation.METADATA_LIST:
            raise wire.not_acceptable(resource, form.transform, is_list=False)
        if form.transform == negotiation.METADATA:
            return wire.respond(wire.metadata_encoder()(value), form, status, warnings)
        return wire.respond(wire.encoder(resource)(value), form, status, warnings)

    def _list(self, call: Call) -> Response:
        route, form = call.route, call.form
        asked = options.read_list(call, self._api.store)
        selection = Selection(route.resource, route.namespace, asked)
        select = None if selection.everything else selection.entry
        page = self._api.verbs.list(route.resource, route.namespace, asked, select)
        if form.transform == negotiation.TABLE:
            table = self._api.tables.page(route.resource, page, options.included(call))
            return wire.respond(table, form)
        if form.transform == negotiation.METADATA:
            raise wire.not_acceptable(route.resource, form.transform, is_list=True)
        return wire.respond(wire.list_body(route.resource, page, form), form)

    def _watch(self, call: Call) -> Streaming:
        route = call.route
        asked = options.read_watch(call)
        selection = Selection(route.resource, route.namespace, asked)
        encode = self._event_encoder(call)
        watch = Watch(self._api.store, route.resource, selection, asked, encode)
        self._api.watches.add(watch)
        if self._api.closing:
            watch.close()

        def close() -> None:
            watch.close()
            self._api.watches.discard(watch)

        return Streaming(aiter(watch), close)

    def _event_encoder(self, call: Call) -> Callable[[bytes], bytes]:
        resource, form = call.route.resource, call.form
        if form.transform == negotiation.TABLE:
            return self._api.tables.event_encoder(resource, options.included(call))
        if form.transform in (negotiation.METADATA, negotiation.METADATA_LIST):
            return wire.metadata_encoder()
        return wire.encoder(resource)

    # ── writing ───────────────────────────────────────────────────────────────

    def _create(self, call: Call) -> Response:
        route = call.route
        how = options.read_write(call, "CreateOptions")
        body = bodies.parse(call.body, call.media_type, route.resource.kind)
        obj = bodies.decode(body, route.resource, how, self._api.registry)
        if route.resource.verbs == ("create",):
            return self._ask(call, obj)
        made = self._api.verbs.create(route.resource, route.namespace, obj, how)
        return self._one(call, orjson.dumps(made), 201, how.warnings)

    def _ask(self, call: Call, obj: JSON) -> Response:
        """A kind that is never stored: a review, or a binding."""
        route = call.route
        if route.resource.group not in reviews.GROUPS:
            raise problems.method_not_allowed()
        answer = self._api.reviews.answer(route.resource.kind, obj, call.user, route.namespace)
        return wire.respond(wire.whole(route.resource, answer), call.form, 201)

    def _update(self, call: Call) -> Response:
        route, how = call.route, options.read_write(call, "UpdateOptions")
        body = bodies.parse(call.body, call.media_type, route.resource.kind)
        obj = bodies.decode(body, route.resource, how, self._api.registry)
        written, created = self._api.writes.put(
            route.resource, route.namespace, route.name, obj, how, route.subresource
        )
        return self._one(call, orjson.dumps(written), 201 if created else 200, how.warnings)

    def _patch(self, call: Call) -> Response:
        route, how = call.route, options.read_write(call, "PatchOptions")
        patch = self._api.writes.read_patch(route.resource, call.media_type, call.body)
        options.check_patch(call, how, patch.type)
        written, created = self._api.writes.patch(
            route.resource, route.namespace, route.name, patch, how, route.subresource
        )
        return self._one(call, orjson.dumps(written), 201 if created else 200, how.warnings)

    def _delete(self, call: Call) -> Response:
        route, how = call.route, options.read_delete(call)
        obj, gone = self._api.verbs.delete(route.resource, route.namespace, route.name, how, call.user)
        from labkit.sandbox.apiserver.verbs import RETURNS_DELETED, deletion_status

        if gone and route.resource.name not in RETURNS_DELETED:
            return wire.respond(deletion_status(route.resource, obj), Form(call.form.yaml))
        return self._one(call, orjson.dumps(obj))

    def _delete_collection(self, call: Call) -> Response:
        route, how = call.route, options.read_delete(call)
        asked = options.read_list(call, self._api.store)
        selection = Selection(route.resource, route.namespace, asked)
        page = self._api.verbs.list(
            route.resource, route.namespace, asked, None if selection.everything else selection.entry
        )
        for key, _ in page.entries:
            self._api.verbs.delete(route.resource, key.namespace, key.name, how, call.user)
        return wire.respond(wire.list_body(route.resource, page, Form()), Form(call.form.yaml))
