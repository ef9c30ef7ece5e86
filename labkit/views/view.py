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


def render(template: str, *, package: str = "labkit.views", **data: Any) -> str:
    """The HTML of a template in the ``templates/`` of a package; every value in it is escaped."""
    return _environment(package).get_template(template).render(data).strip()


def markup(view: View) -> Any:
    """A view's HTML, to stand in another template as it is."""
    from markupsafe import Markup

    return Markup(view.html)  # noqa: S704  (made by `render`, which escapes)


@cache
def style() -> str:
    """The one style sheet, as an element: small enough to travel with each picture."""
    return f"<style>{sheet()}</style>"


@cache
def sheet() -> str:
    """The style sheet's text, for a page that links to it."""
    return resources.files("labkit.views").joinpath("templates/style.css").read_text(encoding="utf-8")


@cache
def _environment(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["words"] = words
    return environment
