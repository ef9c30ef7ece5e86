"""What a lesson shows beside its text: a question, the answer to it, a check's verdict, a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.settings.texts import texts
from labkit.views.view import View, render

if TYPE_CHECKING:
    from collections.abc import Mapping


def say(key: str, **facts: Any) -> str:
    """One of the frame's texts, filled in."""
    return str(texts("labkit.views", "lesson")[key]).format(**facts)


def question(text: str, options: Mapping[str, str]) -> View:
    """A question and its options by letter."""
    lines = [f"? {text}", *(f"    {letter}) {option}" for letter, option in options.items())]
    return View("\n".join(lines), render("question.html", text=text, options=options))


def answer(options: Mapping[str, str], right: str, because: str, chosen: str | None) -> View:
    """The right option and why, and how the trainee's own compares."""
    if chosen is None:
        yours = say("unanswered")
    elif chosen == right:
        yours = say("right", chosen=chosen)
    else:
        yours = say("wrong", chosen=chosen, option=options[chosen])
    text = f"! {right}) {options[right]}\n  {because}\n  {yours}"
    html = render("answer.html", right=right, option=options[right], because=because, yours=yours)
    return View(text, html)


def verdict(title: str, done: bool, seen: str, expected: str, advice: str) -> View:
    """✓ or ✗ (not yet), with what was seen and what was expected."""
    head = f"✓ {title}" if done else f"✗ {say('not-yet')}: {title}"
    rows = [(say("seen"), seen), (say("expected"), expected)]
    if advice and not done:
        rows.append((say("next"), advice))
    text = "\n".join([head, *(f"  {label:<9} {value}" for label, value in rows)])
    return View(text, render("verdict.html", head=head, done=done, rows=rows))


def hint(rung: int, rungs: int, text: str) -> View:
    """One rung of the ladder."""
    head = say("hint", rung=rung, rungs=rungs)
    return View(f"{head}: {text}", render("hint.html", head=head, text=text))
