"""``jqPathExpressions``: jq itself, in a process of its own, because an expression is a program that its author chose.

It has no environment to read, a limit on its memory, and a second for each object.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from labkit.gitops.api.application import InvalidSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labkit.k8s.objects import Object

PROGRAM = Path(__file__).with_name("jq_worker.py")
SECONDS = 1.0
"""For one object; Argo CD's default (``ignore.normalizer.jq.timeout``)."""

START_SECONDS = 20.0


class Evaluator:
    """One warm process. Thread-safe; it is started when it is needed, and anew when it was ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def without(self, obj: Object, expressions: Sequence[str]) -> Object:
        """The object without what the expressions mean; `InvalidSpec` for one that is no jq, or takes too long."""
        with self._lock:
            answer = self._ask(json.dumps([obj, list(expressions)]))
        if "problem" in answer:
            raise _refused(answer["expression"], answer["problem"], "Try it: kubectl get … -o json | jq '…'")
        found: Object = answer["object"]
        return found

    def close(self) -> None:
        """End the process; the next question starts a new one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            with contextlib.suppress(OSError):
                cast("IO[str]", process.stdin).close()

    def _ask(self, line: str) -> dict[str, Any]:
        asked = json.loads(line)[1]
        for new in (False, True):  # it may have been ended since the last question
            process, fresh = self._running(new=new)
            try:
                requests = cast("IO[str]", process.stdin)
                requests.write(line + "\n")
                requests.flush()
                ready = not fresh or self._answers.get(timeout=START_SECONDS)
                answer = self._answers.get(timeout=SECONDS) if ready else ""
            except queue.Empty:
                self.close()
                raise _refused(
                    " | ".join(asked), f"it took more than {SECONDS:g} s", "Make it simpler."
                ) from None
            except OSError:
                answer = ""
            if answer:
                found: dict[str, Any] = json.loads(answer)
                return found
            self.close()
            if fresh:
                break
        raise _refused(" | ".join(asked), "it took too much memory", "Make it simpler.")

    def _running(self, *, new: bool) -> tuple[subprocess.Popen[str], bool]:
        if self._process is not None and self._process.poll() is None and not new:
            return self._process, False
        self.close()
        answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=None if sys.platform == "win32" else {},  # there no program starts without one
            text=True,
            encoding="utf-8",
        )
        threading.Thread(target=_read, args=(process, answers), daemon=True, name="jq").start()
        self._process, self._answers = process, answers
        return process, True


def _read(process: subprocess.Popen[str], answers: queue.SimpleQueue[str]) -> None:
    with cast("IO[str]", process.stdout) as lines:
        for line in lines:
            answers.put(line)
    answers.put("")


def _refused(expression: str, problem: str, fix: str) -> InvalidSpec:
    return InvalidSpec(
        f"the jq expression {expression!r} cannot be evaluated: {problem}",
        where="spec.ignoreDifferences[].jqPathExpressions",
        fix=fix,
    )


shared = Evaluator()
atexit.register(shared.close)
