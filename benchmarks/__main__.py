"""``python -m benchmarks [--quick]``: one table."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import api, engine, loop, render, sandbox

if TYPE_CHECKING:
    from benchmarks.measure import Row


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="each thing once: to see that it works")
    quick = parser.parse_args().quick
    tries = 1 if quick else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [
            *sandbox.rows(folder / "clusters", tries),
            *api.rows(folder / "api", tries),
            *render.rows(folder, tries),
            *loop.rows(folder, tries, applications=3 if quick else 100),
            *engine.rows(folder, *((3, 3) if quick else (100, 500))),
        ]
    print_table(found)


def print_table(found: list[Row]) -> None:
    cells = [("what", "median", "beside", "ratio", "target"), *(row.cells() for row in found)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
