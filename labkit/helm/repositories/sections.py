"""Finds one chart in a large index without reading all of it as YAML.

Big public repositories have indexes of 5 to 30 MB, which take a YAML parser in Python half a minute. Helm writes an
index as plain blocks, so the part about one chart can be cut out by its indentation; an index in any other form is
read as a whole.
"""

from __future__ import annotations

import re

_START = re.compile(r"^entries:[ \t]*\n", re.MULTILINE)
_END = re.compile(r"^[^\s#-]", re.MULTILINE)
_CHART = re.compile(r"^(?P<indent> +)(?P<name>[A-Za-z0-9._-]+):[ \t]*\n", re.MULTILINE)
_SHARED = re.compile(r"[:-][ \t]+[&*]\w|^[ \t]*<<:|^\t", re.MULTILINE)


def sections(text: str) -> dict[str, str] | None:
    """The YAML of each chart's entries, by name; None if the index is not in the form that Helm writes."""
    start = _START.search(text)
    first = _CHART.match(text, start.end()) if start else None
    if start is None or first is None or _SHARED.search(text):
        return None
    end = _END.search(text, start.end())
    body = text[start.end() : end.start() if end else len(text)]
    indent = first["indent"]
    marks = [found for found in _CHART.finditer(body) if found["indent"] == indent]
    ends = [*(found.start() for found in marks[1:]), len(body)]
    parts = {mark["name"]: body[mark.end() : stop] for mark, stop in zip(marks, ends, strict=True)}
    item = re.compile(rf"{indent} *- ")
    return parts if len(parts) == len(marks) and all(item.match(part) for part in parts.values()) else None
