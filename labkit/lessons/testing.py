"""Runs what a trainee wrote to test a chart: a folder of pytest tests, and the chart's own test Pods.

pytest runs as a process of its own, as in a terminal, without the plugins of this machine; what it found is read from
its JUnit report, so that no time and no path of this machine is in it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from labkit.errors import LessonError
from labkit.k8s.objects import get_path
from labkit.runtime.clock import SystemClock
from labkit.settings import child_environment
from labkit.views.code import code

if TYPE_CHECKING:
    from labkit.helm import Chart
    from labkit.k8s.objects import Object
    from labkit.lessons.workbench import Workbench
    from labkit.views import View

SECONDS = 60.0
_PAUSE = 0.1
_ENDED = ("Succeeded", "Failed")
_ERROR = re.compile(r"^E\s+(.*)$", re.MULTILINE)
_NAMED = re.compile(r"[\w.]*(Error|Exception|Warning)\b")


@dataclass(frozen=True)
class Result:
    """One test: its name, and what is wrong in its first words; '' if it passes."""

    name: str
    problem: str = ""


def results(folder: Path, chart: Path | str = "juice") -> list[Result]:
    """Run the tests in ``folder/tests`` against a chart; `LessonError` if pytest cannot read them."""
    with tempfile.TemporaryDirectory() as place:
        report, settings = Path(place) / "report.xml", Path(place) / "pytest.ini"
        settings.write_text("[pytest]\n", encoding="utf-8")
        command = [sys.executable, "-B", "-m", "pytest", "-c", str(settings), "--rootdir", str(folder)]
        command += [
            "-p",
            "no:cacheprovider",
            f"--junit-xml={report}",
            f"--chart={chart}",
            str(folder / "tests"),
        ]
        try:
            ran = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace",
                env=child_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_ADDOPTS=""),
                check=False, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise LessonError(f"the tests did not end within {SECONDS:g} s", where="tests") from None
        if not report.is_file():
            said = (ran.stderr or ran.stdout).strip().splitlines()
            raise LessonError(
                said[-1] if said else "pytest said nothing", where="tests", fix="Run it: show_tests()"
            )
        return [_result(case) for case in ElementTree.parse(report).iter("testcase")]  # noqa: S314 - our own report


def _result(case: ElementTree.Element) -> Result:
    wrong = next((found for kind in ("failure", "error") for found in case.findall(kind)), None)
    name = case.get("name", "")
    if wrong is None:
        return Result(name)
    lines = _ERROR.findall(wrong.text or "") or (wrong.get("message") or "it fails").splitlines()
    problem = next((line for line in lines if _NAMED.match(line)), lines[0])
    return Result(name or case.get("classname", ""), problem.strip())


def shown(found: list[Result]) -> View:
    """The tests with ✓ or ✗, one a line."""
    lines = [f"✗ {each.name}: {each.problem}" if each.problem else f"✓ {each.name}" for each in found]
    return code("\n".join(lines) or "no tests")


def helm_test(bench: Workbench, chart: Chart, release: str, namespace: str) -> View:
    """What ``helm test`` does: start the chart's test Pods, one after the other, wait, and show what they said."""
    lines = []
    for each in chart.render(release).objects:
        if each.is_test:
            pod = _until_it_ends(bench.cluster, each.obj, namespace)
            phase = get_path(pod, "status", "phase", default="Pending")
            sign = "✓" if phase == "Succeeded" else "✗"
            said = bench.cluster.logs(namespace, each.name).strip() if phase in _ENDED else "it did not end"
            lines.append(f"{sign} {each.name} {phase}: {said}")
    return code("\n".join(lines) or "the chart has no tests")


def _until_it_ends(cluster: Any, pod: Object, namespace: str) -> Object:
    name = pod["metadata"]["name"]
    clock = SystemClock()
    end = clock.monotonic() + SECONDS
    if cluster.find("v1", "Pod", name, namespace):
        cluster.delete("v1", "Pod", name, namespace, grace_period_seconds=0)
    while cluster.find("v1", "Pod", name, namespace) and clock.monotonic() < end:
        clock.sleep(_PAUSE)
    found: Object = cluster.create(pod | {"metadata": pod["metadata"] | {"namespace": namespace}})
    while get_path(found, "status", "phase") not in _ENDED and clock.monotonic() < end:
        clock.sleep(_PAUSE)
        found = cluster.get("v1", "Pod", name, namespace)
    return found
