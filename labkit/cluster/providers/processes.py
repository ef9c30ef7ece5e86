"""Processes by their number: whether one lives, what it runs, and its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

_POLL_SECONDS = 0.01

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Our own ones: they stay in the system's table after their end until we ask for their exit code."""


def adopt(process: subprocess.Popen[bytes]) -> None:
    """Remember a process that we started and that is to outlive us."""
    _children[process.pid] = process


def alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not."""
    child = _children.get(pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[pid]  # from here on the number may be somebody else's
    if sys.platform == "win32":
        return _alive_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(pid)


def command_line(pid: int) -> str | None:
    """The words that the process was started with; None where this system does not tell."""
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""
    if sys.platform == "win32":
        return None
    done = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)],
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    )
    return done.stdout


def wait_for_end(pid: int, seconds: float) -> bool:
    """Wait until the process has ended; whether it did in time."""
    until = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_SECONDS)  # there is no portable way to wait for a process that is not our child
    return True


def _zombie(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]


def _alive_windows(pid: int) -> bool:
    done = subprocess.run(
        ["tasklist", "/fi", f"pid eq {pid}", "/nh"], capture_output=True, check=False, text=True
    )
    return str(pid) in done.stdout.split()
