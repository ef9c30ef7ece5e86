"""The process that evaluates jq, so that an expression without an end ends it and not us.

Run as a program, never imported. Each line on standard input is a JSON list, an object and expressions; each line
on standard output the object without what the expressions mean (``del(…)``, as Argo CD evaluates them), or why
that cannot be. ``jq.py`` is the other end: it counts the time.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

import jq

MEGABYTES = 1024


def main() -> None:
    """Answer until standard input ends."""
    _limit_memory()
    print(json.dumps("ready"), flush=True)  # noqa: T201  # from now on the time counts
    for line in sys.stdin:
        obj, expressions = json.loads(line)
        print(json.dumps(_without(obj, expressions)), flush=True)  # noqa: T201  # it is the protocol


def _without(obj: Any, expressions: list[str]) -> dict[str, Any]:
    for expression in expressions:
        try:
            program = jq.compile(f"del({expression})")
        except ValueError as error:
            reason = str(error).splitlines()[0].removeprefix("jq: error: ").partition(" at <top-level>")[0]
            return {"expression": expression, "problem": reason}
        # What makes no sense for this object (a null that is iterated over) leaves nothing out, as in Argo CD.
        with contextlib.suppress(ValueError, StopIteration):
            found = program.input_value(obj).first()
            obj = found if isinstance(found, dict) else obj
    return {"object": obj}


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20, MEGABYTES * 2**20))


if __name__ == "__main__":
    main()
