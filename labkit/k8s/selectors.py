"""Label and field selectors: which objects a Service, a Deployment or a ``kubectl get -l`` means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.errors import BadRequest
from labkit.k8s import names
from labkit.k8s.objects import Object, get_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Requirement:
    """One condition on a label: ``operator`` is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it. A missing label meets NotIn and DoesNotExist, as in Kubernetes."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        return value is not None and self._compares(value)

    def _compares(self, value: str) -> bool:
        try:
            number, bound = int(value), int(next(iter(self.values)))
        except ValueError:
            return False
        return number > bound if self.operator == "Gt" else number < bound


@dataclass(frozen=True)
class LabelSelector:
    """Requirements that must all be met; none at all means everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """From a query: ``app=web,tier in (a, b),!legacy``. `BadRequest` in the API server's words."""
        return cls(tuple(_Parser(text).requirements())) if text.strip() else cls()

    @classmethod
    def from_object(cls, selector: Mapping[str, Any] | None) -> LabelSelector:
        """From an object's ``matchLabels`` and ``matchExpressions``; ``None`` selects nothing."""
        if selector is None:
            return NOTHING
        labels = selector.get("matchLabels") or {}
        expressions = selector.get("matchExpressions") or []
        return cls(
            tuple(Requirement(key, "In", frozenset([value])) for key, value in labels.items())
            + tuple(
                Requirement(e["key"], e["operator"], frozenset(e.get("values") or [])) for e in expressions
            )
        )

    @classmethod
    def from_labels(cls, labels: Mapping[str, str] | None) -> LabelSelector:
        """From a plain map, as in a Service or ReplicationController; an empty one selects nothing."""
        return cls.from_object({"matchLabels": labels}) if labels else NOTHING

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(_written(requirement) for requirement in self.requirements)


NOTHING = LabelSelector((Requirement("", "In"),))
"""Selects no object: what an absent selector means in a spec."""


def _written(requirement: Requirement) -> str:
    values = sorted(requirement.values)
    if requirement.operator in {"Exists", "DoesNotExist"}:
        return f"{'!' if requirement.operator == 'DoesNotExist' else ''}{requirement.key}"
    if requirement.operator in {"Gt", "Lt"}:
        return f"{requirement.key}{'>' if requirement.operator == 'Gt' else '<'}{values[0]}"
    if requirement.operator == "In" and len(values) == 1:
        return f"{requirement.key}={values[0]}"
    return f"{requirement.key} {'in' if requirement.operator == 'In' else 'notin'} ({','.join(values)})"


_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_OPERATORS = {"=": "In", "==": "In", "!=": "NotIn", "in": "In", "notin": "NotIn", ">": "Gt", "<": "Lt"}


class _Parser:
    """Reads a selector left to right; what it says of a bad one is what the API server says."""

    def __init__(self, text: str) -> None:
        self.words = _TOKEN.findall(text)
        self.position = 0

    def requirements(self) -> list[Requirement]:
        if self._peek() != "!" and not _is_identifier(self._peek()):
            raise BadRequest(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        found = [self._requirement()]
        while (word := self._next()) == ",":
            if self._peek() != "!" and not _is_identifier(self._peek()):
                raise BadRequest(f"found '{self._peek()}', expected: identifier after ','")
            found.append(self._requirement())
        if word:
            raise BadRequest(f"found '{word}', expected: ',' or 'end of string'")
        return found

    def _requirement(self) -> Requirement:
        word = self._next()
        absent = word == "!"
        key = self._next() if absent else word
        if not _is_identifier(key):
            raise _refused(f"found '{key}', expected: identifier")
        if problems := names.label_key(key):
            raise _refused(f'key: Invalid value: "{key}": {"; ".join(problems)}')
        if absent:
            return Requirement(key, "DoesNotExist")
        if self._peek() in {"", ","}:
            return Requirement(key, "Exists")
        return Requirement(key, *self._condition(key))

    def _condition(self, key: str) -> tuple[str, frozenset[str]]:
        sign = self._next()
        operator = _OPERATORS.get(sign)
        if operator is None:
            raise _refused(f"found '{sign}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._set() if sign in {"in", "notin"} else [self._value()]
        for value in values:
            if operator in {"Gt", "Lt"} and not re.fullmatch(r"[+-]?\d+", value):
                raise _refused(
                    f"values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
                )
            if problems := names.label_value(value):
                raise _refused(f'values[0][{key}]: Invalid value: "{value}": {"; ".join(problems)}')
        return operator, frozenset(values)

    def _value(self) -> str:
        if self._peek() in {"", ","}:
            return ""
        if not _is_identifier(word := self._next()):
            raise _refused(f"found '{word}', expected: identifier")
        return word

    def _set(self) -> list[str]:
        if (word := self._next()) != "(":
            raise _refused(f"found '{word}' expected: '('")
        if self._peek() not in {",", ")"} and not _is_identifier(self._peek()):
            raise _refused(f"found '{self._peek()}', expected: ',', ')' or identifier")
        values = [self._element()]
        while (word := self._next()) == ",":
            values.append(self._element())
        if word != ")":
            raise _refused(f"found '{word}', expected: ',' or ')'")
        return values

    def _element(self) -> str:
        if self._peek() in {",", ")"}:
            return ""
        if not _is_identifier(word := self._next()):
            raise _refused(f"found '{word}', expected: ',', or identifier")
        return word

    def _next(self) -> str:
        word = self._peek()
        self.position += 1
        return word

    def _peek(self) -> str:
        return self.words[self.position] if self.position < len(self.words) else ""


def _is_identifier(word: str) -> bool:
    return word not in {"", "=", "==", "!", "!=", "(", ")", ",", "<", ">"}


def _refused(problem: str) -> BadRequest:
    return BadRequest(f"unable to parse requirement: {problem}")


@dataclass(frozen=True)
class FieldSelector:
    """Conditions on fields: path, whether it must equal, value. Which paths a kind knows is the server's to say."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> FieldSelector:
        """From a query: ``status.phase=Running,metadata.name!=web``."""
        terms = []
        for part in re.split(r"(?<!\\),", text):
            if not part:
                continue
            found = re.fullmatch(r"(.*?)(!=|==|=)(.*)", part, re.DOTALL)
            if not found:
                raise BadRequest(f"invalid selector: '{text}'; can't understand '{part}'")
            terms.append((found[1], found[2] != "!=", re.sub(r"\\([,=\\])", r"\1", found[3])))
        return cls(tuple(terms))

    def matches(self, obj: Object, field: Callable[[Object, str], str] | None = None) -> bool:
        """Whether an object is selected; ``field`` reads a path for kinds where that is not plain."""
        read = field or _field
        return all((read(obj, path) == value) is equal for path, equal, value in self.terms)


def _field(obj: Object, path: str) -> str:
    value = get_path(obj, *path.split("."), default="")
    return str(value).lower() if isinstance(value, bool) else str(value)
