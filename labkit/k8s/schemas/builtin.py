"""The packaged schemas."""

from __future__ import annotations

import gzip
import json
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from labkit.k8s.schemas.kinds import KINDS, Kind
from labkit.k8s.schemas.node import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = dict[str, Any]

STRUCTURE, DESCRIPTIONS = "structure.json.gz", "descriptions.json.gz"


class Schemas:
    """The definitions of Kubernetes' OpenAPI document that the kinds of `kinds` are made of."""

    @staticmethod
    @cache
    def builtin() -> Schemas:
        """The one instance; nothing is read until a definition is asked for."""
        return Schemas()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds, by group and version."""
        return KINDS

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], Kind]:
        return {(kind.api_version, kind.kind): kind for kind in KINDS}

    def kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind of that ``apiVersion`` and ``kind``, or None."""
        return self._by_kind.get((api_version, kind))

    @cached_property
    def definitions(self) -> Mapping[str, JSON]:
        """All definitions by name, without descriptions."""
        return _read(STRUCTURE)

    @cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        names: dict[tuple[str, str], str] = {}
        for name, definition in self.definitions.items():
            for gvk in definition.get("x-kubernetes-group-version-kind") or ():
                api_version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
                names.setdefault((api_version, gvk["kind"]), name)
        return names

    def definition_name(self, api_version: str, kind: str) -> str:
        """``io.k8s.api.apps.v1.Deployment``, or "" where there is none."""
        return self._names.get((api_version, kind), "")

    def node(self, api_version: str, kind: str) -> Node | None:
        """The schema of a kind, or None."""
        name = self.definition_name(api_version, kind)
        return Node({"$ref": f"#/definitions/{name}"}, self.definitions) if name else None

    def described(self) -> dict[str, JSON]:
        """A copy of all definitions with their descriptions."""
        texts, result = _read(DESCRIPTIONS), json.loads(json.dumps(self.definitions))
        for name, (own, fields) in texts.items():
            definition = result[name]
            if own:
                definition["description"] = own
            for field, text in fields.items():
                definition["properties"][field]["description"] = text
        described: dict[str, JSON] = result
        return described


def _read(name: str) -> dict[str, Any]:
    data = resources.files(__package__).joinpath(name).read_bytes()
    content: dict[str, Any] = json.loads(gzip.decompress(data))
    return content
