"""What a picture is: one text and one HTML form of the same facts, and how templates become one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from labkit.views import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment


@dataclass(frozen=True)
class View:
    """A picture in two forms: `text` for terminals, GitHub and tests; `html` for notebooks and pages.

    A notebook shows the HTML; ``print(view)`` shows the text.
    """

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return f'<div class="gl">{style()}{self.html}</div>'


def stack(views: Iterable[View]) -> View:
    """One view under the other."""
    shown = [view for view in views if view.text or view.html]
    return View("\n\n".join(v.text for v in shown if v.text), "".join(v.html for v in shown))


def render(template: str, **data: Any) -> str:
    """The HTML of a template in ``templates/``; every value in it is escaped."""
    return _environment().get_template(template).render(data).strip()


@cache
def style() -> str:
    """The one style sheet, as an element: small enough to travel with each picture."""
    sheet = resources.files("labkit.views").joinpath("templates/style.css").read_text(encoding="utf-8")
    return f"<style>{sheet}</style>"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("labkit.views"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    return environment
