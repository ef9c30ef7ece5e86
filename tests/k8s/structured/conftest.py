"""One object and the people who write it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from labkit.k8s import structured
from labkit.k8s.schemas import Node, Schemas

JSON = dict[str, Any]


class Story:
    """An object that several managers write, one second after another."""

    def __init__(self, api_version: str, kind: str, schema: Node, empty: JSON | None = None) -> None:
        self.api_version, self.kind, self.schema, self.empty = api_version, kind, schema, empty
        self.live: JSON | None = None
        self.seconds = 0
        self.ignored = structured.FieldSet()
        self.schema_of: Callable[[str], Node | None] | None = None

    def _options(self, manager: str, options: JSON) -> JSON:
        self.seconds += 1
        fixed = {
            "schema": self.schema,
            "manager": manager,
            "api_version": self.api_version,
            "now": f"2026-05-01T08:00:{self.seconds:02d}Z",
            "empty": self.empty,
            "ignored": self.ignored,
            "schema_of": self.schema_of,
        }
        return {**fixed, **options}

    def _keep(self, obj: JSON) -> JSON:
        self.live = copy.deepcopy(obj)
        self.live["metadata"].setdefault("uid", "1")
        return self.live

    def body(self, **fields: Any) -> JSON:
        """A configuration of the object."""
        meta = {"name": "it", **fields.pop("metadata", {})}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": meta, **fields}

    def apply(self, manager: str, body: JSON, **options: Any) -> JSON:
        """Apply the configuration; the object as it is then."""
        return self._keep(structured.apply(self.live, body, **self._options(manager, options)))

    def write(self, manager: str, obj: JSON, **options: Any) -> JSON:
        """Replace the object, or create it."""
        return self._keep(structured.update(self.live, obj, **self._options(manager, options)))

    def change(self, manager: str, change: Callable[[JSON], Any], **options: Any) -> JSON:
        """Let `change` work on a copy, and write that."""
        obj = copy.deepcopy(self.live or {})
        change(obj)
        return self.write(manager, obj, **options)

    @property
    def owners(self) -> dict[str, JSON]:
        """Each manager's fields; updaters as "name (update)", subresources as "name/status"."""
        entries = ((self.live or {})["metadata"]).get("managedFields", [])
        return {_label(entry): entry["fieldsV1"] for entry in entries}

    def time(self, label: str) -> str | None:
        """When a manager's entry was last changed."""
        entries = ((self.live or {})["metadata"]).get("managedFields", [])
        return next((entry.get("time") for entry in entries if _label(entry) == label), None)


def _label(entry: JSON) -> str:
    sub = f"/{entry['subresource']}" if entry.get("subresource") else ""
    how = " (update)" if entry["operation"] == "Update" else ""
    return f"{entry['manager']}{sub}{how}"


def builtin(api_version: str, kind: str, empty: JSON | None = None) -> Story:
    schema = Schemas.builtin().node(api_version, kind)
    assert schema is not None
    return Story(api_version, kind, schema, empty)


def custom(properties: JSON, **more: Any) -> Story:
    """An object of a custom kind whose spec has these properties."""
    spec = {"type": "object", "properties": properties, **more}
    meta = {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    text = {"type": "string"}
    root = {
        "type": "object",
        "properties": {"apiVersion": text, "kind": text, "metadata": meta, "spec": spec},
    }
    return Story("zoo.example.com/v1", "Animal", Node(root, Schemas.builtin().definitions))


@pytest.fixture
def settings() -> Story:
    """A ConfigMap."""
    return builtin("v1", "ConfigMap", {"metadata": {}})


@pytest.fixture
def service() -> Story:
    """A Service."""
    return builtin("v1", "Service", {"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}})


@pytest.fixture
def web() -> Story:
    """A Deployment."""
    pod = {"metadata": {}, "spec": {"containers": None}}
    return builtin(
        "apps/v1", "Deployment", {"metadata": {}, "spec": {"strategy": {}, "template": pod}, "status": {}}
    )
