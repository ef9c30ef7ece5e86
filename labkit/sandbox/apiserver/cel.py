"""A schema's own rules (``x-kubernetes-validations``), in the Common Expression Language.

The language is the library's; the functions that Kubernetes adds to it are `FUNCTIONS`.

Source: apiextensions-apiserver, pkg/apiserver/schema/cel; apiserver, pkg/cel/library.
"""

# ruff: noqa: SIM905 - a table of words is read more easily as text

from __future__ import annotations

import ipaddress
import re
import sys
import types
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from labkit.k8s import quantities
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, required

# The library's package imports its command line, and with it 30 MB that nothing here uses.
sys.modules.setdefault("cel.cli", types.ModuleType("cel.cli"))

import cel  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JSON = dict[str, Any]

_ABSENT: Final = object()
_FORBIDDEN_NAMES: Final = frozenset(
    "true false null in as break const continue else for function if import let loop package namespace return var "
    "void while".split()
)


def broken_rules(obj: Any, old: Any, schema: JSON) -> Iterator[FieldError]:
    """The errors of all rules that the object breaks, from the root down; `old` is None for a new object."""
    yield from _walk(obj, old if old is not None else _ABSENT, schema, "")


def _walk(value: Any, old: Any, schema: JSON, path: str) -> Iterator[FieldError]:
    for rule in schema.get("x-kubernetes-validations") or ():
        yield from _check(rule, value, old, schema, path)
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        before = old if isinstance(old, dict) else {}
        for key, item in value.items():
            below = properties.get(key) or (extra if isinstance(extra, dict) else None)
            if below is not None:
                place = (f"{path}.{key}" if path else key) if key in properties else f"{path}[{key}]"
                yield from _walk(item, before.get(key, _ABSENT), below, place)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _walk(item, _counterpart(item, old, schema), schema["items"], f"{path}[{index}]")


def _counterpart(item: Any, old: Any, schema: JSON) -> Any:
    """The element of a map-list that the item was; other lists' elements have no past."""
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return _ABSENT
    return next((one for one in old if all(one.get(key) == item.get(key) for key in keys)), _ABSENT)


def _check(rule: JSON, value: Any, old: Any, schema: JSON, path: str) -> Iterator[FieldError]:
    expression = rule["rule"]
    changes = re.search(r"\boldSelf\b", expression) is not None
    if changes and old is _ABSENT and not rule.get("optionalOldSelf"):
        return  # a rule about a change says nothing about what is new
    variables = {"self": _prepared(value, schema)}
    if changes:
        variables["oldSelf"] = _prepared(old, schema) if old is not _ABSENT else None
    try:
        holds = _evaluate(expression, variables)
    except (RuntimeError, ValueError, TypeError) as error:
        yield bad(path or "<nil>", None, f"{error} evaluating rule: {_message(rule, variables)}")
        return
    if holds is not True:
        yield _error(rule, path, _message(rule, variables))


def _error(rule: JSON, path: str, message: str) -> FieldError:
    place = path or "<nil>"
    extra = rule.get("fieldPath")
    if extra:
        place = f"{path}{extra}" if path else extra.lstrip(".")
    reason = rule.get("reason")
    if reason == "FieldValueForbidden":
        return forbidden(place, message)
    if reason == "FieldValueRequired":
        return required(place, message)
    if reason == "FieldValueDuplicate":
        return duplicate(place, message)
    return FieldError(place, "FieldValueInvalid", f"Invalid value: {message}")


def _message(rule: JSON, variables: JSON) -> str:
    if rule.get("messageExpression"):
        try:
            text = _evaluate(rule["messageExpression"], variables)
        except (RuntimeError, ValueError, TypeError):
            text = None
        if isinstance(text, str) and text.strip() and "\n" not in text:
            return text
    return str(rule.get("message") or f"failed rule: {rule['rule']}").strip()


# ── the language ──────────────────────────────────────────────────────────────


@lru_cache(maxsize=512)
def _program(expression: str) -> Any:
    return cel.compile(expression)


def _evaluate(expression: str, variables: JSON) -> Any:
    context = cel.Context(variables=variables, functions=FUNCTIONS)
    return _program(expression).execute(context)


def _prepared(value: Any, schema: JSON) -> Any:
    """The value as CEL sees it: field names that are no identifiers are escaped, times are timestamps."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        return {
            _escaped(key) if key in properties else key: _prepared(
                item, properties.get(key) or (extra if isinstance(extra, dict) else {})
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = schema.get("items")
        return [_prepared(item, items if isinstance(items, dict) else {}) for item in value]
    if isinstance(value, str) and schema.get("format") == "date-time":
        return datetime.fromisoformat(value)
    if type(value) is int and schema.get("type") == "number":
        return float(value)
    return value


def _escaped(name: str) -> str:
    if name in _FORBIDDEN_NAMES:
        return f"__{name}__"
    replaced = name.replace("__", "__underscores__")
    return replaced.replace(".", "__dot__").replace("-", "__dash__").replace("/", "__slash__")


def _index(values: Any, wanted: Any) -> int:
    if isinstance(values, str):
        return values.find(wanted)
    return next((place for place, one in enumerate(values) if one == wanted), -1)


def _last_index(values: Any, wanted: Any) -> int:
    if isinstance(values, str):
        return values.rfind(wanted)
    return next((place for place in range(len(values) - 1, -1, -1) if values[place] == wanted), -1)


def _is(check: Callable[[str], Any]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            check(text)
        except ValueError:
            return False
        return True

    return test


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match[0] if match else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match[0] for match in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    return list(text) if separator == "" else text.split(separator, -1 if limit < 0 else limit - 1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    return text[start : len(text) if end is None else end]


def _join(values: list[str], separator: str = "") -> str:
    return separator.join(values)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    # lists
    "isSorted": lambda values: list(values) == sorted(values),
    "sum": sum,
    "min": min,
    "max": max,
    "indexOf": _index,
    "lastIndexOf": _last_index,
    # strings
    "charAt": lambda text, place: text[place : place + 1],
    "lowerAscii": lambda text: text.lower(),
    "upperAscii": lambda text: text.upper(),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "substring": _substring,
    "trim": lambda text: text.strip(),
    "find": _find,
    "findAll": _find_all,
    # addresses
    "isURL": _is(lambda text: urlsplit(text).scheme or int("no scheme")),
    "isIP": _is(ipaddress.ip_address),
    "isCIDR": _is(ipaddress.ip_network),
    # quantities, as numbers
    "isQuantity": _is(quantities.parse),
    "quantity": lambda text: float(quantities.parse(text)),
    "asInteger": int,
    "asApproximateFloat": float,
    "isGreaterThan": lambda a, b: a > b,
    "isLessThan": lambda a, b: a < b,
    "compareTo": lambda a, b: (a > b) - (a < b),
}
