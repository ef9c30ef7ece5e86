"""Sync and health beside each other, and the sentence that explains them."""

from __future__ import annotations

from labkit.views import words
from labkit.views.view import View, render


def badges(sync: str, health: str, message: str = "") -> View:
    """The two words that matter of an application, and why where something is wrong."""
    text = f"{words.status(sync)}  {words.status(health)}" + (f"\n{message}" if message else "")
    return View(text, render("badges.html", sync=sync, health=health, message=message))


def sentence(text: str) -> View:
    """One sentence: what was done, or what is being done. A screen reader says it when it changes."""
    return View(text, render("said.html", text=text))
