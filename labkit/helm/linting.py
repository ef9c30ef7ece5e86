"""Lint: Helm's own findings with their line, and what a render of the chart shows beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from labkit.errors import ChartError, HelmError, ValuesError
from labkit.helm import goerrors, schemas
from labkit.helm.backend import Finding, LintJob
from labkit.helm.metadata import template_names
from labkit.helm.workers import LimitMet, Limits

if TYPE_CHECKING:
    from labkit.helm.chart import Chart
    from labkit.helm.values import Given

Severity = Literal["info", "warning", "error"]
_SCHEMA_S = re.compile(r"^- at '|don't meet the specifications of the schema", re.MULTILINE)
SEVERITIES: dict[int, Severity] = {0: "info", 1: "info", 2: "warning", 3: "error"}


@dataclass(frozen=True)
class LintMessage:
    """One finding. ``path`` is the file in the chart, ``line`` 0 where none is known, ``fix`` may be empty."""

    severity: Severity
    path: str
    line: int
    message: str
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"[{self.severity.upper()}] {place}: {self.message}" + (
            f"\n  Fix: {self.fix}" if self.fix else ""
        )


def lint(
    chart: Chart, given: Given, *, strict: bool, namespace: str, kube_version: str, limits: Limits
) -> list[LintMessage]:
    """Everything found, the worst first. ``strict`` makes a warning an error."""
    found: list[LintMessage] = []
    try:
        files, _ = schemas.checked(chart.files().with_subcharts_unpacked())
        names = template_names(files, chart.name)
        job = LintJob(files, given.merged(), strict, namespace, kube_version, limits)
        found += [_message(finding, names) for finding in chart.backend.lint(job)]
    except HelmError as problem:
        found.append(_from_error(chart, problem))
    except LimitMet:
        pass  # rendering, next, meets it again and says where
    if not _is_library(chart):  # that has nothing to render
        found = _with_render(chart, given, found, kube_version, limits)
    if strict:
        found = [
            LintMessage("error", m.path, m.line, m.message, m.fix) if m.severity == "warning" else m
            for m in found
        ]
    order = ("error", "warning", "info")
    return sorted(dict.fromkeys(found), key=lambda each: order.index(each.severity))


def _is_library(chart: Chart) -> bool:
    try:
        return chart.metadata.get("type") == "library"
    except HelmError:
        return False


def _with_render(
    chart: Chart, given: Given, found: list[LintMessage], kube_version: str, limits: Limits
) -> list[LintMessage]:
    """A render's own error says more than lint's words for it, so it takes their place."""
    try:
        chart.render(
            value_files=given.value_files,
            values=given.values,
            set=given.set,
            set_string=given.set_string,
            set_json=given.set_json,
            set_file=given.set_file,
            kube_version=kube_version,
            limits=limits,
        )
    except HelmError as problem:
        error = _from_error(chart, problem)
        others = [m for m in found if m.severity != "error" or m.path != error.path]
        if (
            isinstance(problem, ChartError) and error.path == "Chart.yaml"
        ):  # the templates' troubles are of its making
            others = [m for m in others if m.path and not m.path.startswith("templates")]
        if isinstance(problem, ValuesError):  # Helm's lint says it of the values, and of the templates again
            others = [m for m in others if not _SCHEMA_S.search(m.message)]
        return [error, *others]
    return found


def _from_error(chart: Chart, problem: HelmError) -> LintMessage:
    where = re.fullmatch(r"(?P<path>.*?)(?::(?P<line>\d+))?(?::\d+)?", problem.where, re.DOTALL)
    path, line = (where["path"], int(where["line"] or 0)) if where else (problem.where, 0)
    path = path.removeprefix(chart.shown_as).strip("/\\")
    return LintMessage("error", path, line, problem.problem, problem.fix)


def _message(finding: Finding, names: dict[str, str]) -> LintMessage:
    """A finding; one about a template says the folder, but its words name the file and line."""
    way = [frame for frame in goerrors.frames(finding.message) if frame.file in names]
    path, line = (names[way[-1].file], way[-1].line) if way else (finding.path.strip("/"), 0)
    return LintMessage(SEVERITIES[finding.severity], path, line, finding.message)
