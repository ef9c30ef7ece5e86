"""Cases recorded from Argo CD's own tests, where they lie beside the project; without them these tests are skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "cases" / "argocd"


def cases(*categories: str, but: dict[str, str] | None = None) -> Any:
    """Parametrise a test over the cases of some categories; ``but`` names those that do not apply, with the reason."""
    found = [
        case
        for file in sorted(FOLDER.glob("*.json"))
        for case in json.loads(file.read_text(encoding="utf-8"))
        if case["category"] in categories and case["id"] not in (but or {})
    ]
    if not found:
        return pytest.mark.skip(reason=f"the recorded cases are not here ({FOLDER.name}/)")
    return pytest.mark.parametrize("case", found, ids=[case["id"] for case in found])
