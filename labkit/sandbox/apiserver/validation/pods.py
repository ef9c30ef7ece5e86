"""Pods, and the pod templates of everything that makes pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.objects import copied
from labkit.sandbox.apiserver.field_errors import FieldError, bad, duplicate, forbidden, not_found, required
from labkit.sandbox.apiserver.validation import placement, security
from labkit.sandbox.apiserver.validation.basics import address, choice, label_map
from labkit.sandbox.apiserver.validation.containers import common, container, host_ports
from labkit.sandbox.apiserver.validation.volumes import volume

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = dict[str, Any]

_DNS: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_NOT_EPHEMERAL: Final = ("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
_CHANGEABLE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: JSON) -> Iterator[FieldError]:
    """A Pod."""
    spec = obj["spec"]
    yield from pod_spec(spec, "spec", of_pod=True)
    for field in ("containers", "initContainers"):
        for index, one in enumerate(spec.get(field) or ()):
            yield from _image(one, f"spec.{field}[{index}]")


def new_pod(obj: JSON) -> Iterator[FieldError]:
    """What nobody may say of a Pod that is yet to be."""
    if obj["spec"].get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if obj["spec"].get("nodeName") and obj["spec"].get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def _image(one: JSON, path: str) -> Iterator[FieldError]:
    image = one.get("image", "")
    if image != image.strip():
        yield bad(f"{path}.image", image, "must not have leading or trailing whitespace")


def pod_template_object(obj: JSON) -> Iterator[FieldError]:
    """A PodTemplate."""
    yield from pod_template(obj.get("template") or {}, "template")


def pod_template(template: JSON, path: str) -> Iterator[FieldError]:
    """What a workload makes its pods from."""
    yield from template_metadata(template, path)
    yield from pod_spec(template.get("spec") or {}, f"{path}.spec")
    if (template.get("spec") or {}).get("ephemeralContainers"):
        yield forbidden(
            f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"
        )


def template_metadata(template: JSON, path: str) -> Iterator[FieldError]:
    """The labels and annotations that a workload gives its pods."""
    meta = template.get("metadata") or {}
    yield from label_map(meta.get("labels"), f"{path}.labels")
    for key in sorted(meta.get("annotations") or {}):
        yield from (bad(f"{path}.annotations", key, text) for text in names.qualified_name(key.lower()))


def pod_spec(spec: JSON, path: str, *, of_pod: bool = False) -> Iterator[FieldError]:
    """A pod's spec."""
    known: set[Any] = set()
    yield from _volumes(spec.get("volumes") or [], f"{path}.volumes", known)
    yield from _containers(spec, known, path)
    yield from _host_network(spec, f"{path}.containers", of_pod=of_pod)
    yield from choice(
        spec.get("restartPolicy"), f"{path}.restartPolicy", ("Always", "OnFailure", "Never"), needed=True
    )
    yield from choice(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS, needed=True)
    yield from label_map(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from security.pod(spec.get("securityContext"), spec, f"{path}.securityContext")
    yield from placement.affinity(spec.get("affinity") or {}, f"{path}.affinity")
    yield from _dns(spec, f"{path}.dnsConfig")
    yield from _gates(spec, path)
    yield from placement.spread(
        spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints"
    )
    yield from _names(spec, path)


def _names(spec: JSON, path: str) -> Iterator[FieldError]:
    yield from _subdomains(spec, path, "serviceAccountName", "nodeName")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        yield bad(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
    for field in ("hostname", "subdomain"):
        value = spec.get(field)
        if value:
            yield from (bad(f"{path}.{field}", value, text) for text in names.dns1123_label(value))
    for index, one in enumerate(spec.get("tolerations") or ()):
        yield from placement.toleration(one, f"{path}.tolerations[{index}]")
    yield from _aliases(spec, path)
    yield from _subdomains(spec, path, "priorityClassName", "runtimeClassName")
    preemption = spec.get("preemptionPolicy")
    if preemption is not None:
        choices = ("PreemptLowerPriority", "Never")
        yield from choice(preemption, f"{path}.preemptionPolicy", choices, needed=True)


def _subdomains(spec: JSON, path: str, *fields: str) -> Iterator[FieldError]:
    for field in fields:
        value = spec.get(field)
        if value:
            yield from (bad(f"{path}.{field}", value, text) for text in names.dns1123_subdomain(value))


def _volumes(volumes: list[JSON], path: str, known: set[Any]) -> Iterator[FieldError]:
    """The volumes; those that are right become `known`, so that containers may mount them."""
    for index, one in enumerate(volumes):
        place, name = f"{path}[{index}]", one.get("name", "")
        errors = list(volume(one, place))
        if not name:
            errors.append(required(f"{place}.name"))
        else:
            errors += [bad(f"{place}.name", name, text) for text in names.dns1123_label(name)]
        if name in known:
            errors.append(duplicate(f"{place}.name", name))
        yield from errors
        if not errors:
            known.add(name)


def _containers(spec: JSON, volumes: set[Any], path: str) -> Iterator[FieldError]:
    mains, inits = spec.get("containers") or [], spec.get("initContainers") or []
    grace = spec.get("terminationGracePeriodSeconds")
    if not mains:
        yield required(f"{path}.containers")
    seen: set[str] = set()
    for index, one in enumerate(mains):
        place = f"{path}.containers[{index}]"
        yield from container(one, place, volumes, grace=grace)
        yield from _unique(one, place, seen)
    yield from host_ports(mains, f"{path}.containers")
    for index, one in enumerate(inits):
        place = f"{path}.initContainers[{index}]"
        yield from container(one, place, volumes, init=True, grace=grace)
        yield from _unique(one, place, seen)
    yield from _ephemeral(spec, volumes, seen, f"{path}.ephemeralContainers")


def _ephemeral(spec: JSON, volumes: set[Any], seen: set[str], path: str) -> Iterator[FieldError]:
    others = set(seen)
    for index, one in enumerate(spec.get("ephemeralContainers") or ()):
        place = f"{path}[{index}]"
        yield from common(one, place, volumes)
        yield from _image(one, place)
        yield from _unique(one, place, seen)
        target = one.get("targetContainerName")
        if target and target not in others:
            yield not_found(f"{place}.targetContainerName", target)
        text = "cannot be set for an Ephemeral Container"
        yield from (forbidden(f"{place}.{field}", text) for field in _NOT_EPHEMERAL if one.get(field))
        for number, mount in enumerate(one.get("volumeMounts") or ()):
            said = [field for field in ("subPath", "subPathExpr") if mount.get(field)]
            yield from (forbidden(f"{place}.volumeMounts[{number}].{field}", text) for field in said)


def _unique(one: JSON, place: str, seen: set[str]) -> Iterator[FieldError]:
    name = one.get("name", "")
    if name in seen:
        yield duplicate(f"{place}.name", name)
    if name:
        seen.add(name)


def _host_network(spec: JSON, path: str, *, of_pod: bool) -> Iterator[FieldError]:
    if not spec.get("hostNetwork"):
        return
    for index, one in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(one.get("ports") or ()):
            on_node, inside = port.get("hostPort", 0), port.get("containerPort", 0)
            if (of_pod or on_node) and on_node != inside:
                text = "must match `containerPort` when `hostNetwork` is true"
                yield bad(f"{path}[{index}].ports[{number}].hostPort", on_node, text)


def _dns(spec: JSON, path: str) -> Iterator[FieldError]:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.nameservers", text)
            return
    config = config or {}
    servers = config.get("nameservers") or []
    if len(servers) > 3:
        yield bad(f"{path}.nameservers", servers, "must not have more than 3 nameservers")
    for index, server in enumerate(servers):
        yield from address(server, f"{path}.nameservers[{index}]")
    for index, search in enumerate(config.get("searches") or ()):
        plain = search.removesuffix(".").replace("_", "-") if search != "." else "x"
        yield from (bad(f"{path}.searches[{index}]", search, text) for text in names.dns1123_subdomain(plain))
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def _gates(spec: JSON, path: str) -> Iterator[FieldError]:
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        place = f"{path}.readinessGates[{index}].conditionType"
        yield from (bad(place, kind, text) for text in names.qualified_name(kind))
    seen = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        name, place = gate.get("name", ""), f"{path}.schedulingGates[{index}]"
        yield from (bad(place, name, text) for text in names.qualified_name(name))
        if name in seen:
            yield duplicate(place, name)
        seen.add(name)


def _aliases(spec: JSON, path: str) -> Iterator[FieldError]:
    for index, one in enumerate(spec.get("hostAliases") or ()):
        place = f"{path}.hostAliases[{index}]"
        yield from address(one.get("ip", ""), f"{place}.ip")
        for number, host in enumerate(one.get("hostnames") or ()):
            yield from (
                bad(f"{place}.hostnames[{number}]", host, text) for text in names.dns1123_subdomain(host)
            )


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
