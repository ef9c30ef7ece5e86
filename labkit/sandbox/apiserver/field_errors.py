"""What is wrong with which field, in the API's words.

Validation collects `FieldError`s; `invalid` makes one 422 of them, whose ``details.causes`` name each field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JSON = dict[str, Any]

# What a value is shown as in a message.  Objects are shown as JSON; the real server shows Go syntax.


def shown(value: Any) -> str:
    """`value` as the API quotes it in a message."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class FieldError:
    """One cause: the field's path, the API's machine-readable reason, the message without the path."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def cause(self) -> JSON:
        """The ``StatusCause``."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def bad(field: str, value: Any, detail: str) -> FieldError:
    """The value breaks a rule."""
    return FieldError(field, "FieldValueInvalid", f"Invalid value: {shown(value)}: {detail}")


def plainly(field: str, detail: str) -> FieldError:
    """The object there breaks a rule; it is not shown."""
    return FieldError(field, "FieldValueInvalid", f"Invalid value: {detail}")


def required(field: str, detail: str = "") -> FieldError:
    """There should be a value."""
    return FieldError(
        field, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value"
    )


def unsupported(field: str, value: Any, choices: Iterable[str]) -> FieldError:
    """The value is not one of the choices."""
    text = ", ".join(shown(choice) for choice in choices)
    return FieldError(
        field, "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {text}"
    )


def forbidden(field: str, detail: str) -> FieldError:
    """There may be no value, or no change, here."""
    return FieldError(field, "FieldValueForbidden", f"Forbidden: {detail}")


def duplicate(field: str, value: Any) -> FieldError:
    """The value is there twice where it must be unique."""
    return FieldError(field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def not_found(field: str, value: Any) -> FieldError:
    """The value names something that is not there."""
    return FieldError(field, "FieldValueNotFound", f"Not found: {shown(value)}")


def too_long(field: str, limit: int) -> FieldError:
    """The value has more bytes than it may."""
    return FieldError(field, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> FieldError:
    """The list has more elements than it may."""
    return FieldError(field, "FieldValueTooMany", f"Too many: {count}: must have at most {limit} items")


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> Invalid:
    """The 422 for an object of that kind and name (either may be empty)."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    summary = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    subject = f"{kind}.{group}" if group else kind
    details: JSON = {"name": name, "group": group, "kind": kind}
    details = {key: value for key, value in details.items() if value}
    details["causes"] = [error.cause() for error in errors]
    return Invalid(f"{subject} {json.dumps(name)} is invalid: {summary}", details=details)
