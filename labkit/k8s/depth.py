"""How deep a YAML text nests, asked before it is parsed.

libyaml's binding builds nested values by recursion in C: a hundred thousand brackets overflow the stack and end
the process, with no exception to catch. Its events come without recursion, so a suspicious text is counted first.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

MARGIN = re.compile(r"^[ \t?-]*", re.MULTILINE)
DEEPER = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
HIGHER = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def check(text: str, most: int, loader: Any) -> None:
    """Raise `yaml.YAMLError` where values nest deeper than ``most``; what is plainly flat costs next to nothing."""
    if text.count("[") + text.count("{") <= most and _widest_margin(text) <= most:
        return
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, DEEPER):
            depth += 1
            if depth > most:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"nested deeper than {most} levels",
                    event.start_mark,  # type: ignore[arg-type]
                )
        elif isinstance(event, HIGHER):
            depth -= 1


def _widest_margin(text: str) -> int:
    """No block nests deeper than the columns before its first word: each level takes one."""
    return max(len(margin) for margin in MARGIN.findall(text))
