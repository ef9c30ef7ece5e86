"""YAML as Helm reads it: like Kubernetes, but a key that is written twice counts once, the last time."""

from __future__ import annotations

from typing import Any

from labkit.errors import ManifestError
from labkit.k8s import yaml


def parse(text: str, file: str) -> Any:
    """A document's value, None for an empty one; a `ManifestError` names file and line."""
    return parse_noting(text, file)[0]


def parse_noting(text: str, file: str) -> tuple[Any, list[str]]:
    """A document's value, and a remark for each key that was written twice."""
    try:
        return yaml.load_lenient(text)
    except Exception:  # the parser's own error: said again in the lab's words
        try:
            yaml.load(text, file=file)
        except ManifestError as problem:
            words = problem.problem.removeprefix("not valid YAML: ")
            raise ManifestError(words, where=problem.where, fix=problem.fix) from None
        raise
