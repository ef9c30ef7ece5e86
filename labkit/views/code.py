"""Text with its spaces and lines: YAML, logs, an answer over HTTP."""

from __future__ import annotations

from labkit.views.view import View, render


def code(text: str, *, title: str = "") -> View:
    """The text as it is, under a title."""
    shown = text.rstrip("\n")
    return View("\n".join(filter(None, [title, shown])), render("code.html", text=shown, title=title))
