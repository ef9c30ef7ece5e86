"""Buttons below a picture: what can be done, and what it would do, before it is done."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from labkit.errors import LabError
from labkit.settings.texts import texts
from labkit.views.problem import problem
from labkit.views.status import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labkit.views import View

Answers = dict[str, Any]
_LOOK: dict[str, Any] = {
    "layout": {"width": "auto", "max_width": "60em"},
    "style": {"description_width": "initial"},
}


@dataclass(frozen=True)
class Field:
    """Something that is asked before an action: yes or no, a text, or one or some of several."""

    name: str
    label: str
    default: Any = False
    options: Sequence[tuple[str, Any]] = ()
    several: bool = False


@dataclass(frozen=True)
class Action:
    """Something that can be done: ``do`` does it with the answers, and says how it went.

    ``ask`` gives the fields, asked for when the button is clicked; ``look`` shows what would happen by the answers
    so far. Without both it is done at the click. ``possible`` says whether there is anything to do, else the button
    is grey; ``beside`` is done while another is at work, which it may end.
    """

    label: str
    do: Callable[[Answers], str]
    verb: str = ""
    ask: Callable[[], Sequence[Field]] | None = None
    look: Callable[[Answers], View] | None = None
    danger: bool = False
    possible: Callable[[], bool] | None = None
    beside: bool = False


class Below(Protocol):
    """What stands below a picture: its widget, and what keeps it up to date with the picture."""

    box: Any

    def renew(self) -> None:
        """Called with each look."""


class Buttons:
    """The buttons of some actions. One is done at a time, and what may be beside it; the notebook's cells go on."""

    def __init__(self, actions: Sequence[Action]) -> None:
        import ipywidgets

        self._made = ipywidgets
        self._working = False
        self._opened: list[Any] = []
        self._buttons = [(action, self._button(action)) for action in actions]
        self._panel, self._said = ipywidgets.VBox([]), ipywidgets.HTML()
        row = ipywidgets.HBox([button for _, button in self._buttons], layout={"flex_flow": "row wrap"})
        self.box = _quiet(ipywidgets.VBox)([row, self._panel, self._said])
        self.renew()

    def renew(self) -> None:
        """What cannot be done now is grey."""
        for action, button in self._buttons:
            if action.possible is not None:
                busy = self._working and not action.beside
                button.disabled = busy or not _is_possible(action.possible)

    def _button(self, action: Action) -> Any:
        button = self._made.Button(description=action.label, layout={"width": "auto"})
        asks = action.ask is not None or action.look is not None
        work = (lambda: self._open(action)) if asks else (lambda: self._done(action, {}))
        button.on_click(lambda _button: self._run(work, beside=action.beside))
        return button

    def _open(self, action: Action) -> None:
        """Show what is asked, and the plan by the answers so far, which a change of them draws again."""
        asked = {field.name: self._asked(field) for field in (action.ask() if action.ask else ())}
        plan = self._made.HTML()

        def look() -> None:
            if action.look is not None:
                plan.value = _drawn(action.look(_answers(asked)))

        look()
        for widget in asked.values():
            if not isinstance(widget, self._made.Text):  # what is typed changes no plan
                widget.observe(lambda _change: self._run(look), names="value")
        style = "danger" if action.danger else "primary"
        go = self._made.Button(description=action.verb or action.label, button_style=style)
        go.on_click(lambda _button: self._run(lambda: self._done(action, _answers(asked))))
        cancel = self._made.Button(description=_say("cancel"))
        cancel.on_click(lambda _button: self._close())
        self._opened = [go, cancel]
        self._panel.children = [*asked.values(), plan, self._made.HBox(self._opened)]

    def _close(self) -> None:
        self._panel.children, self._opened, self._said.value = [], [], ""

    def _done(self, action: Action, answers: Answers) -> None:
        said = action.do(answers)
        self._close()
        self._said.value = _drawn(sentence(said))

    def _run(self, work: Callable[[], None], *, beside: bool = False) -> None:
        """In a thread of its own; what goes wrong is said, and what was asked stays open."""
        self._said.value = working = _drawn(sentence(_say("working")))
        if not beside:
            self._work(on=True)

        def run() -> None:
            try:
                work()
                if self._said.value == working:
                    self._said.value = ""
            except LabError as error:
                self._said.value = _drawn(problem(error))
            finally:
                if not beside:
                    self._work(on=False)

        threading.Thread(target=run, name="action", daemon=True).start()

    def _work(self, *, on: bool) -> None:
        self._working = on
        free = [button for action, button in self._buttons if not action.beside and action.possible is None]
        for widget in [*free, *self._opened]:
            widget.disabled = on

    def _asked(self, field: Field) -> Any:
        look = {"description": field.label, **_LOOK}
        if field.several:
            chosen, rows = [value for _, value in field.options], min(max(len(field.options), 1), 8)
            return self._made.SelectMultiple(options=field.options, value=chosen, rows=rows, **look)
        if field.options:
            return self._made.Dropdown(options=field.options, value=field.default, **look)
        if isinstance(field.default, bool):
            return self._made.Checkbox(value=field.default, indent=False, **look)
        return self._made.Text(value=str(field.default), **look)


class Choice:
    """A list of names to choose from, which may change, and the buttons for the one that was chosen."""

    def __init__(
        self, label: str, names: Callable[[], Sequence[str]], actions: Callable[[str], Sequence[Action]]
    ) -> None:
        import ipywidgets

        self._names, self._actions = names, actions
        self._list = ipywidgets.Dropdown(description=label, **_LOOK)
        self._place, self._buttons = ipywidgets.VBox([]), Buttons(())
        self.box = _quiet(ipywidgets.VBox)([])
        self._list.observe(lambda change: self._show(change["new"]), names="value")
        self.renew()

    def renew(self) -> None:
        """Another list, if the names are others; who was chosen stays it, and its buttons are renewed."""
        names = tuple(self._names())
        if names != tuple(self._list.options):
            chosen = self._list.value
            self._list.options = names
            self._list.value = chosen if chosen in names else next(iter(names), None)
            self.box.children = [self._list, self._place] if names else []
        self._buttons.renew()

    def _show(self, name: str | None) -> None:
        self._buttons = Buttons(self._actions(name) if name else ())
        self._place.children = [self._buttons.box] if name else []


def _is_possible(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except LabError:  # it is gone, or the lab is away: the picture above says so
        return False


def _answers(asked: dict[str, Any]) -> Answers:
    return {name: widget.value for name, widget in asked.items()}


def _drawn(view: View) -> str:
    return view._repr_html_()


def _quiet(widget: Any) -> Any:
    """The widget's class with a text that does not change: a notebook stores it."""

    class Quiet(widget):  # type: ignore[misc]  # ipywidgets ships no types
        def __repr__(self) -> str:
            return _say("stored")

    return Quiet


def _say(key: str) -> str:
    return str(texts("labkit.views", "doing")[key])
