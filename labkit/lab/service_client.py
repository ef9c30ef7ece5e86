"""What a notebook or a command asks the running service: over its HTTP API, with the lab's token.

Errors come back as the classes they were raised as, so that a person reads the same words wherever the
mistake was found.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit import errors

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Send ``body`` in the place of what is there; returns the JSON answer."""
        return self._request("PUT", path, body)

    def lines(self, path: str, *, seconds: float) -> Iterator[Any]:
        """The lines of JSON that ``path`` streams, for so long; an empty line is nothing."""
        end = time.monotonic() + seconds
        connection = self._connection(max(seconds, 0.1))
        try:
            connection.request("GET", path, headers=self._headers())
            answer = connection.getresponse()
            if answer.status >= 400:
                _decoded(answer.read(), answer.status, where=f"{self.url}{path}")
            while (left := end - time.monotonic()) > 0:
                if connection.sock is not None:
                    connection.sock.settimeout(left)
                line = answer.readline()
                if not line:
                    return
                if line.strip():
                    yield json.loads(line)
        except TimeoutError:
            return
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from error
        finally:
            connection.close()

    def delete(self, path: str) -> Any:
        """Delete what ``path`` names."""
        return self._request("DELETE", path)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers, content = self._headers(), None
        if body is not None:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = self._connection(self._timeout)
        try:
            connection.request(method, path, body=content, headers=headers)
            answer = connection.getresponse()
            text, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from error
        finally:
            connection.close()
        return _decoded(text, status, where=f"{self.url}{path}")

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        host = self._address.hostname or "127.0.0.1"
        return http.client.HTTPConnection(host, self._address.port, timeout=seconds)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}

    def _silent(self, error: Exception) -> errors.ServiceNotRunning:
        return errors.ServiceNotRunning(
            f"the lab's service does not answer: {error}", where=self.url, fix="Start it: labkit up"
        )


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
