"""Quantities: ``250m`` of a core, ``64Mi`` of memory, compared and written as Kubernetes does.

The form is that of k8s.io/apimachinery ``api/resource``: a decimal number with a binary (``Ki``), decimal (``k``)
or exponent (``e3``) suffix. The canonical form has no fraction, the largest suffix that fits, and the family of
suffix that was written.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?", re.ASCII
)
_BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def parse(text: str | float) -> Decimal:
    """The value of a quantity. ``ValueError`` in the API server's words where it is none."""
    number, suffix = _split(text)
    if suffix in _BINARY[1:]:
        return number * Decimal(1024) ** _BINARY.index(suffix)
    if suffix[:1] in {"e", "E"} and len(suffix) > 1:
        return number.scaleb(int(suffix[1:]))
    return number.scaleb(_DECIMAL[suffix])


def canonical(text: str | float) -> str:
    """The form in which the API server gives a quantity back: ``1000m`` → ``1``, ``0.5Gi`` → ``512Mi``."""
    _, suffix = _split(text)
    value = parse(text)
    if not value:
        return "0"
    if suffix in _BINARY[1:]:
        if abs(value) >= 1024 or value == value.to_integral_value():
            return _binary(value)
        suffix = ""
    value = value.quantize(Decimal("1e-9"), rounding=ROUND_CEILING)  # nothing is finer than a nano
    return _decimal(value, exponent=len(suffix) > 1)


def _split(text: str | float) -> tuple[Decimal, str]:
    found = _QUANTITY.fullmatch(str(text))
    if not found:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    return Decimal(found["number"]), found["suffix"] or ""


def _binary(value: Decimal) -> str:
    whole = value.to_integral_value(rounding=ROUND_CEILING)
    step = 0
    while step < len(_BINARY) - 1 and whole % 1024 == 0:
        whole, step = whole / 1024, step + 1
    return f"{int(whole)}{_BINARY[step]}"


def _decimal(value: Decimal, *, exponent: bool) -> str:
    power = 18
    while value.scaleb(-power) != value.scaleb(-power).to_integral_value():
        power -= 3
    whole = int(value.scaleb(-power))
    if exponent:
        return f"{whole}e{power}" if power else str(whole)
    return f"{whole}{next(suffix for suffix, p in _DECIMAL.items() if p == power)}"
