"""What the package says to people, kept apart from what it does: one catalogue of texts, a folder a language.

A room that speaks has ``text/<language>/<name>.toml``. English is complete; another language may lack some texts,
which are then said in English. ``LABKIT_LANGUAGE`` chooses.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from labkit.settings.environment import variable

FIRST = "en"


def texts(package: str, name: str) -> dict[str, Any]:
    """The texts ``name`` of a room, such as ``texts("labkit.views", "lesson")``, in the language that is set."""
    return _texts(package, name, variable("LANGUAGE", FIRST))


@cache
def _texts(package: str, name: str, language: str) -> dict[str, Any]:
    english = _read(package, name, FIRST)
    return english if language == FIRST else _over(english, _read(package, name, language))


def _read(package: str, name: str, language: str) -> dict[str, Any]:
    file = resources.files(package).joinpath(f"text/{language}/{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _over(first: Any, second: Any) -> Any:
    """``second`` where it says something, else ``first``; lists as a whole, so that a translation stays in step."""
    if isinstance(first, dict) and isinstance(second, dict):
        return {key: _over(value, second[key]) if key in second else value for key, value in first.items()}
    return second
