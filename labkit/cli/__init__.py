"""The `labkit` command. Thin: each command is one call into `labkit.lab`, and what is printed about it.

Every module here is one command or one group of commands, imported when it is used: ``labkit --help`` shows
all of them without importing any.

Exit codes, for scripts:

====  ====================================================================
0     done
1     it failed; or, for ``app diff`` and ``doctor``, there is something to see
2     the command line makes no sense
3     ``status``: the lab is not running
20    ``app wait``, ``app sync``: not reached in time (as the ``argocd`` command)
130   Ctrl-C
====  ====================================================================
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, and end the process with one of the exit codes above."""
    try:
        from labkit.cli.frame import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
