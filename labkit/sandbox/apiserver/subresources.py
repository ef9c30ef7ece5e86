"""Paths below an object: scale, a pod's log and binding, a service account's token, proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.sandbox.apiserver import problems
from labkit.sandbox.apiserver.handlers import Call, Streaming
from labkit.sandbox.apiserver.wire import Response

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api


class Subresources:
    """Answers requests for them."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, call: Call) -> Response | Streaming:
        """Do what the call's route says.  Raises `ApiError`."""
        raise problems.unknown_resource()
