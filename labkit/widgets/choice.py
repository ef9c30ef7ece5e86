"""A question with a few answers to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.widgets.kernel import in_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def choose(options: Mapping[str, str], chosen: str | None, answered: Callable[[str], None]) -> None:
    """Show the options below the cell; each click calls ``answered`` with the option's letter.

    ``options`` maps letters to texts; ``chosen`` is an earlier answer. Outside a notebook nothing is shown.
    """
    if not in_notebook():
        return
    import ipywidgets
    from IPython.display import display

    class Options(ipywidgets.RadioButtons):  # type: ignore[misc]  # ipywidgets ships no types
        def __repr__(self) -> str:
            return "(choose an answer above, then run the next cell)"

    box = Options(
        options=[(f"{letter}   {text}", letter) for letter, text in options.items()],
        value=chosen,
        layout={"width": "auto"},
    )

    def changed(change: dict[str, Any]) -> None:
        if change["new"] is not None:
            answered(change["new"])

    box.observe(changed, names="value")
    display(box)  # type: ignore[no-untyped-call]  # IPython ships no types for it
