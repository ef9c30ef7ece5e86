"""What a notebook or a command asks the running service: over its HTTP API, with the lab's token.

Errors come back as the classes they were raised as, so that a person reads the same words wherever the
mistake was found.
"""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from labkit import errors


class ServiceClient:
    """The HTTP API of one running service. Safe to share between threads: each request has its connection."""

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        self.url = url
        self._address = urlsplit(url)
        self._token = token
        self._timeout = timeout

    def get(self, path: str) -> Any:
        """The JSON that ``path`` answers with."""
        return self._request("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send ``body`` as JSON; returns the JSON answer."""
        return self._request("POST", path, body or {})

    def delete(self, path: str) -> Any:
        """Delete what ``path`` names."""
        return self._request("DELETE", path)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(
            self._address.hostname or "127.0.0.1", self._address.port, timeout=self._timeout
        )
        try:
            connection.request(method, path, body=content, headers=headers)
            answer = connection.getresponse()
            text, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException) as error:
            raise errors.ServiceNotRunning(
                f"the lab's service does not answer: {error}", where=self.url, fix="Start it: labkit up"
            ) from error
        finally:
            connection.close()
        return _decoded(text, status, where=f"{self.url}{path}")


def _decoded(text: bytes, status: int, *, where: str) -> Any:
    try:
        answer = json.loads(text) if text else {}
    except ValueError:
        answer = {"message": text.decode(errors="replace")[:500]}
    if status < 400:
        return answer
    raise _error(answer if isinstance(answer, dict) else {}, status, where)


def _error(answer: dict[str, Any], status: int, where: str) -> errors.LabError:
    kind = getattr(errors, str(answer.get("kind") or ""), None)
    message = str(answer.get("message") or f"HTTP {status}")
    place, fix = str(answer.get("where") or ""), str(answer.get("fix") or "")
    if isinstance(kind, type) and issubclass(kind, errors.LabError):
        return kind(message, where=place, fix=fix)
    if status == 401:
        return errors.ServiceError(
            "the service refuses the lab's token", where=where, fix="Restart it: labkit down, then labkit up"
        )
    return errors.ServiceError(
        message, where=place or where, fix=fix or "labkit status; the log: .lab/service.log"
    )
