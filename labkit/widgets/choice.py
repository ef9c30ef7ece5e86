"""A question with a few answers to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.widgets.kernel import in_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.views import View


def choose(asked: View, letters: Sequence[str], chosen: str | None, answered: Callable[[str], None]) -> bool:
    """Show a question and, below it, a button for each letter; each click calls ``answered`` with its letter.

    ``chosen`` is an earlier answer. Outside a notebook nothing is shown, and the answer is False.
    """
    if not in_notebook():
        return False
    import ipywidgets
    from IPython.display import display

    class Letters(ipywidgets.ToggleButtons):  # type: ignore[misc]  # ipywidgets ships no types
        def __repr__(self) -> str:
            return "(choose a letter, then run the next cell)"

    box = Letters(
        options=[(f" {letter} ", letter) for letter in letters],
        value=chosen,
        style={"button_width": "3.5em"},
    )

    def changed(change: dict[str, Any]) -> None:
        if change["new"] is not None:
            answered(change["new"])

    box.observe(changed, names="value")
    display(asked)  # type: ignore[no-untyped-call]  # IPython ships no types for it
    display(box)  # type: ignore[no-untyped-call]
    return True
