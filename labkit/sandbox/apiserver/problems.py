"""The errors that concern one object, worded as the API server words them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.errors import AlreadyExists, ApiError, Conflict, Forbidden, MethodNotAllowed, NotFound

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]

NO_DETAILS: Final[JSON] = {}


def _details(resource: Resource, name: str) -> JSON:
    details = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource: Resource, name: str) -> NotFound:
    """There is no such object."""
    return NotFound(f'{resource.name} "{name}" not found', details=_details(resource, name))


def already_exists(resource: Resource, name: str) -> AlreadyExists:
    """There is such an object already."""
    return AlreadyExists(f'{resource.name} "{name}" already exists', details=_details(resource, name))


def conflict(resource: Resource, name: str, detail: str) -> Conflict:
    """The object is not what the writer thinks."""
    text = f'Operation cannot be fulfilled on {resource.name} "{name}": {detail}'
    return Conflict(text, details=_details(resource, name))


def modified(resource: Resource, name: str) -> Conflict:
    """Somebody else wrote since the writer has read."""
    text = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, text)


def denied(resource: Resource, name: str, detail: str) -> Forbidden:
    """A rule of admission or of access forbids it."""
    subject = f'{resource.name} "{name}"' if name else resource.name
    return Forbidden(f"{subject} is forbidden: {detail}", details=_details(resource, name))


def pod_denied(name: str, detail: str) -> Forbidden:
    """A rule of admission forbids a pod."""
    details = {"name": name, "kind": "pods"} if name else {"kind": "pods"}
    return Forbidden(f'pods "{name}" is forbidden: {detail}', details=details)


def generic(error: ApiError) -> ApiError:
    """Mark an error as one about the request as such: its details are shown although they are empty."""
    error.details = NO_DETAILS
    return error


def unknown_resource() -> ApiError:
    """The path names no resource that the server has."""
    return generic(NotFound("the server could not find the requested resource"))


def method_not_allowed() -> ApiError:
    """The resource has no such verb."""
    return generic(MethodNotAllowed("the server does not allow this method on the requested resource"))


def status_error(code: int, reason: str, message: str, details: JSON | None = None) -> ApiError:
    """An answer that has no class of its own in `labkit.errors`."""
    error = ApiError(message, details=details)
    error.code, error.reason = code, reason
    return error
