"""How a token is listed: never itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

JSON = dict[str, Any]


def token_entry(entry: JSON) -> JSON:
    """``id``, ``issued`` and ``expires`` as RFC 3339 (``never`` where it does not), and ``issued_at`` in seconds."""
    issued = entry.get("issuedAt") or entry.get("iat") or 0
    expires = entry.get("expiresAt") or entry.get("exp") or 0
    return {
        "id": entry.get("id") or "",
        "issued": _time(issued),
        "expires": _time(expires) if expires else "never",
        "issued_at": issued,
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
