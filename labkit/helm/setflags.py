"""Helm's ``--set`` language: ``image.tag=v2,ports={80,443},hosts[0].name=a\\.b``.

Why our own: Helm applies each flag to the values gathered so far (``hosts[0].port=80`` changes one item of a
list from a values file), and its library only offers to parse one alone. The grammar and the limits are those
of Helm 4's ``pkg/strvals``: ``.`` goes into a map, ``[n]`` into a list, ``{a,b}`` is a list, a backslash takes
the next character as it is, and a value is ``true``, ``false``, ``null``, a whole number or text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labkit.errors import ValuesError
from labkit.helm.numbers import FlagNumber

if TYPE_CHECKING:
    from collections.abc import Callable

Values = dict[str, Any]

MOST_INDEX = 65_536
MOST_LEVELS = 30


def set_typed(expression: str, values: Values) -> None:
    """Apply a ``--set`` expression to ``values``, in place; `ValuesError` if it cannot be read."""
    _Parser(expression, "--set", _typed).apply(values)


def set_string(expression: str, values: Values) -> None:
    """Apply a ``--set-string`` expression: every value stays text."""
    _Parser(expression, "--set-string", str).apply(values)


def set_file(expression: str, values: Values, read: Callable[[str], str]) -> None:
    """Apply a ``--set-file`` expression: every value is a path, and ``read`` gives that file's text."""
    _Parser(expression, "--set-file", read).apply(values)


def set_json(expression: str, values: Values) -> None:
    """Apply a ``--set-json`` expression of the form ``key=JSON,key=JSON``."""
    _Parser(expression, "--set-json", None).apply(values)


def _typed(text: str) -> Any:
    word = text.lower()
    if word in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[word]
    digits = text[1:] if text[:1] in {"-", "+"} else text
    if text == "0" or (digits.isascii() and digits.isdigit() and text[0] != "0"):
        number = int(text)
        return FlagNumber(number) if -(2**63) <= number < 2**63 else text
    return text


class _Parser:
    """One expression, read from left to right."""

    def __init__(self, expression: str, flag: str, convert: Callable[[str], Any] | None) -> None:
        self.text, self.flag, self.convert = expression, flag, convert
        self.at = 0

    def apply(self, values: Values) -> None:
        try:
            while self.at < len(self.text):
                self._key(values, 1)
        except ValuesError:
            raise
        except (ValueError, RecursionError) as problem:
            raise self._wrong(str(problem)) from None

    def _wrong(self, problem: str) -> ValuesError:
        return ValuesError(
            problem,
            where=f"{self.flag} {self.text}",
            fix="the form is name=value, with dots into maps (image.tag=v2) and [0] into lists; "
            "a comma, dot or bracket that belongs to the text has a backslash before it",
        )

    def _until(self, stops: str) -> tuple[str, str]:
        """The text up to one of ``stops``, and which it was ('' at the end); backslashes are resolved."""
        taken: list[str] = []
        while self.at < len(self.text):
            character = self.text[self.at]
            self.at += 1
            if character in stops:
                return "".join(taken), character
            if character == "\\":
                if self.at == len(self.text):
                    break
                character = self.text[self.at]
                self.at += 1
            taken.append(character)
        return "".join(taken), ""

    def _key(self, into: Values, level: int) -> None:
        key, stop = self._until("=[,.")
        if not stop:
            if key:
                raise self._wrong(f"{key!r} has no value")
            return
        if stop == ",":
            raise self._wrong(f"{key!r} has no value (before a comma)")
        if stop == "=":
            _put(into, key, self._value())
        elif stop == "[":
            index = self._index()
            items = into.get(key, [])
            if not isinstance(items, list):
                raise self._wrong(f"{key!r} is not a list, so it has no item [{index}]")
            _put(into, key, self._item(items, index, level))
        else:
            self._inner(into, key, level + 1)

    def _inner(self, into: Values, key: str, level: int) -> None:
        if level > MOST_LEVELS:
            raise self._wrong(f"names are nested more than {MOST_LEVELS} deep")
        inner = into.get(key, {})
        if not isinstance(inner, dict):
            raise self._wrong(f"{key!r} is not a map, so nothing can be set in it")
        self._key(inner, level)
        if not inner:
            raise self._wrong(f"{key!r} has no value")
        _put(into, key, inner)

    def _index(self) -> int:
        text, stop = self._until("]")
        if not stop or not text.isascii() or not text.isdigit():
            raise self._wrong(f"[{text}] is not the number of a list's item")
        index = int(text)
        if index > MOST_INDEX:
            raise self._wrong(f"[{text}] is larger than {MOST_INDEX}")
        return index

    def _item(self, items: list[Any], index: int, level: int) -> list[Any]:
        rest, stop = self._until("[.=")
        if rest or not stop:
            raise self._wrong(f"unexpected {rest!r} after [{index}]" if rest else f"[{index}] has no value")
        present = items[index] if index < len(items) else None
        value: Any
        if stop == "=":
            value = self._value()
        elif stop == "[":
            deeper = self._index()
            if present is not None and not isinstance(present, list):
                raise self._wrong(f"item [{index}] is not a list, so it has no item [{deeper}]")
            value = self._item(present or [], deeper, level)
        else:
            value = present if isinstance(present, dict) else {}
            self._key(value, level)
            if not value:
                raise self._wrong(f"item [{index}] has no value")
        grown = items + [None] * (index + 1 - len(items))
        grown[index] = value
        return grown

    def _value(self) -> Any:
        if self.convert is None:
            return self._json()
        if self.text[self.at : self.at + 1] != "{":
            text, _ = self._until(",")
            return self.convert(text)
        self.at += 1
        found: list[Any] = []
        stop = ","
        while stop == ",":
            text, stop = self._until(",}")
            if not stop:
                raise self._wrong("a list must end with '}'")
            found.append(self.convert(text))
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
        return found

    def _json(self) -> Any:
        self._skip_blanks()
        value: Any = None
        if self.at < len(self.text) and self.text[self.at] != ",":
            try:
                value, self.at = json.JSONDecoder().raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as problem:
                raise self._wrong(f"the value is not JSON: {problem}") from None
            self._skip_blanks()
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
        return value

    def _skip_blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1


def _put(into: Values, key: str, value: Any) -> None:
    if key:  # Helm leaves out what has no name
        into[key] = value
