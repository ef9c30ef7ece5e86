"""What a lesson shows beside its text: a question, the answer to it, a check's verdict, a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Mapping


def question(text: str, options: Mapping[str, str]) -> View:
    """A question and its options by letter."""
    lines = [f"? {text}", *(f"    {letter}) {option}" for letter, option in options.items())]
    return View("\n".join(lines), render("question.html", text=text, options=options))


def answer(options: Mapping[str, str], right: str, because: str, chosen: str | None) -> View:
    """The right option and why, and how the trainee's own compares."""
    if chosen is None:
        yours = "You have not answered this one. Next time guess first: a wrong guess is what makes it stick."
    elif chosen == right:
        yours = f"You said {chosen}: right."
    else:
        yours = f"You said {chosen}) {options[chosen]}"
    text = f"! {right}) {options[right]}\n  {because}\n  {yours}"
    html = render("answer.html", right=right, option=options[right], because=because, yours=yours)
    return View(text, html)


def verdict(title: str, done: bool, seen: str, expected: str, advice: str) -> View:
    """✓ or ✗ (not yet), with what was seen and what was expected."""
    head = f"✓ {title}" if done else f"✗ not yet: {title}"
    rows = [("seen", seen), ("expected", expected)] + ([("next", advice)] if advice and not done else [])
    text = "\n".join([head, *(f"  {label:<9} {value}" for label, value in rows)])
    return View(text, render("verdict.html", head=head, done=done, rows=rows))


def hint(rung: int, rungs: int, text: str) -> View:
    """One rung of the ladder."""
    return View(f"hint {rung} of {rungs}: {text}", render("hint.html", rung=rung, rungs=rungs, text=text))
