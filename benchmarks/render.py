"""A chart to manifests: through the lab, and by the `helm` command where there is one."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from benchmarks.measure import Row, python_start, timed
from labkit.lab.charts import Charts

if TYPE_CHECKING:
    from pathlib import Path


def rows(folder: Path, tries: int) -> list[Row]:
    chart = Charts(folder).create("bench", folder)
    chart.render("bench")  # the worker process starts with the first one
    ours = timed(lambda: chart.render("bench"), tries * 5)
    helm = shutil.which("helm")
    if helm is None:
        bare = python_start(tries)
        return [
            Row("render a chart", str(ours), f"bare Python {bare} (no helm here)", ours.median / bare.median)
        ]
    command = [helm, "template", "bench", str(chart.path)]
    theirs = timed(lambda: subprocess.run(command, check=True, capture_output=True), tries)
    return [
        Row(
            "render a chart",
            str(ours),
            f"helm template {theirs}",
            ours.median / theirs.median,
            "< 0.05",
        )
    ]
