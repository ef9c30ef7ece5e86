"""``python -m labkit.service --lab DIR``: the service, in the foreground."""

from __future__ import annotations

import argparse
import logging
import sys

from labkit.errors import LabError
from labkit.service.announce import Announcer
from labkit.settings import Settings, debugging


def main() -> int:
    """Run the service until it is told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m labkit.service", description="The lab's service.")
    parser.add_argument("--lab", required=True, metavar="DIR", help="the lab folder")
    parser.add_argument("--cluster", default="", help="sandbox, kind or context:NAME; else as last time")
    parser.add_argument("--port", type=int, default=0, help="this port and no other")
    parser.add_argument("--agreed", action="store_true", help="the person agreed to the use of context:NAME")
    parser.add_argument("--announce", action="store_true", help="tell the starter each step, as JSON lines")
    options = parser.parse_args()
    announcer = Announcer(quiet=not options.announce)
    try:
        settings = Settings.create(options.lab)
        from labkit.service.process import Service

        Service(settings, announcer, cluster=options.cluster, port=options.port, agreed=options.agreed).run()
    except LabError as error:
        logging.getLogger("labkit.service").error("cannot start: %s", error)  # noqa: TRY400  (the message says it all)
        announcer.error(error)
        if debugging():
            raise
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        logging.getLogger("labkit.service").exception("cannot start")
        announcer.error(
            LabError(f"{type(error).__name__}: {error}", fix="labkit doctor; the log: .lab/service.log")
        )
        return 1
    return 0


sys.exit(main())
