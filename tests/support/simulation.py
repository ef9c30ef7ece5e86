"""A whole cluster in the test's own process, on a clock that the test turns: minutes pass in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labkit.runtime.clock import ManualClock
from labkit.sandbox import certificates
from labkit.sandbox.apiserver.api import Api, Secrets
from labkit.sandbox.apiserver.bootstrap import bootstrap
from labkit.sandbox.client import LocalClient
from labkit.sandbox.controllers.running import Controllers
from labkit.sandbox.kubelet.kubelet import Kubelet
from labkit.sandbox.store import Store

Object = dict[str, Any]


class Simulation:
    """API, controllers and nodes. `client` is who tests write as."""

    def __init__(self, folder: Path, nodes: tuple[str, ...]) -> None:
        self.clock = ManualClock()
        self._store = Store(folder / "state.db")
        tls = certificates.ensure(folder / "tls")
        self.api = Api(self._store, self.clock, Secrets("token", b"key", tls.authority_pem))
        bootstrap(self.api, 6443)
        self._loop = asyncio.new_event_loop()  # never run: the test steps what it would
        self.client = LocalClient(self.api, "admin", manager="test")
        self.kubelet = Kubelet(LocalClient(self.api), self.clock, self._loop, nodes)
        self.api.node = self.kubelet
        self.controllers = Controllers(LocalClient(self.api), self.clock, self._loop)
        self._hosts = (self.kubelet._host, self.controllers.host)

    def settle(self) -> None:
        """Let everything that can happen now happen."""
        while any(host.delay() == 0.0 for host in self._hosts):
            for host in self._hosts:
                host.settle()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and everything happen at its moment."""
        end = self.clock.monotonic() + seconds
        self.settle()
        while (due := self._next()) is not None and self.clock.monotonic() + due <= end:
            self.clock.turn(due)
            self.settle()
        self.clock.turn(max(0.0, end - self.clock.monotonic()))
        self.settle()

    def _next(self) -> float | None:
        return min((delay for host in self._hosts if (delay := host.delay()) is not None), default=None)

    def close(self) -> None:
        self.controllers.stop()
        self.kubelet.stop()
        self.api.close()
        self._store.close()
        self._loop.close()

    # -- what tests look at

    def apply(self, obj: Object, namespace: str = "default") -> Object:
        obj = {**obj, "metadata": {"namespace": namespace, **obj["metadata"]}}
        return self.client.apply(obj, field_manager="test", force=True)

    def get(self, kind: str, name: str, api_version: str = "v1", namespace: str = "default") -> Object:
        return self.client.get(api_version, kind, name, namespace)

    def pods(self, namespace: str = "default", **labels: str) -> list[Object]:
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        return sorted(
            self.client.list("v1", "Pod", namespace, label_selector=selector).items,
            key=lambda pod: pod["metadata"]["name"],
        )

    def events(self, name: str, namespace: str = "default") -> list[str]:
        """The reasons of an object's Events, in their order."""
        found = [
            event
            for event in self.client.list("v1", "Event", namespace).items
            if (event.get("involvedObject") or {}).get("name") == name
        ]
        found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [event["reason"] for event in found]

    def log(self, name: str, namespace: str = "default") -> str:
        """All that a Pod's first container has said."""
        found = self.get("Pod", name, namespace=namespace)
        said = self.kubelet.logs(
            found, found["spec"]["containers"][0]["name"], follow=False, tail_lines=None, since_seconds=None,
            since_time=None, timestamps=False, previous=False, limit_bytes=None,
        )  # fmt: skip
        return str(said)

    def version(self) -> int:
        """The number of the last write of all."""
        return int(self.client.list("v1", "ConfigMap").resource_version)


@contextmanager
def simulation(folder: Path, nodes: tuple[str, ...] = ("node-1",)) -> Iterator[Simulation]:
    made = Simulation(folder, nodes)
    made.settle()
    try:
        yield made
    finally:
        made.close()


def pod(name: str, image: str = "nginx", **spec: Any) -> Object:
    """A pod with one container; ``container`` adds to that, everything else to the spec."""
    container = {"name": "main", "image": image, **spec.pop("container", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], **spec},
    }


def workload(
    kind: str, name: str, image: str = "nginx", *, api_version: str = "apps/v1", **spec: Any
) -> Object:
    """A Deployment or one of its relatives."""
    container = {"name": "main", "image": image, **spec.pop("container", {})}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
            **spec,
        },
    }
