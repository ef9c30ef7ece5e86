"""Quantities: ``250m`` of a core, ``64Mi`` of memory, compared and written as Kubernetes does.

The form is that of k8s.io/apimachinery ``api/resource``: a decimal number with a binary (``Ki``), decimal (``k``)
or exponent (``e3``) suffix. The canonical form has no fraction, the largest suffix that fits, and the family of
suffix that was written. Nothing is larger than 2⁶³-1 or finer than a nano: the former is cut, the latter rounded
away from zero.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_UP, Decimal, localcontext

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?", re.ASCII
)
_BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


_LARGEST = Decimal(2**63 - 1)
_NANO = Decimal("1e-9")


def parse(text: str | float) -> Decimal:
    """The value of a quantity. ``ValueError`` in the API server's words where it is none."""
    number, suffix = _split(text)
    with localcontext() as exact:
        exact.prec = len(number.as_tuple().digits) + 40  # no digit that was written is lost
        if suffix in _BINARY[1:]:
            value = number * Decimal(1024) ** _BINARY.index(suffix)
        elif suffix[:1] in {"e", "E"} and len(suffix) > 1:
            value = _scaled(number, int(suffix[1:]))
        else:
            value = number.scaleb(_DECIMAL[suffix])
        if abs(value) > _LARGEST:
            return _LARGEST.copy_sign(value)
        return value.quantize(_NANO, rounding=ROUND_UP) if value else Decimal(0)


def _scaled(number: Decimal, power: int) -> Decimal:
    """The number times ten to the power; a power beyond all bounds makes it the largest or the smallest."""
    magnitude = number.adjusted() + power
    if not number or -30 < magnitude < 30:
        return number.scaleb(power) if number else number
    return (_LARGEST if magnitude > 0 else _NANO).copy_sign(number)


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
    return _decimal(value, exponent=len(suffix) > 1)


def _split(text: str | float) -> tuple[Decimal, str]:
    found = _QUANTITY.fullmatch(str(text))
    if not found:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, suffix = Decimal(found["number"]), found["suffix"] or ""
    if len(suffix) > 20:  # an exponent that Go cannot read either
        raise ValueError("unable to parse quantity's suffix")
    return number, suffix


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
