"""What a client should hear about an object that is right, and yet hardly what was meant.

`KINDS` says what is looked at when an object is made or changed.  The answer's ``Warning`` headers carry the texts.

Source: ``WarningsOnCreate`` and ``WarningsOnUpdate`` of the strategies in Kubernetes 1.36, pkg/registry, and the
``warnings.go`` files in pkg/api.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.k8s.quantities import parse
from labkit.sandbox.apiserver import key_pairs

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]
Look = Callable[[JSON], Iterator[str]]

# Kinds of volumes that are on their way out, or gone.
_OLD_VOLUMES: Final = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_OLD_ANNOTATIONS: Final = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_NEW_NODE_LABELS: Final = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_BETA_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
_MUST: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_MAY: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_NO_POD: Final = "a null labelSelector results in matching no pod"


# ── pods ──────────────────────────────────────────────────────────────────────


def _pod(obj: JSON) -> Iterator[str]:
    yield from _host_name(obj, "the Pod's hostname")
    yield from _pod_spec(obj.get("spec") or {}, obj["metadata"], "")


def _host_name(obj: JSON, what: str) -> Iterator[str]:
    problems = names.dns1123_label(obj["metadata"].get("name", ""))
    if problems:
        text = "which can result in surprising behavior; a DNS label is recommended: "
        yield f"metadata.name: this is used in {what}, {text}[{' '.join(problems)}]"


def _template(template: JSON | None, path: str) -> Iterator[str]:
    if template is not None:
        yield from _pod_spec(template.get("spec") or {}, template.get("metadata") or {}, f"{path}.")


def _pod_spec(spec: JSON, meta: JSON, path: str) -> Iterator[str]:
    yield from _placement(spec, f"{path}spec")
    for key, text in _OLD_ANNOTATIONS.items():
        if key in (meta.get("annotations") or {}):
            yield f"{path}metadata.annotations[{key}]: {text}"
    for index, volume in enumerate(spec.get("volumes") or ()):
        place = f"{path}spec.volumes[{index}]"
        yield from (f"{place}.{kind}: {text}" for kind, text in _OLD_VOLUMES.items() if volume.get(kind))
        claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec")
        yield from _claim_spec(claim or {}, f"{place}.ephemeral.volumeClaimTemplate.spec")
    yield from _twice(spec, f"{path}spec", "hostAliases", "ip")
    yield from _twice(spec, f"{path}spec", "imagePullSecrets", "name")
    for index, one in enumerate(spec.get("imagePullSecrets") or ()):
        if not one.get("name"):
            yield f'{path}spec.imagePullSecrets[{index}].name: invalid empty name ""'
    yield from _fractions(spec.get("overhead") or {}, f"{path}spec.overhead")
    found = list(_containers(spec, f"{path}spec"))
    for one, place in found:
        for kind in ("limits", "requests"):
            yield from _fractions((one.get("resources") or {}).get(kind) or {}, f"{place}.resources.{kind}")
        yield from _hidden(one.get("env") or [], f"{place}.env")
    yield from _ports(found)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{path}spec.terminationGracePeriodSeconds: {text}"
    yield from _lonely_terms(spec, f"{path}spec.affinity")


def _containers(spec: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, one in enumerate(spec.get(field) or ()):
            yield one, f"{path}.{field}[{index}]"


def _placement(spec: JSON, path: str) -> Iterator[str]:
    for key in sorted(spec.get("nodeSelector") or {}):
        if key in _NEW_NODE_LABELS:
            yield f"{path}.nodeSelector[{key}]: {_NEW_NODE_LABELS[key]}"
    for index, one in enumerate(spec.get("topologySpreadConstraints") or ()):
        place, key = f"{path}.topologySpreadConstraints[{index}]", one.get("topologyKey", "")
        if key in _NEW_NODE_LABELS:
            yield f"{place}.topologyKey: {key} is {_NEW_NODE_LABELS[key]}"
        if one.get("labelSelector") is None:
            yield f"{place}.labelSelector: {_NO_POD}"


def _lonely_terms(spec: JSON, path: str) -> Iterator[str]:
    for field in ("podAffinity", "podAntiAffinity"):
        said = (spec.get("affinity") or {}).get(field) or {}
        for index, term in enumerate(said.get(_MUST) or ()):
            if term.get("labelSelector") is None:
                yield f"{path}.{field}.{_MUST}[{index}].labelSelector: {_NO_POD}"
        for index, weighted in enumerate(said.get(_MAY) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{path}.{field}.{_MAY}[{index}].podAffinityTerm.labelSelector: {_NO_POD}"


def _twice(spec: JSON, path: str, field: str, key: str) -> Iterator[str]:
    seen = set()
    for index, one in enumerate(spec.get(field) or ()):
        value = one.get(key, "")
        if value in seen:
            yield f'{path}.{field}[{index}].{key}: duplicate {key} "{value}"'
        seen.add(value)


def _fractions(amounts: JSON, path: str) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage", "storage"):
        value = amounts.get(name)
        if value is not None and parse(value) % 1:
            yield f'{path}[{name}]: fractional byte value "{value}" is invalid, must be an integer'


def _hidden(variables: list[JSON], path: str) -> Iterator[str]:
    seen = set()
    for index, one in enumerate(variables):
        name, value = one.get("name", ""), one.get("value", "")
        reference = f"$({name})"
        if name in seen and (one.get("valueFrom") or value == reference or reference not in value):
            text = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{path}[{index}]: {text}"
        seen.add(name)


def _ports(containers: list[tuple[JSON, str]]) -> Iterator[str]:
    """Ports that are said twice, by all the containers together."""
    seen: dict[tuple[int, str], list[tuple[str, JSON]]] = {}
    for one, path in containers:
        for index, port in enumerate(one.get("ports") or ()):
            place = f"{path}.ports[{index}]"
            others = seen.setdefault((port.get("containerPort", 0), port.get("protocol", "")), [])
            for other, earlier in others:
                how = _clash(port, earlier)
                if how:
                    yield f"{place}: {how} port definition with {other}"
            others.append((place, port))


def _clash(port: JSON, earlier: JSON) -> str:
    number, before = port.get("hostPort", 0), earlier.get("hostPort", 0)
    address, there = port.get("hostIP", ""), earlier.get("hostIP", "")
    if (number, address) == (before, there):
        return "duplicate"
    if not number or not before:
        return "overlapping"
    return "dangerously ambiguous" if number == before and bool(address) != bool(there) else ""


# ── what makes pods ───────────────────────────────────────────────────────────

_POD_NAMES: Final = "Pod names and hostnames"


def _workload(obj: JSON) -> Iterator[str]:
    yield from _template((obj.get("spec") or {}).get("template"), "spec.template")


def _named_workload(obj: JSON) -> Iterator[str]:
    yield from _host_name(obj, _POD_NAMES)
    yield from _workload(obj)


def _replication_controller(obj: JSON) -> Iterator[str]:
    yield from _host_name(obj, _POD_NAMES)
    yield from _template((obj.get("spec") or {}).get("template"), "template")  # the real server's path


def _stateful_set(obj: JSON) -> Iterator[str]:
    yield from _workload(obj)
    spec = obj.get("spec") or {}
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        yield from _claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}]")
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        text = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {text}"


def _job_spec(spec: JSON, path: str) -> Iterator[str]:
    many = (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000
    if spec.get("completionMode") == "Indexed" and many:
        text = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
        yield f"{path}: {text}Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
    yield from _template(spec.get("template"), f"{path}.template")


def _job(obj: JSON) -> Iterator[str]:
    yield from _host_name(obj, _POD_NAMES)
    yield from _job_spec(obj.get("spec") or {}, "spec")


def _cron_job(obj: JSON) -> Iterator[str]:
    yield from _host_name(obj, _POD_NAMES)
    template = (obj.get("spec") or {}).get("jobTemplate") or {}
    yield from _job_spec(template.get("spec") or {}, "spec.jobTemplate.spec")


# ── the rest ──────────────────────────────────────────────────────────────────


def _service(obj: JSON) -> Iterator[str]:
    spec, kind = obj.get("spec") or {}, (obj.get("spec") or {}).get("type", "")
    old = "service.kubernetes.io/topology-aware-hints"
    if old in (obj["metadata"].get("annotations") or {}):
        yield f"annotation {old} is deprecated, please use service.kubernetes.io/topology-mode instead"
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if headless:
        for field in ("loadBalancerIP", "externalIPs"):
            if spec.get(field):
                yield f"spec.{field} is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.get("externalIPs") and not headless and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if kind == "ExternalName" and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _claim_spec(spec: JSON, path: str) -> Iterator[str]:
    for kind in ("requests", "limits"):
        amounts = (spec.get("resources") or {}).get(kind) or {}
        yield from _fractions(
            {key: amounts[key] for key in amounts if key == "storage"}, f"{path}.resources.{kind}"
        )


def _claim(obj: JSON) -> Iterator[str]:
    if _BETA_CLASS in (obj["metadata"].get("annotations") or {}):
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{_BETA_CLASS}]: {text}"
    yield from _claim_spec(obj.get("spec") or {}, "spec")


def _volume(obj: JSON) -> Iterator[str]:
    if _BETA_CLASS in (obj["metadata"].get("annotations") or {}):
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{_BETA_CLASS}]: {text}"
    spec = obj.get("spec") or {}
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        text = (
            "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic "
        )
        yield f"spec.persistentVolumeReclaimPolicy: {text}provisioning."
    for kind, text in _OLD_VOLUMES.items():
        if spec.get(kind):
            yield f"spec.{kind}: {text}"


def _ingress(obj: JSON) -> Iterator[str]:
    if "kubernetes.io/ingress.class" in (obj["metadata"].get("annotations") or {}):
        yield "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"


def _secret(obj: JSON) -> Iterator[str]:
    if obj.get("type") == "kubernetes.io/tls":
        data = obj.get("data") or {}
        problem = key_pairs.problem(data.get("tls.crt", ""), data.get("tls.key", ""))
        if problem:
            yield problem


def _service_account(obj: JSON) -> Iterator[str]:
    key = "kubernetes.io/enforce-mountable-secrets"
    if key in (obj["metadata"].get("annotations") or {}):
        text = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        yield f"metadata.annotations[{key}]: {text}"


def _pod_template(obj: JSON) -> Iterator[str]:
    yield from _template(obj.get("template"), "template")


@dataclass(frozen=True)
class Warnings:
    """What to look at when an object is made, and when it is changed: then always, or only a new generation's."""

    create: Look
    update: Look | None = None
    always: bool = False


KINDS: Final[dict[str, Warnings]] = {
    "pods": Warnings(_pod),
    "podtemplates": Warnings(_pod_template, _pod_template),
    "replicationcontrollers": Warnings(_replication_controller, _replication_controller),
    "deployments.apps": Warnings(_named_workload, _workload),
    "replicasets.apps": Warnings(_named_workload, _workload),
    "statefulsets.apps": Warnings(_stateful_set, _stateful_set),
    "daemonsets.apps": Warnings(_workload, _workload),
    "jobs.batch": Warnings(_job, _workload),
    "cronjobs.batch": Warnings(_cron_job, _cron_job),
    "services": Warnings(_service, _service, always=True),
    "secrets": Warnings(_secret, _secret, always=True),
    "serviceaccounts": Warnings(_service_account, _service_account, always=True),
    "persistentvolumeclaims": Warnings(_claim, _claim, always=True),
    "persistentvolumes": Warnings(_volume, _volume, always=True),
    "ingresses.networking.k8s.io": Warnings(_ingress),
}


def on_create(resource: Resource, obj: JSON) -> list[str]:
    """What to say about a new object."""
    found = KINDS.get(resource.name)
    return list(found.create(obj)) if found is not None else []


def on_update(resource: Resource, new: JSON, old: JSON, subresource: str) -> list[str]:
    """What to say about a change."""
    found = KINDS.get(resource.name)
    if found is None or found.update is None or subresource:
        return []
    grown = new["metadata"].get("generation") != old["metadata"].get("generation")
    return list(found.update(new)) if found.always or grown else []
