"""Pods, and the pod templates of everything that makes pods."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.objects import copied
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, required
from labkit.sandbox.apiserver.validation.basics import choice, label_map, label_selector, not_negative
from labkit.sandbox.apiserver.validation.containers import container
from labkit.sandbox.apiserver.validation.volumes import volume

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

JSON = dict[str, Any]

_DNS: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_EFFECTS: Final = ("NoExecute", "NoSchedule", "PreferNoSchedule")
_CHANGEABLE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: JSON) -> Iterator[FieldError]:
    """A Pod."""
    yield from pod_spec(obj["spec"], "spec")


def pod_template_object(obj: JSON) -> Iterator[FieldError]:
    """A PodTemplate."""
    yield from pod_template(obj.get("template") or {}, "template")


def pod_template(template: JSON, path: str, claims: Collection[Any] = ()) -> Iterator[FieldError]:
    """What a workload makes its pods from; ``claims`` are the volumes that it adds to each pod."""
    meta = template.get("metadata") or {}
    yield from label_map(meta.get("labels"), f"{path}.labels")
    for key in sorted(meta.get("annotations") or {}):
        yield from (bad(f"{path}.annotations", key, text) for text in names.qualified_name(key.lower()))
    yield from pod_spec(template.get("spec") or {}, f"{path}.spec", claims)
    if (template.get("spec") or {}).get("ephemeralContainers"):
        yield forbidden(
            f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"
        )


def pod_spec(spec: JSON, path: str, claims: Collection[Any] = ()) -> Iterator[FieldError]:
    """A pod's spec; ``claims`` are names of volumes that it will have beside its own."""
    volumes = spec.get("volumes") or []
    yield from _volumes(volumes, f"{path}.volumes")
    known = {one.get("name") for one in volumes} | {*claims}
    yield from _containers(spec, known, path)
    yield from choice(
        spec.get("restartPolicy"), f"{path}.restartPolicy", ("Always", "OnFailure", "Never"), needed=True
    )
    yield from choice(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS, needed=True)
    yield from label_map(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from _names(spec, path)
    for index, one in enumerate(spec.get("tolerations") or ()):
        yield from _toleration(one, f"{path}.tolerations[{index}]")
    yield from _aliases(spec, path)
    yield from _spread(spec, path)
    yield from _affinity(spec.get("affinity") or {}, f"{path}.affinity")
    yield from not_negative(spec, path, "terminationGracePeriodSeconds")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        yield bad(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")


def _volumes(volumes: list[JSON], path: str) -> Iterator[FieldError]:
    seen = set()
    for index, one in enumerate(volumes):
        place, name = f"{path}[{index}]", one.get("name", "")
        yield from volume(one, place)
        if not name:
            yield required(f"{place}.name")
        else:
            yield from (bad(f"{place}.name", name, text) for text in names.dns1123_label(name))
        if name in seen:
            yield duplicate(f"{place}.name", name)
        seen.add(name)


def _containers(spec: JSON, volumes: set[Any], path: str) -> Iterator[FieldError]:
    mains, inits = spec.get("containers") or [], spec.get("initContainers") or []
    host = bool(spec.get("hostNetwork"))
    if not mains:
        yield required(f"{path}.containers")
    seen: set[str] = set()
    for index, one in enumerate(mains):
        place = f"{path}.containers[{index}]"
        yield from container(one, place, volumes, host=host)
        yield from _unique(one, place, seen)
    for index, one in enumerate(inits):
        place = f"{path}.initContainers[{index}]"
        yield from container(one, place, volumes, host=host, init=True)
        yield from _unique(one, place, seen)
    for index, one in enumerate(spec.get("ephemeralContainers") or ()):
        place = f"{path}.ephemeralContainers[{index}]"
        yield from _unique(one, place, seen)


def _unique(one: JSON, place: str, seen: set[str]) -> Iterator[FieldError]:
    name = one.get("name", "")
    if name in seen:
        yield duplicate(f"{place}.name", name)
    if name:
        seen.add(name)


def _names(spec: JSON, path: str) -> Iterator[FieldError]:
    for field in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        value = spec.get(field)
        if value:
            yield from (bad(f"{path}.{field}", value, text) for text in names.dns1123_subdomain(value))
    for field in ("hostname", "subdomain"):
        value = spec.get(field)
        if value:
            yield from (bad(f"{path}.{field}", value, text) for text in names.dns1123_label(value))
    for index, one in enumerate(spec.get("imagePullSecrets") or ()):
        if not one.get("name"):
            yield required(f"{path}.imagePullSecrets[{index}].name")


def _toleration(one: JSON, path: str) -> Iterator[FieldError]:
    key, operator, effect = one.get("key", ""), one.get("operator", ""), one.get("effect", "")
    if key:
        yield from (bad(f"{path}.key", key, text) for text in names.label_key(key))
    elif operator != "Exists":
        yield bad(
            f"{path}.operator",
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        )
    if one.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield bad(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("", "Equal"):
        yield from (
            bad(f"{path}.operator", one.get("value", ""), text)
            for text in names.label_value(one.get("value", ""))
        )
    elif operator == "Exists":
        if one.get("value"):
            yield bad(
                f"{path}.operator",
                {k: one[k] for k in one},
                "value must be empty when `operator` is 'Exists'",
            )
    else:
        yield from choice(operator, f"{path}.operator", ("Equal", "Exists"))
    yield from choice(effect, f"{path}.effect", _EFFECTS)


def _aliases(spec: JSON, path: str) -> Iterator[FieldError]:
    for index, one in enumerate(spec.get("hostAliases") or ()):
        place = f"{path}.hostAliases[{index}]"
        try:
            ipaddress.ip_address(one.get("ip", ""))
        except ValueError:
            yield bad(
                f"{place}.ip",
                one.get("ip", ""),
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            )
        for number, host in enumerate(one.get("hostnames") or ()):
            yield from (
                bad(f"{place}.hostnames[{number}]", host, text) for text in names.dns1123_subdomain(host)
            )


def _spread(spec: JSON, path: str) -> Iterator[FieldError]:
    for index, one in enumerate(spec.get("topologySpreadConstraints") or ()):
        place = f"{path}.topologySpreadConstraints[{index}]"
        if one.get("maxSkew", 0) <= 0:
            yield bad(f"{place}.maxSkew", one.get("maxSkew", 0), "must be greater than zero")
        if not one.get("topologyKey"):
            yield required(f"{place}.topologyKey", "can not be empty")
        yield from choice(
            one.get("whenUnsatisfiable"),
            f"{place}.whenUnsatisfiable",
            ("DoNotSchedule", "ScheduleAnyway"),
            needed=True,
        )
        yield from label_selector(one.get("labelSelector"), f"{place}.labelSelector")


def _affinity(affinity: JSON, path: str) -> Iterator[FieldError]:
    for field in ("podAffinity", "podAntiAffinity"):
        said = affinity.get(field) or {}
        must = "requiredDuringSchedulingIgnoredDuringExecution"
        for index, term in enumerate(said.get(must) or ()):
            yield from _term(term, f"{path}.{field}.{must}[{index}]")
        may = "preferredDuringSchedulingIgnoredDuringExecution"
        for index, weighted in enumerate(said.get(may) or ()):
            place = f"{path}.{field}.{may}[{index}]"
            if not 1 <= weighted.get("weight", 0) <= 100:
                yield bad(f"{place}.weight", weighted.get("weight", 0), "must be in the range 1-100")
            yield from _term(weighted.get("podAffinityTerm") or {}, f"{place}.podAffinityTerm")


def _term(term: JSON, path: str) -> Iterator[FieldError]:
    yield from label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    if not term.get("topologyKey"):
        yield required(f"{path}.topologyKey", "can not be empty")


# ── changes ───────────────────────────────────────────────────────────────────


def pod_change(new: JSON, old: JSON) -> Iterator[FieldError]:
    """Almost nothing of a pod's spec can change."""
    spec, before = new["spec"], old["spec"]
    if len(spec.get("containers") or ()) != len(before["containers"]):
        yield forbidden("spec.containers", "pod updates may not add or remove containers")
        return
    if len(spec.get("initContainers") or ()) != len(before.get("initContainers") or ()):
        yield forbidden("spec.initContainers", "pod updates may not add or remove containers")
        return
    yield from _deadline(spec, before)
    if not _grows(spec.get("tolerations") or [], before.get("tolerations") or []):
        yield forbidden(
            "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"
        )
        return
    if _fixed(spec) != _fixed(before):
        yield forbidden("spec", f"{_CHANGEABLE}\n{_difference(_fixed(before), _fixed(spec))}")


def _deadline(spec: JSON, before: JSON) -> Iterator[FieldError]:
    now, then = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if then is None or now == then:
        return
    if now is None:
        yield bad("spec.activeDeadlineSeconds", now, "must not update from a positive integer to nil value")
    elif now > then:
        yield bad("spec.activeDeadlineSeconds", now, "must be less than or equal to previous value")


def _grows(now: list[JSON], then: list[JSON]) -> bool:
    def key(one: JSON) -> tuple[Any, ...]:
        return tuple(one.get(field, "") for field in ("key", "operator", "value", "effect"))

    return {key(one) for one in then} <= {key(one) for one in now}


def _fixed(spec: JSON) -> JSON:
    """What must stay: the spec without what may change."""
    kept = copied(
        {k: v for k, v in spec.items() if k not in ("activeDeadlineSeconds", "tolerations", "nodeName")}
    )
    for one in [*kept["containers"], *(kept.get("initContainers") or ())]:
        one.pop("image", None)
    kept.pop("ephemeralContainers", None)
    return kept


def _difference(old: JSON, new: JSON) -> str:
    from labkit.sandbox.apiserver.field_errors import shown

    changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    return "\n".join(f"- {key}: {shown(old.get(key))}\n+ {key}: {shown(new.get(key))}" for key in changed)
