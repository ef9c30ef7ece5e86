from __future__ import annotations

import subprocess
import sys

import pytest

from labkit.settings import FileLock

HOLD = """
import sys
from pathlib import Path
from labkit.settings import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock until it is killed."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "a.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_only_one_process_holds_a_lock(tmp_path, other):
    lock = FileLock(tmp_path / "a.lock")
    assert not lock.acquire(timeout=0.1)
    assert lock.holder() == other.pid


def test_a_killed_holder_lets_go(tmp_path, other):
    other.kill()
    other.wait()
    with FileLock(tmp_path / "a.lock") as lock:
        assert lock.acquire(timeout=5)
    assert FileLock(tmp_path / "a.lock").holder() is None


def test_nobody_holds_a_lock_that_was_never_taken(tmp_path):
    assert FileLock(tmp_path / "b.lock").holder() is None
