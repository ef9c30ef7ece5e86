"""Regular expressions that somebody else wrote, with Go's meaning: as Kubernetes and Argo CD take them.

Python's own engine tries again from earlier places and can be made to take for ever. This one (of the library that
evaluates CEL, where ``matches`` is defined to be Go's) needs time in proportion to the text, whatever the pattern.
"""

from __future__ import annotations

import sys
import types
from functools import lru_cache
from typing import Any

LONGEST_PATTERN = 4096


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in the text. A pattern that makes no sense is found nowhere."""
    return _matches(pattern, text) is True


def problem(pattern: str) -> str:
    """What is wrong with a pattern; empty if nothing is."""
    found = _matches(pattern, "")
    return found if isinstance(found, str) else ""


@lru_cache(4096)
def _matches(pattern: str, text: str) -> bool | str:
    if len(pattern) > LONGEST_PATTERN:
        return f"it is longer than {LONGEST_PATTERN} characters"
    try:
        return bool(_program().execute({"pattern": pattern, "text": text}))
    except RuntimeError as error:
        lines = str(error).partition(". Check function arguments")[0].splitlines()
        return lines[-1].removeprefix("error: ")


@lru_cache(1)
def _program() -> Any:
    # The library's package imports its command line, and with it 30 MB that nothing here uses.
    sys.modules.setdefault("cel.cli", types.ModuleType("cel.cli"))
    import cel

    return cel.compile("text.matches(pattern)")
