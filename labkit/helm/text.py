"""YAML as Helm reads it, for Chart.yaml and values: one place, so that every file's errors look alike."""

from __future__ import annotations

from typing import Any

import yaml

from labkit.errors import ManifestError


def parse(text: str, file: str) -> Any:
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ManifestError(str(getattr(problem, "problem", problem)), where=f"{file}{line}") from None
