"""Does a pod fit on a node? Each rule is a function that answers in the scheduler's words, or with nothing.

Sources: the plugins NodeUnschedulable, NodeName, TaintToleration, NodeAffinity, NodePorts, NodeResourcesFit,
InterPodAffinity and PodTopologySpread in pkg/scheduler/framework/plugins in Kubernetes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from labkit.k8s import quantities
from labkit.k8s.objects import Object, get_path, labels_of, name_of, namespace_of
from labkit.k8s.selectors import LabelSelector, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_AFFINITY = "node(s) didn't match Pod's node affinity/selector"
_PORTS = "node(s) didn't have free ports for the requested pod ports"
_POD_AFFINITY = "node(s) didn't match pod affinity rules"
_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
_SPREAD = "node(s) didn't match pod topology spread constraints"
_CORDONED = "node(s) were unschedulable"


@dataclass(frozen=True)
class Room:
    """Amounts by resource name (cpu in cores, memory in bytes, pods): what a node has left, or a pod asks for."""

    amounts: dict[str, Decimal] = field(default_factory=dict)

    @classmethod
    def requested(cls, pod: Object) -> Room:
        """What a pod asks for: its containers together, or its greediest init container if that is more."""
        spec = pod["spec"]
        total = _requests(spec["containers"])
        sidecars: defaultdict[str, Decimal] = defaultdict(Decimal)
        for container in spec.get("initContainers") or []:
            own = _requests([container])
            if container.get("restartPolicy") == "Always":
                for name, amount in own.items():
                    sidecars[name] += amount
                    total[name] += amount
            for name, amount in own.items():
                total[name] = max(total[name], amount + sidecars[name])
        for name, amount in (spec.get("overhead") or {}).items():
            total[name] += quantities.parse(str(amount))
        total["pods"] = Decimal(1)
        return cls(dict(total))

    @classmethod
    def of(cls, node: Object, there: Sequence[Object]) -> Room:
        """What a node has left beside the pods that are there."""
        has = get_path(node, "status", "allocatable") or get_path(node, "status", "capacity", default={})
        left = {name: quantities.parse(str(amount)) for name, amount in has.items()}
        for pod in there:
            for name, amount in cls.requested(pod).amounts.items():
                left[name] = left.get(name, Decimal(0)) - amount
        return cls(left)

    def missing(self, request: Room) -> list[str]:
        """Which of the requested amounts are not there."""
        return [
            name
            for name, amount in request.amounts.items()
            if amount and amount > self.amounts.get(name, Decimal(0))
        ]

    def left_after(self, request: Room) -> Decimal:
        """How much would be left, cpu and memory weighed alike."""
        cpu = self.amounts.get("cpu", Decimal(0)) - request.amounts.get("cpu", Decimal(0))
        memory = self.amounts.get("memory", Decimal(0)) - request.amounts.get("memory", Decimal(0))
        return cpu + memory / 2**32 + self.amounts.get("pods", Decimal(0)) / 10


@dataclass(frozen=True)
class Candidate:
    """A node, the pods on it, and the room that is left."""

    node: Object
    pods: Sequence[Object]
    room: Room


def problems(pod: Object, request: Room, candidate: Candidate, cluster: Sequence[Candidate]) -> list[str]:
    """Why the pod cannot run on a node: the first rule that it breaks, or every resource that is short."""
    node = candidate.node
    first = next(
        filter(
            None,
            (
                _cordon(pod, node),
                _taint(pod, node),
                _node_affinity(pod, node),
                _host_ports(pod, candidate),
            ),
        ),
        "",
    )
    if first:
        return [first]
    short = candidate.room.missing(request)
    if short:
        return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in short]
    last = _topology(pod, node, cluster) or _pod_affinity(pod, node, cluster)
    return [last] if last else []


def could_be_preempted(reason: str) -> bool:
    """Whether the node could do if other pods went."""
    return reason.startswith(("Insufficient", "Too many")) or reason in (_PORTS, _ANTI_AFFINITY, _SPREAD)


def is_about_pod(reason: str) -> bool:
    """Whether the reason lies in the pod, not in any node."""
    return "persistentvolumeclaim" in reason.lower()


def preference(pod: Object, candidate: Candidate) -> int:
    """How much the pod would like the node: the weights of its preferred affinities that match."""
    preferred = get_path(
        pod, "spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution", default=[]
    )
    liked = sum(term["weight"] for term in preferred if _term_matches(term["preference"], candidate.node))
    soft = [t for t in _taints(candidate.node) if t["effect"] == "PreferNoSchedule"]
    return int(liked) - 10 * sum(not _tolerates(pod, taint) for taint in soft)


# ── the node itself ───────────────────────────────────────────────────────────


def _cordon(pod: Object, node: Object) -> str:
    taint = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
    return _CORDONED if get_path(node, "spec", "unschedulable") and not _tolerates(pod, taint) else ""


def _taint(pod: Object, node: Object) -> str:
    for taint in _taints(node):
        if taint["effect"] != "PreferNoSchedule" and not _tolerates(pod, taint):
            return "node(s) had untolerated taint(s)"
    return ""


def _taints(node: Object) -> list[Object]:
    return get_path(node, "spec", "taints", default=[]) or []


def tolerated(pod: Object, node: Object, effects: tuple[str, ...]) -> bool:
    """Whether the pod tolerates all taints of a node that have one of the effects."""
    return all(_tolerates(pod, taint) for taint in _taints(node) if taint["effect"] in effects)


def _tolerates(pod: Object, taint: Object) -> bool:
    return any(toleration_matches(t, taint) for t in get_path(pod, "spec", "tolerations", default=[]))


def toleration_matches(toleration: Object, taint: Object) -> bool:
    """Whether a toleration bears a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def _node_affinity(pod: Object, node: Object) -> str:
    return "" if matches_node(pod, node) else _AFFINITY


def matches_node(pod: Object, node: Object) -> bool:
    """Whether the pod's node selector and required node affinity mean the node."""
    labels = labels_of(node)
    selector = get_path(pod, "spec", "nodeSelector", default={})
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    terms = get_path(
        pod,
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    return terms is None or any(_term_matches(term, node) for term in terms)


def _term_matches(term: Object, node: Object) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    own = {"metadata.name": name_of(node)}
    return all(_requirement(e).matches(labels_of(node)) for e in expressions) and all(
        _requirement(e).matches(own) for e in fields
    )


def _requirement(expression: Object) -> Requirement:
    return Requirement(expression["key"], expression["operator"], frozenset(expression.get("values") or []))


def _host_ports(pod: Object, candidate: Candidate) -> str:
    wanted = set(_ports(pod))
    taken = {port for other in candidate.pods for port in _ports(other)}
    return _PORTS if wanted & taken else ""


def _ports(pod: Object) -> Iterator[tuple[int, str]]:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield port["hostPort"], port.get("protocol", "TCP")


# ── the pods around it ────────────────────────────────────────────────────────


def _pod_affinity(pod: Object, node: Object, cluster: Sequence[Candidate]) -> str:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    for term in get_path(pod, "spec", "affinity", "podAffinity", required, default=[]):
        near = _domain(pod, term, node, cluster)
        alone = not any(_means(pod, term, other) for c in cluster for other in c.pods)
        if not near and not (alone and _means(pod, term, pod)):
            return _POD_AFFINITY
    for term in get_path(pod, "spec", "affinity", "podAntiAffinity", required, default=[]):
        if _domain(pod, term, node, cluster):
            return _ANTI_AFFINITY
    for candidate in cluster:
        for other in candidate.pods:
            for term in get_path(other, "spec", "affinity", "podAntiAffinity", required, default=[]):
                key = term["topologyKey"]
                same = labels_of(node).get(key) == labels_of(candidate.node).get(key)
                if same and key in labels_of(node) and _means(other, term, pod):
                    return "node(s) didn't satisfy existing pods anti-affinity rules"
    return ""


def _domain(pod: Object, term: Object, node: Object, cluster: Sequence[Candidate]) -> list[Object]:
    """The pods that a term means, in the node's domain (its zone, its host …)."""
    key = term["topologyKey"]
    value = labels_of(node).get(key)
    if value is None:
        return []
    near = [c for c in cluster if labels_of(c.node).get(key) == value]
    return [other for candidate in near for other in candidate.pods if _means(pod, term, other)]


def _means(pod: Object, term: Object, other: Object) -> bool:
    namespaces = term.get("namespaces") or [namespace_of(pod)]
    inside = namespace_of(other) in namespaces or term.get("namespaceSelector") == {}
    return inside and LabelSelector.from_object(term.get("labelSelector")).matches(labels_of(other))


def _topology(pod: Object, node: Object, cluster: Sequence[Candidate]) -> str:
    for rule in get_path(pod, "spec", "topologySpreadConstraints", default=[]):
        if rule["whenUnsatisfiable"] != "DoNotSchedule":
            continue
        key, selector = rule["topologyKey"], LabelSelector.from_object(rule.get("labelSelector"))
        if key not in labels_of(node):
            return f"{_SPREAD} (missing required label)"
        counts: Counter[str] = Counter()
        for candidate in cluster:
            zone = labels_of(candidate.node).get(key)
            if zone is None or not matches_node(pod, candidate.node):
                continue
            mine = [p for p in candidate.pods if namespace_of(p) == namespace_of(pod)]
            counts[zone] += sum(selector.matches(labels_of(other)) for other in mine)
        own = int(selector.matches(labels_of(pod)))
        fewest = min(counts.values(), default=0)
        if counts[labels_of(node)[key]] + own - fewest > rule["maxSkew"]:
            return _SPREAD
    return ""


def _requests(containers: Sequence[Object]) -> defaultdict[str, Decimal]:
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for container in containers:
        for name, amount in get_path(container, "resources", "requests", default={}).items():
            total[name] += quantities.parse(str(amount))
    return total
