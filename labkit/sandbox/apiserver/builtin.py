"""The kinds that every cluster has, from the packaged schemas."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from labkit.sandbox.apiserver.codec import Codec, Problems
from labkit.sandbox.apiserver.defaults import DEFAULTS

JSON = dict[str, Any]


class BuiltinModel:
    """A built-in kind's schema: decoding through the codec."""

    def __init__(self, codec: Codec, definition: str, schema: Any) -> None:
        self._codec = codec
        self._bare = codec
        self._definition = definition
        self.schema = schema

    def decode(self, obj: JSON, *, defaults: bool = True) -> tuple[JSON, Problems]:  # noqa: ARG002
        """See `resources.Model`."""
        return self._codec.decode(self._definition, obj)

    @cached_property
    def _empty(self) -> Any:
        return self._codec.decode(self._definition, {})[0].get("status")

    def empty_status(self) -> Any:
        """See `resources.Model`."""
        import copy

        return copy.deepcopy(self._empty)


__all__ = ["DEFAULTS", "BuiltinModel"]
