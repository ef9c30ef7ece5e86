"""A picture that stays alive after its cell has ended, until it is stopped."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.views.problem import problem
from labkit.widgets.kernel import in_notebook
from labkit.widgets.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.views import View
    from labkit.widgets.actions import Below

EVERY_SECONDS = 1.0


class Picture:
    """``Picture(look)`` shows what ``look`` sees, again every second; `stop` leaves it as it is, without buttons.

    Outside a notebook it is just the picture of this moment.
    """

    def __init__(
        self,
        look: Callable[[], View],
        *,
        every: float = EVERY_SECONDS,
        below: Callable[[], Below] | None = None,
    ) -> None:
        """``below`` makes what stands under the picture in a notebook, such as buttons."""
        self._look, self._every, self._make_below = look, every, below
        self._below: Below | None = None
        self._over = threading.Event()
        self._view = self._seen()
        self._thread: threading.Thread | None = None

    def stop(self) -> View:
        """End it; returns the last picture."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        return self._view

    @property
    def alive(self) -> bool:
        """Whether it still follows what happens."""
        return self._thread is not None and self._thread.is_alive()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if not in_notebook():
            display(self._view)  # type: ignore[no-untyped-call]  # IPython ships no types for it
            return
        live = Live()
        live.__enter__()
        live.show(self._view)
        if self._make_below is not None:
            self._below = self._make_below()
            display(self._below.box)  # type: ignore[no-untyped-call]
        self._thread = threading.Thread(target=self._follow, args=(live,), name="picture", daemon=True)
        self._thread.start()

    def _follow(self, live: Live) -> None:
        while not self._over.wait(self._every):
            self._view = self._seen()
            live.show(self._view)
            if self._below is not None:
                self._renewed(self._below)
        if self._below is not None:
            self._below.box.close()

    def _renewed(self, below: Below) -> None:
        with contextlib.suppress(LabError):  # the picture says it
            below.renew()

    def _seen(self) -> View:
        try:
            return self._look()
        except LabError as error:
            return problem(error)  # the lab may be back in a moment

    def __repr__(self) -> str:
        return self._view.text

    def _repr_html_(self) -> Any:
        return self._view._repr_html_()
