"""A chart's ``values.schema.json``, made safe before Helm sees it.

Helm's validator follows every reference of a schema: ``"$ref": "file:///etc/passwd"`` opens that file, and a web
address is fetched. So a reference may only point into the same file. One that leads to another file is refused;
a schema that needs the web is left out, with a warning, and the chart still renders.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.helm.files import ChartFiles

FILE = "values.schema.json"
REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "$schema"})
BUILT_IN = re.compile(r"https?://json-schema\.org/((draft-0[467]|draft/2019-09|draft/2020-12)/)?schema#?")
WEB = re.compile(r"(?i)https?://")


def checked(files: ChartFiles) -> tuple[ChartFiles, list[str]]:
    """The chart with only those schemas that stay within themselves, and a warning for each that was left out."""
    kept, warnings = dict(files.files), list[str]()
    for name in files.files:
        if name.rpartition("/")[2] == FILE and (address := _web_reference(files, name)):
            del kept[name]
            warnings.append(f"{name}: values are not checked, because this schema refers to {address}")
    return replace(files, files=kept), warnings


def without(files: ChartFiles) -> ChartFiles:
    """The chart without its schemas."""
    kept = {name: data for name, data in files.files.items() if name.rpartition("/")[2] != FILE}
    return replace(files, files=kept)


def read(files: ChartFiles, name: str = FILE) -> Any:
    """A schema as data; None if the chart has none, a `ChartError` with the line if it is not JSON."""
    text = files.text(name)
    if text is None:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        raise ChartError(
            f"the schema is not JSON: {problem.msg}",
            where=f"{files.path(name)}:{problem.lineno}:{problem.colno}",
            fix="mend that line; JSON wants double quotes, and no comma after the last item",
        ) from None
    except RecursionError:
        raise ChartError("the schema is nested too deeply", where=files.path(name)) from None


def _web_reference(files: ChartFiles, name: str) -> str:
    found = ""
    for key, target in _references(read(files, name)):
        if target.startswith("#") or BUILT_IN.fullmatch(target):
            continue
        if not WEB.match(target):
            raise ChartError(
                f"the schema refers to another file, {key} {target!r}, and files outside a chart are never read",
                where=files.path(name),
                fix="put what it refers to under `definitions` in this file: `#/definitions/…`",
            )
        found = found or target
    return found


def _references(schema: Any) -> Iterator[tuple[str, str]]:
    """Every reference of a schema; the list of what is still to be looked at replaces recursion."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield from ((key, node[key]) for key in REFERENCES & node.keys() if isinstance(node[key], str))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
