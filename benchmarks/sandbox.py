"""From nothing to a cluster that answers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmarks.measure import Row, python_start, timed
from labkit.cluster import provider

if TYPE_CHECKING:
    from pathlib import Path


def rows(folder: Path, tries: int) -> list[Row]:
    sandboxes = provider("sandbox", folder)
    names = [f"bench-{n}" for n in range(tries)]
    fresh = iter(names)
    created = timed(lambda: sandboxes.create(next(fresh)), tries)
    for name in names:
        sandboxes.stop(name)
    again = itertools.cycle(names)
    restarted = timed(lambda: sandboxes.start(next(again)), tries)
    for name in names:
        sandboxes.delete(name)
    bare = python_start(tries)
    return [
        Row(
            "sandbox ready, new", str(created), f"bare Python {bare}", created.median / bare.median, "< 0.5 s"
        ),
        Row(
            "sandbox ready, again", str(restarted), "a new one", restarted.median / created.median, "< 0.5 s"
        ),
    ]
