"""Who a request comes from: HTTP's basic authentication, against the few credentials that a lab has."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Scope

    from labkit.git import Credential

CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitOps Lab", charset="UTF-8"'}


def user_of(scope: Scope, credentials: Sequence[Credential]) -> str | None:
    """The user whose credential the request has; None if it has none, or a wrong one."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    kind, _, encoded = given.partition(b" ")
    if kind.lower() != b"basic":
        return None
    try:
        pair = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    found = None
    for known in credentials:  # all of them, in constant time each
        if hmac.compare_digest(pair, f"{known.username}:{known.password}".encode()):
            found = known.username
    return found
