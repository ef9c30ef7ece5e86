"""Where a pod may run: tolerations, affinity, spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, required, unsupported
from labkit.sandbox.apiserver.validation.basics import choice, label_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_MUST: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_MAY: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def toleration(one: JSON, path: str) -> Iterator[FieldError]:
    """What a pod puts up with on a node."""
    key, operator, effect = one.get("key", ""), one.get("operator", ""), one.get("effect", "")
    value = one.get("value", "")
    if key:
        yield from (bad(f"{path}.key", key, text) for text in names.label_key(key))
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield bad(f"{path}.operator", operator, text)
    if one.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield bad(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("", "Equal"):
        problems = names.label_value(value)
        if problems:
            yield bad(f"{path}.operator", value, ";".join(problems))
    elif operator == "Exists":
        if value:
            yield bad(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")
    else:
        yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
    yield from choice(effect, f"{path}.effect", EFFECTS)


def taints(values: list[JSON], path: str) -> Iterator[FieldError]:
    """A node's taints, each key once an effect."""
    seen = set()
    for index, one in enumerate(values):
        place, key, effect = f"{path}[{index}]", one.get("key", ""), one.get("effect", "")
        yield from (bad(f"{place}.key", key, text) for text in names.label_key(key))
        problems = names.label_value(one.get("value", ""))
        if problems:
            yield bad(f"{place}.value", one["value"], ";".join(problems))
        yield from choice(effect, f"{place}.effect", EFFECTS, needed=True)
        if (key, effect) in seen:
            error = duplicate(place, one)
            text = "taints must be unique by key and effect pair"
            yield FieldError(error.field, error.reason, f"{error.message}: {text}")
        seen.add((key, effect))


def affinity(said: JSON, path: str) -> Iterator[FieldError]:
    """To which nodes, and beside which pods."""
    yield from _to_nodes(said.get("nodeAffinity") or {}, f"{path}.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        to_pods = said.get(field) or {}
        for index, term in enumerate(to_pods.get(_MUST) or ()):
            yield from _term(term, f"{path}.{field}.{_MUST}[{index}]")
        for index, weighted in enumerate(to_pods.get(_MAY) or ()):
            place = f"{path}.{field}.{_MAY}[{index}]"
            yield from _weight(weighted, place)
            yield from _term(weighted.get("podAffinityTerm") or {}, f"{place}.podAffinityTerm")


def _weight(weighted: JSON, path: str) -> Iterator[FieldError]:
    if not 1 <= weighted.get("weight", 0) <= 100:
        yield bad(f"{path}.weight", weighted.get("weight", 0), "must be in the range 1-100")


def _term(term: JSON, path: str) -> Iterator[FieldError]:
    yield from label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    for name in term.get("namespaces") or ():
        yield from (bad(f"{path}.namespace", name, text) for text in names.dns1123_label(name))
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from (bad(f"{path}.topologyKey", key, text) for text in names.label_key(key))


def _to_nodes(said: JSON, path: str) -> Iterator[FieldError]:
    selector = said.get(_MUST)
    if selector is not None:
        yield from node_selector(selector, f"{path}.{_MUST}")
    for index, weighted in enumerate(said.get(_MAY) or ()):
        yield from _weight(weighted, f"{path}.{_MAY}[{index}]")
        place = f"{path}.{_MAY}[{index}].preference"
        yield from _node_term(weighted.get("preference") or {}, place, values=False)


def node_selector(selector: JSON, path: str) -> Iterator[FieldError]:
    """Nodes by labels and fields."""
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from _node_term(term, f"{path}.nodeSelectorTerms[{index}]", values=True)


def _node_term(term: JSON, path: str, *, values: bool) -> Iterator[FieldError]:
    for index, one in enumerate(term.get("matchExpressions") or ()):
        yield from _requirement(one, f"{path}.matchExpressions[{index}]", values=values)
    for index, one in enumerate(term.get("matchFields") or ()):
        place, said = f"{path}.matchFields[{index}]", one.get("values") or []
        if one.get("operator") not in ("In", "NotIn"):
            yield bad(f"{place}.operator", one.get("operator", ""), "not a valid selector operator")
        elif len(said) != 1:
            text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            yield required(f"{place}.values", text)
        if one.get("key") != "metadata.name":
            yield bad(f"{place}.key", one.get("key", ""), "not a valid field selector key")


def _requirement(one: JSON, path: str, *, values: bool) -> Iterator[FieldError]:
    operator, said = one.get("operator", ""), one.get("values") or []
    if operator in ("In", "NotIn"):
        if not said:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if said:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield forbidden(f"{path}.values", text)
    elif operator in ("Gt", "Lt"):
        if len(said) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{path}.values", text)
    else:
        yield bad(f"{path}.operator", operator, "not a valid selector operator")
    key = one.get("key", "")
    yield from (bad(f"{path}.key", key, text) for text in names.label_key(key))
    for index, value in enumerate(said if values else ()):
        yield from (bad(f"{path}.values[{index}]", value, text) for text in names.label_value(value))


def spread(constraints: list[JSON], path: str) -> Iterator[FieldError]:
    """How evenly pods are spread."""
    seen = set()
    for index, one in enumerate(constraints):
        place, key, action = f"{path}[{index}]", one.get("topologyKey", ""), one.get("whenUnsatisfiable", "")
        if one.get("maxSkew", 0) <= 0:
            yield bad(f"{place}.maxSkew", one.get("maxSkew", 0), "must be greater than zero")
        if not key:
            yield required(f"{place}.topologyKey", "can not be empty")
        else:
            yield from (bad(f"{place}.topologyKey", key, text) for text in names.label_key(key))
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            yield unsupported(f"{place}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
        if (key, action) in seen:
            yield duplicate(f"{place}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        seen.add((key, action))
        least = one.get("minDomains")
        if least is not None and least <= 0:
            yield bad(f"{place}.minDomains", least, "must be greater than 0")
        if least is not None and action != "DoNotSchedule":
            text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield bad(f"{place}.minDomains", least, text)
        yield from label_selector(one.get("labelSelector"), f"{place}.labelSelector")
