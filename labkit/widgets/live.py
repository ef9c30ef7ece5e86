"""A picture that changes in place while a cell runs, and is gone when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from labkit.widgets.kernel import in_notebook

if TYPE_CHECKING:
    from labkit.views import View


class Live:
    """``with Live() as live: live.show(view)``: each `show` replaces what was there.

    At the end the live picture is taken away, because the cell's result, which stays in the notebook, is the
    last view itself. Outside a notebook nothing is shown.
    """

    def __init__(self) -> None:
        self._widget: Any = None
        self._shown = ""

    def __enter__(self) -> Self:
        if in_notebook():
            self._widget = _picture()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._widget is not None:
            self._widget.close()

    def show(self, view: View) -> None:
        """Replace the picture; one that is the same as before costs nothing."""
        if self._widget is None or view.html == self._shown:
            return
        self._shown = view.html
        self._widget.value = view._repr_html_()


def _picture() -> Any:
    import ipywidgets
    from IPython.display import display

    class Picture(ipywidgets.HTML):  # type: ignore[misc]  # ipywidgets ships no types
        def __repr__(self) -> str:  # what a notebook stores: it must not change from run to run
            return "(live while the cell runs)"

    picture = Picture()
    display(picture)  # type: ignore[no-untyped-call]  # IPython ships no types for it
    return picture
