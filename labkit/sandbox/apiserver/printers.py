"""Each kind's columns in ``kubectl get``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column: its name and how a cell is made of an object at a time."""

    name: str
    cell: Callable[[JSON, datetime], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""

    def definition(self) -> JSON:
        """The ``TableColumnDefinition``."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def columns_of(resource: Resource) -> list[Column]:  # noqa: ARG001
    """The kind's columns."""
    name = Column("Name", lambda obj, _: obj["metadata"]["name"], format="name")
    return [name, Column("Age", lambda obj, _: obj["metadata"].get("creationTimestamp"))]
