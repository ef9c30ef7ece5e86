"""How a Job counts: indexes, and its policies for failure, success and replacement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import (
    FieldError,
    bad,
    duplicate,
    plainly,
    required,
    too_many,
    unsupported,
)
from labkit.sandbox.apiserver.validation.basics import choice

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_MOST_INDEXES: Final = 100_000
_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS: Final = ("In", "NotIn")
_STATUSES: Final = ("False", "True", "Unknown")
_BY_INDEX: Final = ("backoffLimitPerIndex", "maxFailedIndexes")
_NEEDS_INDEXED: Final = "requires indexed completion mode"


def check(spec: JSON, path: str) -> Iterator[FieldError]:
    """Everything that says which pods count how."""
    mode = spec.get("completionMode")
    yield from choice(mode, f"{path}.completionMode", ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        yield from _indexed(spec, path)
    else:
        said = [field for field in _BY_INDEX if spec.get(field) is not None]
        yield from (bad(f"{path}.{field}", spec[field], _NEEDS_INDEXED) for field in said)
    if spec.get("podFailurePolicy") is not None:
        yield from _failure(spec, f"{path}.podFailurePolicy.rules")
    if spec.get("successPolicy") is not None:
        if mode != "Indexed":
            yield bad(f"{path}.successPolicy", spec["successPolicy"], _NEEDS_INDEXED)
        else:
            yield from _success(spec, f"{path}.successPolicy.rules")
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        choices = ("Failed",) if spec.get("podFailurePolicy") else ("Failed", "TerminatingOrFailed")
        if replacement not in choices:
            yield unsupported(f"{path}.podReplacementPolicy", replacement, choices)


def _indexed(spec: JSON, path: str) -> Iterator[FieldError]:
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    failed = spec.get("maxFailedIndexes")
    if completions is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
        completions = 0
    if parallelism > _MOST_INDEXES:
        text = f"must be less than or equal to {_MOST_INDEXES} when completion mode is Indexed"
        yield bad(f"{path}.parallelism", parallelism, text)
    if failed is not None and spec.get("completions") is not None and failed > completions:
        yield bad(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions")
    if failed is not None and failed > _MOST_INDEXES:
        yield bad(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {_MOST_INDEXES}")
    if completions > _MOST_INDEXES and spec.get("backoffLimitPerIndex") is not None:
        if failed is None:
            text = f"must be specified when completions is above {_MOST_INDEXES}"
            yield required(f"{path}.maxFailedIndexes", text)
        limits = (("parallelism", parallelism, 10_000), ("maxFailedIndexes", failed or 0, 10_000))
        for field, value, most in limits:
            if value > most:
                text = f"must be less than or equal to {most} when completions are above {_MOST_INDEXES}"
                yield bad(f"{path}.{field}", value, f"{text} and used with backoff limit per index")


def _listed(choices: tuple[str, ...]) -> str:
    return "[" + " ".join(f'"{one}"' for one in choices) + "]"


def _failure(spec: JSON, path: str) -> Iterator[FieldError]:
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > 20:
        yield too_many(path, len(rules), 20)
    for index, rule in enumerate(rules):
        yield from _rule(spec, rule, f"{path}[{index}]")


def _rule(spec: JSON, rule: JSON, path: str) -> Iterator[FieldError]:
    action, codes = rule.get("action", ""), rule.get("onExitCodes")
    conditions = rule.get("onPodConditions") or []
    if not action:
        yield required(f"{path}.action", f"valid values: {_listed(_ACTIONS)}")
    elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield bad(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    elif action not in _ACTIONS:
        yield unsupported(f"{path}.action", action, _ACTIONS)
    if codes is not None:
        yield from _codes(spec, codes, f"{path}.onExitCodes")
    for index, pattern in enumerate(conditions):
        place, kind, status = (
            f"{path}.onPodConditions[{index}]",
            pattern.get("type", ""),
            pattern.get("status"),
        )
        yield from (bad(f"{place}.type", kind, text) for text in names.qualified_name(kind))
        if not status:
            yield required(f"{place}.status", f"valid values: {_listed(_STATUSES)}")
        elif status not in _STATUSES:
            yield unsupported(f"{place}.status", status, _STATUSES)
    if codes is not None and conditions:
        yield plainly(path, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not conditions:
        yield plainly(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _codes(spec: JSON, codes: JSON, path: str) -> Iterator[FieldError]:
    operator, values, name = codes.get("operator", ""), codes.get("values") or [], codes.get("containerName")
    if not operator:
        yield required(f"{path}.operator", f"valid values: {_listed(_OPERATORS)}")
    elif operator not in _OPERATORS:
        yield unsupported(f"{path}.operator", operator, _OPERATORS)
    pod = (spec.get("template") or {}).get("spec") or {}
    known = {one.get("name") for field in ("containers", "initContainers") for one in pod.get(field) or ()}
    if name is not None and name not in known:
        text = "must be one of the container or initContainer names in the pod template"
        yield bad(f"{path}.containerName", name, text)
    if not values:
        yield bad(f"{path}.values", values, "at least one value is required")
    elif len(values) > 255:
        yield too_many(f"{path}.values", len(values), 255)
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield bad(f"{path}.values[{index}]", value, "must not be 0 for the In operator")
        if value in values[:index]:
            yield duplicate(f"{path}.values[{index}]", value)
    if values != sorted(values):
        yield bad(f"{path}.values", values, "must be ordered")


def _success(spec: JSON, path: str) -> Iterator[FieldError]:
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        yield required(path, "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > 20:
        yield too_many(path, len(rules), 20)
    for index, rule in enumerate(rules):
        place, count, which = f"{path}[{index}]", rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and which is None:
            yield required(place, "at least one of succeededCount or succeededIndexes must be specified")
        total = spec.get("completions") or 0
        if which is not None:
            problem, total = _indexes(which, total)
            if problem:
                yield bad(f"{place}.succeededIndexes", which, f"error parsing succeededIndexes: {problem}")
        if count is not None:
            most = spec.get("completions") or 0
            if count < 0:
                yield bad(f"{place}.succeededCount", count, "must be greater than or equal to 0")
            elif count > most:
                text = f"must be less than or equal to {most} (the number of specified completions)"
                yield bad(f"{place}.succeededCount", count, text)
            elif which is not None and count > total:
                text = f"must be less than or equal to {total} (the number of indexes in the specified "
                yield bad(f"{place}.succeededCount", count, f"{text}succeededIndexes field)")


def _indexes(text: str, completions: int) -> tuple[str, int]:
    """What is wrong with ``1,3-5``, and how many indexes it names."""
    total, last = 0, -1
    for part in text.split(","):
        first, _, end = part.partition("-")
        try:
            low, high = int(first), int(end or first)
        except ValueError:
            return f'cannot convert string to integer for index: "{first or end}"', total
        if high >= completions:
            return "too large index: " + f'"{max(low, high)}"', total
        if low <= last or high < low:
            return f"non-increasing order, previous: {last}, current: {low}", total
        total, last = total + high - low + 1, high
    return "", total
