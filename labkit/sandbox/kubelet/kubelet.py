"""Runs the pods of the simulated nodes: one `reconcile` a pod, and what the API server asks of nodes."""

from __future__ import annotations

import contextlib
import logging
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from labkit.errors import AlreadyExists, ApiError, BadRequest, Conflict, NotFound
from labkit.k8s.objects import Object, get_path, metadata, name_of, namespace_of, uid_of
from labkit.runtime.controller import Controller, Result
from labkit.runtime.loop import LoopHost
from labkit.runtime.recorder import EventRecorder
from labkit.sandbox.images import Image, Request, Setting
from labkit.sandbox.images.names import ImageName
from labkit.sandbox.informers import Informers
from labkit.sandbox.kubelet import logs as loglines
from labkit.sandbox.kubelet import node as nodes
from labkit.sandbox.kubelet import usage
from labkit.sandbox.kubelet.container import Container, Node
from labkit.sandbox.kubelet.environment import environment
from labkit.sandbox.kubelet.latency import Latency
from labkit.sandbox.kubelet.network import PodNetwork
from labkit.sandbox.kubelet.pod_status import status as status_of
from labkit.sandbox.kubelet.volumes import files, missing

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator
    from datetime import datetime

    from labkit.runtime.clock import Clock
    from labkit.sandbox.apiserver.node import Usage
    from labkit.sandbox.client import LocalClient
    from labkit.sandbox.images import Program

JSON = dict[str, Any]
Pairs = list[tuple[str, str]]
Key = tuple[str, str]

log = logging.getLogger(__name__)
GRACE = 30.0


class Running:
    """A pod as its node has it: containers, address, and when it will be gone."""

    def __init__(self, uid: str, ip: str) -> None:
        self.uid, self.ip = uid, ip
        self.inits: list[Container] = []
        self.containers: list[Container] = []
        self.ready_at = math.inf
        self.gone_at = math.inf
        self.complaint = ""

    def all(self) -> list[Container]:
        """Init containers and the others."""
        return [*self.inits, *self.containers]

    def listener(self, port: int) -> Program | None:
        """Who of its containers listens on a port."""
        for container in self.containers:
            if container.program is not None and port in container.program.ports:
                return container.program
        return None


class Kubelet:
    """The kubelets of all simulated nodes, as one; implements the API server's `NodeApi`."""

    def __init__(
        self,
        client: LocalClient,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        names: tuple[str, ...],
        latency: Latency | None = None,
    ) -> None:
        self._client, self._clock, self._latency = client, clock, latency or Latency()
        self._host = LoopHost(loop, clock)
        self._informers = Informers(client)
        self._events = EventRecorder(client, "kubelet", clock)
        self._running: dict[Key, Running] = {}
        self._images: dict[str, dict[str, Image]] = {}
        self._addresses = 1
        for name in names:
            with contextlib.suppress(AlreadyExists):
                client.create(nodes.new_node(name))
        self._nodes: Controller[str] = Controller("kubelet-node", self._heartbeat, clock)
        self._pods: Controller[Key] = Controller("kubelet", self._reconcile, clock)
        for controller in (self._nodes, self._pods):
            self._host.add(controller)
        for kind in ("ConfigMap", "Secret"):
            self._informers.of("v1", kind)
        self._nodes.watch(self._informers.of("v1", "Node"), lambda obj: [name_of(obj)])
        self._informers.of("v1", "Node").on_change(self._node_changed)
        self._pods.watch(self._informers.of("v1", "Pod"), lambda obj: [(namespace_of(obj), name_of(obj))])

    def stop(self) -> None:
        """Leave everything as it is; no timer stays, and nobody follows a log that will not grow."""
        self._host.stop()
        self._informers.stop()
        for here in self._running.values():
            for container in here.all():
                container.log.end()

    # -- nodes

    def _heartbeat(self, name: str) -> Result | None:
        node = self._informers.of("v1", "Node").get("", name)
        if node is None or not nodes.is_simulated(node):
            return None
        now = self._clock.now()
        kubelet = self._client.as_kubelet(name)
        if nodes.is_given_up(node):
            self._events.normal(node, "NodeReady", f"Node {name} status is now: NodeReady")
        if not get_path(node, "status", "nodeInfo", "kubeletVersion") or nodes.is_given_up(node):
            nodes.report(kubelet, node, now, list(self._images.get(name, {}).values()))
        nodes.renew_lease(kubelet, node, now)
        return Result(requeue_after=self._latency.lease)

    def _node_changed(self, _event: str, node: Object, old: Object | None) -> None:
        """Where a kubelet of ours was stopped, or goes on, all pods of the node have to be looked at."""
        if old is None or nodes.is_simulated(node) == nodes.is_simulated(old):
            return
        for pod in self._informers.of("v1", "Pod").list():
            if get_path(pod, "spec", "nodeName") == name_of(node):
                self._pods.enqueue((namespace_of(pod), name_of(pod)))

    # -- pods

    def _reconcile(self, key: Key) -> Result | None:
        pod = self._informers.of("v1", "Pod").get(*key)
        node_name = str(get_path(pod, "spec", "nodeName", default="")) if pod is not None else ""
        node = self._informers.of("v1", "Node").get("", node_name) if node_name else None
        if pod is None or node is None or not nodes.is_simulated(node):
            self._drop(key)
            return None
        here = self._running.get(key)
        if here is None or here.uid != uid_of(pod):
            self._drop(key)
            here = self._running[key] = self._take(pod, node_name, key)
        if metadata(pod).get("deletionTimestamp"):
            return self._end(pod, here, key)
        if get_path(pod, "status", "phase") in {"Succeeded", "Failed"}:
            return None
        due = self._go_on(pod, here)
        self._write(pod, here, node_name)
        return Result(requeue_after=max(0.0, due - self._clock.monotonic())) if due < math.inf else None

    def _take(self, pod: Object, node_name: str, key: Key) -> Running:
        """Begin with a pod, or take it over from a kubelet that ended."""
        here = Running(uid_of(pod), str(get_path(pod, "status", "podIP", default="")))
        here.ready_at = self._clock.monotonic() + (0 if here.ip else self._latency.network)
        if here.ip:
            self._addresses = max(self._addresses, int(here.ip.rpartition(".")[2]))
        about = Node(
            self._clock,
            self._latency,
            self._images.setdefault(node_name, {}),
            lambda kind, reason, message, path: self._tell(key, kind, reason, message, path),
            self._setting,
            lambda: self._pods.enqueue(key),
        )
        spec = pod.get("spec") or {}
        here.inits = [Container(c, pod, about, init=True) for c in spec.get("initContainers") or []]
        here.containers = [Container(c, pod, about) for c in spec.get("containers") or []]
        known = {
            s["name"]: s
            for field in ("initContainerStatuses", "containerStatuses")
            for s in get_path(pod, "status", field, default=[])
        }
        for container in here.all():
            if container.name in known and here.ip:
                container.adopt(known[container.name])
        return here

    def _go_on(self, pod: Object, here: Running) -> float:
        """Step what can be stepped; the moment of the clock at which there is more to do."""
        now = self._clock.monotonic()
        if now < here.ready_at:
            return here.ready_at
        if problem := missing(pod, self._find):
            if problem != here.complaint:
                self._events.warning(pod, "FailedMount", problem)
                here.complaint = problem
            return now + self._latency.mount_retry
        if not here.ip:
            here.ip = self._address()
        restart = str(get_path(pod, "spec", "restartPolicy", default="Always"))
        for container in here.all():
            container.pod = pod if get_path(pod, "status", "podIP") else _with_ip(pod, here.ip)
        for container in here.inits:
            container.step(now, restart="Never" if restart == "Never" else "OnFailure")
            if not container.succeeded:
                return container.due
        for container in here.containers:
            container.step(now, restart=restart)
        return min((container.due for container in here.containers), default=math.inf)

    def _end(self, pod: Object, here: Running, key: Key) -> Result | None:
        """Graceful termination: SIGTERM, the grace period at most, and then the object goes."""
        now = self._clock.monotonic()
        if here.gone_at == math.inf:
            grace = metadata(pod).get("deletionGracePeriodSeconds")
            waits = [container.terminate() for container in here.all() if container.running]
            for container in here.all():
                if container.running:
                    path = f"spec.containers{{{container.name}}}"
                    self._events.normal(
                        pod, "Killing", f"Stopping container {container.name}", field_path=path
                    )
            here.gone_at = now + min(max(waits, default=0.0), GRACE if grace is None else float(grace))
        if now < here.gone_at:
            return Result(requeue_after=here.gone_at - now)
        for container in here.all():
            container.kill(0)
        self._drop(key)
        with contextlib.suppress(NotFound, Conflict):
            self._client.delete("v1", "Pod", key[1], key[0], grace_period_seconds=0, uid=here.uid)
        return None

    def _drop(self, key: Key) -> None:
        here = self._running.pop(key, None)
        for container in here.all() if here is not None else []:
            container.log.end()

    def _write(self, pod: Object, here: Running, node_name: str) -> None:
        """Write the status if it changed."""
        made = status_of(
            pod,
            here.inits,
            here.containers,
            ip=here.ip,
            host=nodes.address_of(node_name),
            now=self._clock.now(),
        )
        if made != (pod.get("status") or {}):
            with contextlib.suppress(NotFound):
                self._client.as_kubelet(node_name).replace_status({**pod, "status": made})

    def _address(self) -> str:
        self._addresses += 1
        return f"10.244.{self._addresses // 250}.{self._addresses % 250 + 2}"

    def _tell(self, key: Key, kind: str, reason: str, message: str, path: str) -> None:
        pod = self._informers.of("v1", "Pod").get(*key)
        if pod is not None:
            write = self._events.normal if kind == "Normal" else self._events.warning
            write(pod, reason, message, field_path=path)

    def _find(self, kind: str, namespace: str, name: str) -> Object | None:
        return self._informers.of("v1", kind).get(namespace, name)

    def _setting(self, pod: Object, container: Object, restarts: int) -> Setting:
        """What a container is started with; `ConfigError` if something that it names is not there."""
        policy = get_path(pod, "spec", "restartPolicy", default="Always")
        return Setting(
            image=ImageName.parse(str(container["image"])) or ImageName("", "", ""),
            command=tuple(container.get("command") or ()),
            args=tuple(container.get("args") or ()),
            env=environment(pod, container, self._find),
            files=files(pod, container, self._find),
            ports=tuple(int(p["containerPort"]) for p in container.get("ports") or []),
            host_name=str(get_path(pod, "spec", "hostname", default=name_of(pod))),
            pod_name=name_of(pod),
            namespace=namespace_of(pod),
            ip=str(get_path(pod, "status", "podIP", default="")),
            ends=policy != "Always" or container in ((pod.get("spec") or {}).get("initContainers") or []),
            restarts=restarts,
            now=self._clock.now,
            network=PodNetwork(namespace_of(pod), self._informers, self._listening),
        )

    def _listening(self, address: str, port: int) -> Program | None:
        """The program that listens at a pod's address."""
        found = (here.listener(port) for here in self._running.values() if here.ip == address)
        return next((program for program in found if program is not None), None)

    # -- what the API server asks

    def logs(
        self,
        pod: Object,
        container: str,
        *,
        follow: bool,
        tail_lines: int | None,
        since_seconds: int | None,
        since_time: datetime | None,
        timestamps: bool,
        previous: bool,
        limit_bytes: int | None,
    ) -> str | AsyncIterator[str]:
        """See `NodeApi`."""
        self._require_kubelet(pod, container)
        found = self._container(pod, container)
        begin = loglines.since(self._clock.now(), since_seconds, since_time)
        if previous:
            if found.before is None or not found.restarts:
                text = f'previous terminated container "{container}" in pod "{name_of(pod)}" not found'
                raise BadRequest(text)
            source = found.before
        elif found.started_at is None:
            why = found.reason or "ContainerCreating"
            raise BadRequest(f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {why}')
        else:
            source = found.log
        if follow and found.running and not previous:
            return _followed(source, tail_lines, begin, timestamps=timestamps)
        text = "".join(
            loglines.shown(e, timestamps=timestamps) for e in source.lines(tail=tail_lines, since=begin)
        )
        return text if limit_bytes is None else text.encode()[:limit_bytes].decode(errors="ignore")

    async def http(
        self, pod: Object, port: int, method: str, path: str, headers: Pairs, body: bytes
    ) -> tuple[int, Pairs, bytes]:
        """See `NodeApi`."""
        here = self._running.get((namespace_of(pod), name_of(pod)))
        program = here.listener(port) if here is not None else None
        if program is None:
            raise ConnectionRefusedError(
                f"dial tcp {here.ip if here else ''}:{port}: connect: connection refused"
            )
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked = Request(method, parts.path or "/", query, {k.lower(): v for k, v in headers}, body, port)
        answer = program.serve(asked)
        if answer.after:
            import asyncio

            await asyncio.sleep(self._clock.real(answer.after))
        return answer.status, [("content-type", answer.content_type), *answer.headers], answer.body

    def pod_usage(self, pod: Object) -> dict[str, Usage]:
        """See `NodeApi`."""
        here = self._running.get((namespace_of(pod), name_of(pod)))
        now = self._clock.now()
        found = {c.name: usage.of_container(c, now) for c in here.containers} if here is not None else {}
        return {name: used for name, used in found.items() if used is not None}

    def node_usage(self, node: Object) -> Usage | None:
        """See `NodeApi`."""
        if not nodes.is_simulated(node):
            return None
        pods = self._informers.of("v1", "Pod").list()
        here = [p for p in pods if get_path(p, "spec", "nodeName") == name_of(node)]
        running = [self._running[k] for p in here if (k := (namespace_of(p), name_of(p))) in self._running]
        capacity = str(get_path(node, "status", "capacity", "cpu", default="4"))
        return usage.of_node((c for r in running for c in r.containers), capacity, self._clock.now())

    def _require_kubelet(self, pod: Object, container: str) -> None:
        """Raise what the API server says of a node where nobody answers."""
        name = str(get_path(pod, "spec", "nodeName", default=""))
        node = self._informers.of("v1", "Node").get("", name) if name else None
        if not name or (node is not None and nodes.is_simulated(node)):
            return
        address = f"{nodes.address_of(name)}:10250"
        place = f"{namespace_of(pod)}/{name_of(pod)}/{container}"
        refused = f"dial tcp {address}: connect: connection refused"
        raise ApiError(f'Get "https://{address}/containerLogs/{place}": {refused}')

    def _container(self, pod: Object, name: str) -> Container:
        here = self._running.get((namespace_of(pod), name_of(pod)))
        for container in here.all() if here is not None else []:
            if container.name == name:
                return container
        raise BadRequest(f'container "{name}" in pod "{name_of(pod)}" is waiting to start: ContainerCreating')


async def _followed(
    source: loglines.Log, tail: int | None, begin: datetime | None, *, timestamps: bool
) -> AsyncIterator[str]:
    async for entry in source.follow(tail=tail, since=begin):
        yield loglines.shown(entry, timestamps=timestamps)


def _with_ip(pod: Object, ip: str) -> Object:
    """The pod with the address that it is about to get: its containers may ask for it in their environment."""
    return {**pod, "status": {**(pod.get("status") or {}), "podIP": ip}}
