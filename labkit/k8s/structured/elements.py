"""One step of a path into an object, written as managedFields writes it.

``f:spec`` is a field, ``k:{"name":"web"}`` the element of a list with that key, ``v:"example.com/a"`` the value in
a set, ``i:0`` a place in a list.  The text is the step: two that mean the same are equal, so that steps can stand
in Python's sets and dictionaries.

Source: the path elements of sigs.k8s.io/structured-merge-diff (``fieldpath``), which also says their order.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Element: TypeAlias = str
Path: TypeAlias = tuple[Element, ...]


def field(name: str) -> Element:
    """The step to a field, or to a map's value."""
    return f"f:{name}"


def key(fields: Mapping[str, Any]) -> Element:
    """The step to the list element with these key fields."""
    return "k:" + to_json(dict(sorted(fields.items())))


def value(item: Any) -> Element:
    """The step to a value in a set."""
    return "v:" + to_json(item)


def field_name(element: Element) -> str | None:
    """The name in ``f:name``; None for the other kinds of step."""
    return element[2:] if element.startswith("f:") else None


@lru_cache(maxsize=4096)
def parse(text: str) -> Element | None:
    """A step that somebody else wrote, in the form that `key` and `value` give it; None for a kind we don't know.

    Raises `ValueError` where the text is no step.
    """
    kind, content = text[:2], text[2:]
    if len(text) < 2 or kind[1] != ":":
        raise ValueError(f"{text!r} is not a path element")
    if kind == "f:":
        return text
    if kind == "k:":
        fields = json.loads(content)
        if not isinstance(fields, dict):
            raise ValueError(f"{text!r} has no key fields")
        return key(fields)
    if kind == "v:":
        return value(json.loads(content))
    return f"i:{int(content)}" if kind == "i:" else None


@lru_cache(maxsize=4096)
def words(element: Element) -> str:
    """The step as the API's messages show it: ``.spec``, ``[name="web"]``, ``[="example.com/a"]``, ``[0]``."""
    kind, content = element[:2], element[2:]
    if kind == "f:":
        return f".{content}"
    if kind == "k:":
        return f"[{','.join(f'{name}={_shown(item)}' for name, item in json.loads(content).items())}]"
    if kind == "v:":
        return f"[={_shown(json.loads(content))}]"
    return f"[{content}]"


@lru_cache(maxsize=4096)
def order(element: Element) -> tuple[Any, ...]:
    """What to sort steps by: fields, then keys, then values, then indexes."""
    kind, content = element[:2], element[2:]
    if kind == "f:":
        return (0, content)
    if kind == "k:":
        return (1, tuple((name, *_rank(item)) for name, item in json.loads(content).items()))
    if kind == "v:":
        return (2, _rank(json.loads(content)))
    return (3, int(content))


def to_json(item: Any) -> str:
    """JSON as Go writes it: compact, with ``<``, ``>`` and ``&`` escaped."""
    if isinstance(item, float) and item.is_integer():
        item = int(item)
    text = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _shown(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False) if isinstance(item, str) else to_json(item)


def _rank(item: Any) -> tuple[int, Any]:
    if isinstance(item, bool):
        return (2, item)
    if isinstance(item, int | float):
        return (0, item)
    return (1, item) if isinstance(item, str) else (3, to_json(item))
