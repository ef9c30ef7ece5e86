"""``python -m labkit.sandbox --dir DIR``: run one cluster in the foreground."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from labkit.errors import LabError
from labkit.sandbox.life import ORPHAN_SECONDS


def main() -> int:
    """Run until told to end; the exit status is 0 then, and 1 if it could not start."""
    parser = argparse.ArgumentParser(
        prog="python -m labkit.sandbox", description="A Kubernetes API in one process."
    )
    parser.add_argument(
        "--dir", required=True, type=Path, help="the cluster's folder; made if it is not there"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="the port on 127.0.0.1; by default the last one, or a free one"
    )
    parser.add_argument("--clock-speed", type=float, default=1.0, help="how many seconds pass in one")
    parser.add_argument("--without-controllers", action="store_true", help="the API alone: nothing ever runs")
    parser.add_argument(
        "--orphan-seconds", type=float, default=ORPHAN_SECONDS, help="how long it outlives a killed owner"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        from labkit.runtime.clock import SystemClock
        from labkit.sandbox.process import Sandbox

        clock = SystemClock(arguments.clock_speed)
        Sandbox(
            arguments.dir,
            port=arguments.port,
            clock=clock,
            controllers=not arguments.without_controllers,
            orphan_seconds=arguments.orphan_seconds,
        ).run()
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
