"""How objects look on the wire: with kind and apiVersion, alone, in lists, as metadata only.

The store keeps an object's JSON without ``kind`` and ``apiVersion``, so that most answers are its bytes with a few
more in front: nothing is decoded to be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from labkit.errors import NotAcceptable
from labkit.sandbox.apiserver.negotiation import METADATA, METADATA_LIST, Form
from labkit.sandbox.apiserver.problems import NO_DETAILS

if TYPE_CHECKING:
    from labkit.errors import ApiError
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.apiserver.verbs import Page

JSON = dict[str, Any]

_ALWAYS_DETAILS: Final = (422,)
Encode = Callable[[bytes], bytes]  # from the store's bytes to an object on the wire


@dataclass(slots=True)
class Response:
    """An answer whose body is complete."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    warnings: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)


def head(api_version: str, kind: str) -> bytes:
    """The beginning of an object: its kind and apiVersion, and the comma after them."""
    return b'{"kind":"%b","apiVersion":"%b",' % (kind.encode(), api_version.encode())


def encoder(resource: Resource) -> Encode:
    """Turns stored bytes into whole objects of the resource."""
    start, convert = head(resource.api_version, resource.kind), shown(resource)
    return lambda value: start + convert(value)[1:]


def shown(resource: Resource) -> Encode:
    """Turns stored bytes into those of the resource's own version."""
    conversion = resource.conversion
    if conversion is None:
        return lambda value: value
    return lambda value: orjson.dumps(conversion.from_storage(orjson.loads(value)))


def metadata_encoder() -> Encode:
    """Turns stored bytes into PartialObjectMetadata."""
    start = head("meta.k8s.io/v1", METADATA)

    def encode(value: bytes) -> bytes:
        meta = orjson.loads(value).get("metadata", {})
        return start + orjson.dumps({"metadata": meta})[1:]

    return encode


def respond(obj: JSON | bytes, form: Form, status: int = 200, warnings: list[str] | None = None) -> Response:
    """A complete object, or its JSON, in the form asked for."""
    body = obj if isinstance(obj, bytes) else orjson.dumps(obj)
    if form.yaml:
        from labkit.k8s.yaml import dump

        body = dump(orjson.loads(body)).encode()
    return Response(body, status, form.content_type, warnings or [])


def whole(resource: Resource, obj: JSON) -> JSON:
    """A stored object in the resource's version, with its kind and apiVersion."""
    if resource.conversion is not None:
        obj = resource.conversion.from_storage(obj)
    return {"kind": resource.kind, "apiVersion": resource.api_version, **obj}


def list_body(resource: Resource, page: Page, form: Form) -> bytes:
    """A list of whole objects, or of their metadata."""
    api_version, kind = resource.api_version, resource.list_kind
    items: list[bytes]
    if form.transform in (METADATA, METADATA_LIST):
        api_version, kind, encode = "meta.k8s.io/v1", METADATA_LIST, metadata_encoder()
        items = [encode(entry.value) for _, entry in page.entries]
    elif resource.custom is not None:
        encode = encoder(resource)
        items = [encode(entry.value) for _, entry in page.entries]
    else:
        convert = shown(resource)
        items = [convert(entry.value) for _, entry in page.entries]
    meta = orjson.dumps(list_meta(page))
    return head(api_version, kind) + b'"metadata":' + meta + b',"items":[' + b",".join(items) + b"]}"


def list_meta(page: Page) -> JSON:
    """A list's metadata."""
    meta: JSON = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        meta["continue"] = page.continue_token
    if page.remaining:
        meta["remainingItemCount"] = page.remaining
    return meta


def not_acceptable(resource: Resource, wanted: str, *, is_list: bool) -> NotAcceptable:
    """Metadata is asked for as a list's where one object is, or the other way round."""
    kind = resource.list_kind if is_list else resource.kind
    if resource.custom is not None:
        made = "unstructured.UnstructuredList" if is_list else "unstructured.Unstructured"
    else:
        made = f"{resource.group.split('.', 1)[0] or 'core'}.{kind}"
    shape = "a list" if is_list else "not a list"
    return NotAcceptable(f"you requested {wanted}, but the requested object is {shape} (*{made})")


def error_response(error: ApiError, form: Form) -> Response:
    """The ``Status`` for an error."""
    body = error.status()
    if not error.message:
        body.pop("message", None)
    if error.details is NO_DETAILS or error.code in _ALWAYS_DETAILS:
        body.setdefault("details", {})
    response = respond(body, form, error.code)
    retry = error.details.get("retryAfterSeconds")
    if retry:
        response.headers.append(("Retry-After", str(retry)))
    return response
