"""Parameters: what a generator makes, and a template is filled with. Pure.

Without ``goTemplate`` they are flat: ``path.basename`` is one name, and every value a text. With it they are a tree.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]
Params = dict[str, Any]

LONGEST_NAME = 253
LONGEST_SLUG = 50


def normalised(name: str) -> str:
    """A text made into a name: small letters, digits, ``-`` and ``.``, at most 253."""
    return re.sub(r"[^-a-z0-9.]", "-", name.lower())[:LONGEST_NAME].strip("-.")


def slug(name: str) -> str:
    """A text made into part of a name: at most 50 characters, cut between words.

    Source: gosimple/slug, with the settings of Argo CD's pull request generator. Letters with an accent lose it.
    """
    import unicodedata

    plain = unicodedata.normalize("NFKD", name.strip()).encode("ascii", "ignore").decode().lower()
    plain = plain.replace("_", "-").replace("&", "and").replace("@", "at")
    made = re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", plain)).strip("-")
    if len(made) <= LONGEST_SLUG:
        return made
    cut = made[: LONGEST_SLUG + 1].rfind("-")
    return made[: cut if cut >= 0 else LONGEST_SLUG]


def text(value: Any) -> str:
    """A value as Go prints it (``%v``)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list):
        return f"[{' '.join(map(text, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{text(value[key])}' for key in sorted(value))}]"
    return str(value)


def _number(value: float) -> str:
    """Numbers of JSON and YAML are floating-point in Go: from 1e+06 on, and below 1e-04, with an exponent."""
    found = Decimal(repr(float(value))).normalize()
    sign, digits, exponent = found.as_tuple()
    places = len(digits) + int(exponent) - 1
    if found and not -4 <= places < 6:
        written = "".join(map(str, digits))
        return f"{'-' if sign else ''}{written[0]}{'.' if written[1:] else ''}{written[1:]}e{places:+03d}"
    return f"{found:f}"


def flat(params: Params, prefix: str = "") -> dict[str, str]:
    """A tree as flat names with dots; places of a list by their number."""
    return {name: text(value) for name, value in _leaves(params, prefix)}


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def overridden(under: Params, over: Params) -> Params:
    """``over`` on ``under``: maps are merged, anything else is replaced; an empty list replaces none."""
    made = dict(under)
    for key, value in over.items():
        before = made.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            made[key] = overridden(before, value)
        elif not (isinstance(before, list) and before and value == []):
            made[key] = value
    return made


def filled(own: JSON, base: JSON) -> JSON:
    """``own`` with what it leaves empty taken from ``base``: how a generator's template is completed by the set's."""
    made = dict(own)
    for key, value in base.items():
        before = made.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            made[key] = filled(before, value)
        elif not before:
            made[key] = value
    return made


def combined(first: Params, second: Params) -> Params:
    """Two sets of flat parameters as one; `ValueError` where they disagree."""
    made = {key: text(value) for key, value in first.items()}
    for key, value in second.items():
        said = text(value)
        if made.setdefault(key, said) != said:
            raise ValueError(f"found duplicate key {key} with different value, a: {made[key]} ,b: {said}")
    return made
