"""An error as a person reads it: what failed, where, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.views.view import View, render

if TYPE_CHECKING:
    from labkit.errors import LabError


def problem(error: LabError) -> View:
    """What failed and where, with the fix set apart from it."""
    return View(str(error), render("problem.html", error=error))
