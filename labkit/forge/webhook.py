"""Sends a webhook as GitHub does: JSON, signed, tried again a few times, and never anybody's problem."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.git import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BODY_READ = 64 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a webhook went: the last HTTP `status` (0 if there was no answer), after how many `attempts`."""

    status: int
    attempts: int
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300


def signature(body: bytes, secret: str) -> str:
    """The ``X-Hub-Signature-256`` header of a body (GitHub, "Validating webhook deliveries")."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def send_webhook(
    url: str,
    payload: Mapping[str, Any],
    *,
    secret: str = "",
    event: str = "push",
    headers: Mapping[str, str] | None = None,
    attempts: int = 3,
    seconds: float = 5.0,
    sleep: Callable[[float], object] = time.sleep,
) -> Delivery:
    """POSTs `payload` to `url`; at most `attempts` times, waiting 0.2 s, 0.4 s … between, `seconds` for each.

    A receiver that is busy or away (no answer, 429, 5xx) is asked again; one that refuses (4xx) is not.
    Raises nothing: the answer says how it went.
    """
    body = json.dumps(payload, separators=(",", ":")).encode()
    sent = {
        "Content-Type": "application/json",
        "User-Agent": "GitOps-Lab",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        **(headers or {}),
    }
    if secret:
        sent["X-Hub-Signature-256"] = signature(body, secret)
    status, problem = 0, ""
    for attempt in range(1, attempts + 1):
        try:
            status, problem = _post(url, body, sent, seconds), ""
        except (OSError, http.client.HTTPException, ValueError) as error:
            status, problem = 0, redact(f"{type(error).__name__}: {error}")
        if status and status != 429 and status < 500:
            return Delivery(status, attempt)
        if attempt < attempts:
            sleep(0.2 * 2 ** (attempt - 1))
    log.warning("the webhook to %s was not taken: %s", redact(url), problem or f"HTTP {status}")
    return Delivery(status, attempts, problem)


def _post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http address")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=seconds)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        response = connection.getresponse()
        response.read(_BODY_READ)
        return response.status
    finally:
        connection.close()
