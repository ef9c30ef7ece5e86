"""The cells of custom kinds: a JSON path each."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import get_path
from labkit.sandbox.apiserver.cells.times import age

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

JSON = dict[str, Any]


_STEP = re.compile(
    r"\.?([A-Za-z0-9_\-/]+|\*)|\['([^']*)'\]|\[(\d+|\*)\]|\[\?\(@\.([\w.]+)\s*==\s*[\"']([^\"']*)[\"']\)\]"
)


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[tuple[str, ...], ...]:
    cleaned = path.strip("{}").replace("\\.", "\0")
    cleaned = re.sub(r"\.([\w\-/]+(?:\0[\w\-/]+)+)", lambda m: "['" + m[1].replace("\0", ".") + "']", cleaned)
    return tuple(match.groups(default="") for match in _STEP.finditer(cleaned))


def json_path(path: str, kind: str) -> Callable[[JSON, datetime], Any]:
    """The cell of a custom kind's column: a JSON path, shown by the column's type."""
    steps = _steps(path)

    def cell(obj: JSON, now: datetime) -> Any:
        nodes: list[Any] = [obj]
        for step in steps:
            nodes = [below for node in nodes for below in _below(node, step)]
        if not nodes:
            return None
        value = nodes[0] if len(nodes) == 1 else ",".join(_plain(one) for one in nodes)
        return _typed(value, kind, now)

    return cell


def _below(node: Any, step: tuple[str, ...]) -> list[Any]:
    key, quoted, index, field, wanted = step
    key = key or quoted
    if key == "*" or index == "*":
        return list(node.values()) if isinstance(node, dict) else list(node) if isinstance(node, list) else []
    if key:
        return [node[key]] if isinstance(node, dict) and node.get(key) is not None else []
    if not isinstance(node, list):
        return []
    if index:
        return [node[int(index)]] if int(index) < len(node) else []
    return [one for one in node if str(get_path(one, *field.split("."))) == wanted]


def _plain(value: Any) -> str:
    import json

    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (dict, list)) else str(value)


def _typed(value: Any, kind: str, now: datetime) -> Any:
    if kind == "date":
        try:
            return age(str(value), now)
        except ValueError:
            return "<invalid>"
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if kind == "number":
        return value if isinstance(value, (int, float)) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return _plain(value)
