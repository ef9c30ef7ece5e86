"""``lab.namespace("shop")``: a namespace that is worked in by hand, as with ``kubectl``.

This is life before charts and GitOps, which the first lessons are about. Everything here is a question to the
cluster or a server-side apply; ``kubectl`` beside the notebook sees, and may do, the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from labkit.errors import ApiError, LabError
from labkit.k8s import yaml
from labkit.k8s.objects import controller_of, get_path, labels_of, name_of
from labkit.k8s.selectors import LabelSelector
from labkit.runtime.clock import SystemClock
from labkit.views.code import code
from labkit.views.flow import Arrow, Box, flow
from labkit.views.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labkit.cluster import Cluster
    from labkit.k8s.objects import Object
    from labkit.views import View

_MANAGER = "kubectl"
_ADDRESS = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b")
_OWN = (
    "pod-template-hash", "controller-revision-hash", "apps.kubernetes.io/pod-index",
    "statefulset.kubernetes.io/pod-name",
)  # fmt: skip


class Namespace:
    """One namespace, and the folder whose files are applied to it."""

    def __init__(self, cluster: Cluster, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self._cluster = cluster
        if cluster.find("v1", "Namespace", name) is None:
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def __repr__(self) -> str:
        return f"namespace {self.name}"

    # -- writing

    def apply(self, *files: str) -> View:
        """``kubectl apply -f``: files of the folder (none named: all of them); says what each object did."""
        return code("\n".join(self._apply(obj) for obj in self.wanted(*files)))

    def delete(self, kind: str, name: str) -> View:
        """``kubectl delete``: one Deployment or Service, by its name."""
        version = "apps/v1" if kind.lower() == "deployment" else "v1"
        self._cluster.delete(version, kind.capitalize(), name, self.name)
        return code(f"{kind.lower()}/{name} deleted")

    # -- what is wanted, what is

    def wanted(self, *files: str) -> list[Object]:
        """The objects of the folder's files, each in this namespace. `ManifestError` names file and line."""
        names = files or tuple(sorted(p.name for p in self.folder.glob("*.y*ml")))
        found = []
        for name in names:
            path = self.folder / name
            if not path.is_file():
                have = ", ".join(sorted(p.name for p in self.folder.glob("*.y*ml"))) or "none"
                raise LabError("there is no such file", where=name, fix=f"There are: {have}")
            for document in yaml.load_documents(path.read_text(encoding="utf-8"), file=name):
                document.obj.setdefault("metadata", {})["namespace"] = self.name
                found.append(document.obj)
        return found

    def pending(self) -> list[str]:
        """Objects of the files that are not in the cluster as the files say, as ``Service/apples``."""
        return [f"{obj['kind']}/{name_of(obj)}" for obj in self.wanted() if self._differs(obj)]

    def deployments(self) -> list[Object]:
        """The Deployments, by name."""
        return self._sorted("apps/v1", "Deployment")

    def services(self) -> list[Object]:
        """The Services, by name."""
        return self._sorted("v1", "Service")

    def pod_objects(self) -> list[Object]:
        """The Pods that are not on their way out, by name."""
        return [pod for pod in self._sorted("v1", "Pod") if "deletionTimestamp" not in pod["metadata"]]

    def behind(self, service: Object) -> list[Object]:
        """The Pods that a Service's selector matches."""
        selector = LabelSelector.from_labels(get_path(service, "spec", "selector", default={}))
        return [pod for pod in self.pod_objects() if selector.matches(labels_of(pod))]

    def answer(self, service: str, path: str = "/") -> dict[str, Any]:
        """What the application behind a Service answers; ``{"error": …}`` in the API server's words if none does."""
        try:
            answer = self._cluster.proxy(self.name, service, path)
            found: dict[str, Any] = answer.json() if answer.status < 400 else {"error": answer.text.strip()}
        except LabError as error:
            return {"error": _ADDRESS.sub("the Pod", error.problem)}  # its address changes with every Pod
        return found

    # -- looking

    def wait(self, timeout: float = 60) -> View:
        """Wait until all Pods are ready and behind their Services, or one cannot start. Shows the Pods."""
        clock = SystemClock()
        end = clock.monotonic() + timeout
        while not self._settled() and clock.monotonic() < end:
            clock.sleep(0.1)
        return self.pods()

    def pods(self) -> View:
        """The Pods as a table; the random end of a name is shown as ``…``."""
        rows = [
            (_family(pod), "yes" if _ready(pod) else "no", _state(pod), _labels(pod))
            for pod in self.pod_objects()
        ]
        return table(["POD", "READY", "STATUS", "LABELS"], sorted(rows), plain=True)

    def request(self, service: str, path: str = "/") -> View:
        """``GET path`` of the application behind a Service, through the API server."""
        answer = self.answer(service, path)
        if "error" in answer:
            return code(f"✗ no answer: {answer['error']}")
        return code(f"✓ {answer['app']} {answer['version']} answers: {answer['message']}")

    def picture(self) -> View:
        """Services, the Pods that their selectors match, and the Deployments that made these."""
        services, deployments, pods = self.services(), self.deployments(), self.pod_objects()
        groups: dict[str, list[Object]] = {}
        for pod in pods:
            groups.setdefault(_family(pod), []).append(pod)
        left = [self._service_box(service) for service in services]
        middle = [_pods_box(name, group) for name, group in sorted(groups.items())]
        right = [
            Box(f"deployment/{name_of(d)}", f"Deployment {name_of(d)}", (f"wants {d['spec']['replicas']}",))
            for d in deployments
        ]
        arrows = []
        for service in services:
            matched = dict.fromkeys(_family(pod) for pod in self.behind(service))
            arrows += [Arrow(f"service/{name_of(service)}", f"pods/{name}", "selects") for name in matched]
        for name in groups:
            owner = f"deployment/{name.removesuffix('-…')}"
            arrows += [Arrow(owner, f"pods/{name}", "makes") for box in right if box.key == owner]
        return flow(f"Who selects whom in namespace {self.name}", [left, middle, right], arrows)

    # -- within

    def _apply(self, obj: Object) -> str:
        before = self._live(obj)
        after = self._cluster.apply(obj, field_manager=_MANAGER, force=True)
        group = obj["apiVersion"].partition("/")[0]
        name = f"{obj['kind'].lower()}{'.' + group if '/' in obj['apiVersion'] else ''}/{name_of(obj)}"
        if before is None:
            return f"{name} created"
        same = before.get("spec") == after.get("spec") and _says(before) == _says(after)
        return f"{name} {'unchanged' if same else 'configured'}"

    def _differs(self, obj: Object) -> bool:
        live = self._live(obj)
        if live is None:
            return True
        try:
            dry = self._cluster.apply(obj, field_manager=_MANAGER, force=True, dry_run=True)
        except ApiError:
            return True
        return bool(live.get("spec") != dry.get("spec") or _says(live) != _says(dry))

    def _live(self, obj: Object) -> Object | None:
        return self._cluster.find(obj["apiVersion"], obj["kind"], name_of(obj), self.name)

    def _sorted(self, version: str, kind: str) -> list[Object]:
        return sorted(self._cluster.list(version, kind, self.name).items, key=name_of)

    def _settled(self) -> bool:
        pods = [pod for pod in self._sorted("v1", "Pod") if not _ended(pod)]
        if any("BackOff" in _state(pod) or _state(pod).startswith("Err") for pod in pods):
            return True
        if any("deletionTimestamp" in pod["metadata"] for pod in pods):
            return False
        deployments = self.deployments()
        others = [pod for pod in pods if (controller_of(pod) or {}).get("kind") != "ReplicaSet"]
        if not all(map(_ready, others)):
            return False
        if len(pods) - len(others) != sum(d["spec"]["replicas"] for d in deployments):
            return False
        return all(map(_available, deployments)) and all(map(self._has_its_endpoints, self.services()))

    def _has_its_endpoints(self, service: Object) -> bool:
        wanted = {each for pod in self.behind(service) if _ready(pod) for each in _listens(service, pod)}
        slices = self._cluster.list(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            self.name,
            label_selector=f"kubernetes.io/service-name={name_of(service)}",
        )
        return wanted == set(_endpoints(slices.items))

    def _service_box(self, service: Object) -> Box:
        selector = get_path(service, "spec", "selector", default={})
        count = sum(_ready(pod) for pod in self.behind(service))
        line = f"✓ {count} ready Pod{'s'[count == 1 :]} behind it" if count else "✗ no ready Pod behind it"
        wanted = ", ".join(f"{key}: {value}" for key, value in selector.items()) or "(no selector)"
        lines = (f"selects {wanted}", line)
        return Box(
            f"service/{name_of(service)}", f"Service {name_of(service)}", lines, "good" if count else "bad"
        )


def _pods_box(name: str, pods: list[Object]) -> Box:
    ready = sum(map(_ready, pods))
    sign = "✓" if ready == len(pods) else "◔"
    tone = "good" if ready == len(pods) else "warn"
    lines = (f"labels {_labels(pods[0])}", f"{sign} {ready} of {len(pods)} ready")
    return Box(f"pods/{name}", f"Pods {name} ×{len(pods)}", lines, tone)


def _available(deployment: Object) -> bool:
    status, wanted = deployment.get("status") or {}, deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and counts == [wanted] * 3


def _listens(service: Object, pod: Object) -> Iterator[tuple[str, int]]:
    """The Pod's addresses, with port, that a Service means; a port of a name is looked up in the Pod."""
    containers = get_path(pod, "spec", "containers", default=[])
    names = {p.get("name"): p["containerPort"] for c in containers for p in c.get("ports") or []}
    for port in get_path(service, "spec", "ports", default=[]):
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else names.get(target)
        if number:
            yield str(get_path(pod, "status", "podIP")), number


def _endpoints(slices: list[Object]) -> Iterator[tuple[str, int]]:
    for each in slices:
        for endpoint in each.get("endpoints") or []:
            if get_path(endpoint, "conditions", "ready", default=False):
                yield from ((a, p["port"]) for a in endpoint["addresses"] for p in each.get("ports") or [])


def _family(pod: Object) -> str:
    owner = controller_of(pod) or {}
    return f"{owner['name'].rpartition('-')[0]}-…" if owner.get("kind") == "ReplicaSet" else name_of(pod)


def _ready(pod: Object) -> bool:
    conditions = get_path(pod, "status", "conditions", default=[])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _ended(pod: Object) -> bool:
    """Whether it has done what it was there for, such as a test, and is not waited for any more."""
    return get_path(pod, "status", "phase") in ("Succeeded", "Failed")


def _state(pod: Object) -> str:
    for container in get_path(pod, "status", "containerStatuses", default=[]):
        reason = get_path(container, "state", "waiting", "reason", default="")
        if reason:
            return str(reason)
    return str(get_path(pod, "status", "phase", default="Pending"))


def _labels(pod: Object) -> str:
    return ", ".join(f"{key}: {value}" for key, value in sorted(labels_of(pod).items()) if key not in _OWN)


def _says(obj: Object) -> tuple[Any, Any]:
    """What people say of an object beside its spec."""
    return obj["metadata"].get("labels"), obj.get("data")
