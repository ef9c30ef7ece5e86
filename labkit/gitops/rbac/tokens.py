"""Tokens as Argo CD's server issues them: JSON Web Tokens (RFC 7519), signed with a key that only it has (HS256).

A token says who somebody is (``sub``), and nothing of what they may do: that is looked up when it is used. A
project's role has its tokens listed in the project (``status.jwtTokensByRole``), by id and time; one that is listed
no longer is worth nothing, so to take it away is to take it off the list.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from typing import TYPE_CHECKING, Any

from labkit.errors import Unauthorized
from labkit.gitops.rbac.claims import Claims

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

JSON = dict[str, Any]

ISSUER = "argocd"
LONGEST = 16_384
_HEADER: JSON = {"alg": "HS256", "typ": "JWT"}


def issue(claims: Mapping[str, Any], key: bytes) -> str:
    """A signed token with these claims."""
    signed = f"{_encoded(_HEADER)}.{_encoded(claims)}"
    return f"{signed}.{_text(_signature(signed, key))}"


def verify(token: str, key: bytes, now: datetime) -> Claims:
    """The claims of a token that was signed with the key, and whose time it is; else `Unauthorized`.

    Only HS256 is believed, whatever the token itself says: else ``none`` would be a signature.
    """
    try:
        head, body, signature = token[:LONGEST].split(".")
        genuine = hmac.compare_digest(_bytes(signature), _signature(f"{head}.{body}", key))
        header, claims = json.loads(_bytes(head)), json.loads(_bytes(body))
    except (ValueError, RecursionError):
        raise refused("it is no JSON Web Token") from None
    if not genuine or not isinstance(header, dict) or header.get("alg") != _HEADER["alg"]:
        raise refused("its signature is not this lab's")
    if not isinstance(claims, dict) or claims.get("iss") != ISSUER:
        raise refused("it was not issued by this lab")
    found = Claims(claims)
    check_times(found, now)
    return found


def check_times(claims: Claims, now: datetime) -> None:
    """`Unauthorized` where it is not the claims' time."""
    moment = now.timestamp()
    if _number(claims.raw, "exp", math.inf) <= moment:
        raise refused("its time is over")
    if _number(claims.raw, "nbf", -math.inf) > moment:
        raise refused("its time has not come")


def new_claims(subject: str, *, identity: str, now: datetime, seconds: int = 0) -> JSON:
    """The claims of a new token; ``seconds`` is how long it is good, 0 for ever."""
    issued = int(now.timestamp())
    claims: JSON = {"iss": ISSUER, "sub": subject, "iat": issued, "nbf": issued, "jti": identity}
    return claims | ({"exp": issued + seconds} if seconds else {})


def role_token(project: str, role: str, *, identity: str, now: datetime, seconds: int = 0) -> JSON:
    """The claims of a new token for a project's role; ``seconds`` is how long it is good, 0 for ever."""
    return new_claims(f"proj:{project}:{role}", identity=identity, now=now, seconds=seconds)


def listed(claims: JSON) -> JSON:
    """How a token stands in the project's list: with its id and times, and without itself."""
    entry: JSON = {"id": claims["jti"], "iat": claims["iat"]}
    return entry | ({"exp": claims["exp"]} if "exp" in claims else {})


def is_listed(claims: Claims, project: JSON) -> bool:
    """Whether a role's token still stands in its project: by its id, or by its time where it has no id."""
    role = claims.subject.rpartition(":")[2]
    status = (project.get("status") or {}).get("jwtTokensByRole") or {}
    entries = list((status.get(role) or {}).get("items") or [])
    roles = [r for r in (project.get("spec") or {}).get("roles") or [] if r.get("name") == role]
    for entry in roles:
        entries += entry.get("jwtTokens") or []
    identity, issued = claims.raw.get("jti"), claims.raw.get("iat")
    if not roles:
        return False
    if identity:
        return any(entry.get("id") == identity for entry in entries)
    return any(entry.get("iat") == issued for entry in entries)


def refused(reason: str) -> Unauthorized:
    """The error for a token that is not believed. What is in the token is not repeated."""
    return Unauthorized(
        f"the token is not accepted: {reason}",
        fix="A new one: labkit account generate-token, or labkit proj role create-token PROJECT ROLE",
    )


def _number(claims: Mapping[str, Any], name: str, absent: float) -> float:
    value = claims.get(name)
    if value is None:
        return absent
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refused(f"its {name} is no time")
    return float(value)


def _signature(text: str, key: bytes) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encoded(data: Mapping[str, Any]) -> str:
    return _text(json.dumps(data, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
