"""Rules that many kinds share: numbers, choices, selectors, label maps."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from labkit.k8s import names
from labkit.sandbox.apiserver import object_meta
from labkit.sandbox.apiserver.field_errors import FieldError, bad, forbidden, required, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

JSON = dict[str, Any]

NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"


def not_negative(obj: JSON, path: str, *fields: str) -> Iterator[FieldError]:
    """Numbers that may not be below zero."""
    for field in fields:
        value = obj.get(field)
        if value is not None and value < 0:
            yield bad(f"{path}.{field}" if path else field, value, NOT_NEGATIVE)


def choice(value: Any, path: str, choices: Iterable[str], *, needed: bool = False) -> Iterator[FieldError]:
    """One of a few words."""
    if not value:
        if needed:
            yield required(path)
    elif value not in choices:
        yield unsupported(path, value, choices)


def port_number(value: Any, path: str) -> Iterator[FieldError]:
    """A port of a machine."""
    if not 1 <= value <= 65535:
        yield bad(path, value, "must be between 1 and 65535, inclusive")


def port_name(value: str) -> list[str]:
    """An IANA service name."""
    errors = []
    if len(value) > 15:
        errors.append("must be no more than 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def port_reference(value: Any, path: str) -> Iterator[FieldError]:
    """A port by number or name."""
    if isinstance(value, str):
        yield from (bad(path, value, text) for text in port_name(value))
    elif value is not None:
        yield from port_number(value, path)


def address(value: str, path: str) -> Iterator[FieldError]:
    """An IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        yield bad(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def cidr(value: str, path: str) -> Iterator[FieldError]:
    """A range of IP addresses."""
    try:
        ipaddress.ip_network(value, strict=False)
        whole = "/" in value
    except ValueError:
        whole = False
    if not whole:
        yield bad(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def domain_path(value: str, path: str) -> Iterator[FieldError]:
    """A path in a domain of one's own, as ``example.com/thing``."""
    domain, slash, rest = value.partition("/")
    if not value:
        yield required(path)
    elif not slash or not domain or not rest:
        yield bad(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from (bad(path, domain, text) for text in names.dns1123_subdomain(domain))
        if not re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", rest):
            says = "Invalid path"
            yield bad(path, rest, f"{says} (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')")


def label_map(values: JSON | None, path: str) -> Iterator[FieldError]:
    """Labels to select by."""
    yield from object_meta.labels(values or {}, path)


def label_selector(selector: JSON | None, path: str) -> Iterator[FieldError]:
    """A LabelSelector."""
    if selector is None:
        return
    yield from label_map(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        yield from _expression(expression, f"{path}.matchExpressions[{index}]")


def selector_operators(selector: JSON | None, path: str) -> Iterator[FieldError]:
    """What keeps a LabelSelector from being understood at all."""
    yield from (
        error
        for index, expression in enumerate((selector or {}).get("matchExpressions") or ())
        for error in _expression(expression, f"{path}.matchExpressions[{index}]")
    )


def _expression(expression: JSON, path: str) -> Iterator[FieldError]:
    operator, values = expression.get("operator", ""), expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(
                f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
    else:
        yield bad(f"{path}.operator", operator, "not a valid selector operator")
    key = expression.get("key", "")
    yield from (bad(f"{path}.key", key, text) for text in names.label_key(key))
    for index, value in enumerate(values):
        yield from (bad(f"{path}.values[{index}]", value, text) for text in names.label_value(value))


def immutable(new: JSON, old: JSON, path: str, *fields: str) -> Iterator[FieldError]:
    """Fields that stay what they were."""
    for field in fields:
        if new.get(field) != old.get(field):
            yield bad(f"{path}.{field}" if path else field, new.get(field), IMMUTABLE)


def percent_or_number(value: Any, path: str) -> Iterator[FieldError]:
    """``3`` or ``25%``."""
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]+%", value):
            text = (
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                "regex used for validation is '[0-9]+%')"
            )
            yield bad(path, value, text)
    elif value is not None and value < 0:
        yield bad(path, value, NOT_NEGATIVE)


def at_most_all(value: Any, path: str) -> Iterator[FieldError]:
    """No more than 100 %."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit() and int(value[:-1]) > 100:
        yield bad(path, value, "must not be greater than 100%")


def is_zero(value: Any) -> bool:
    """Whether a number or percentage is nothing."""
    return value in (0, "0%", None)
