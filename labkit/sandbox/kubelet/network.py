"""The network between containers: names and addresses of the cluster, down to the program that listens.

A Service's name leads to one of its ready endpoints, each in its turn, as kube-proxy would have it; where there is
none, the connection is refused. Names are resolved as a Pod's ``resolv.conf`` does it: ``web``, ``web.shop``,
``web.shop.svc``, ``web.shop.svc.cluster.local``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.k8s.objects import get_path
from labkit.k8s.selectors import LabelSelector
from labkit.sandbox.images.http import NoSuchHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.k8s.objects import Object
    from labkit.sandbox.images import Answer, Program, Request
    from labkit.sandbox.informers import Informers

_DOMAINS = (".svc.cluster.local", ".svc")


class PodNetwork:
    """What containers of one namespace can ask; ``listening`` finds the program at an address and port."""

    def __init__(
        self, namespace: str, informers: Informers, listening: Callable[[str, int], Program | None]
    ) -> None:
        self._namespace, self._informers, self._listening = namespace, informers, listening
        self._turns = 0

    def fetch(self, host: str, request: Request) -> Answer:
        """See `Network`."""
        service = self._service(host)
        targets = [(host, request.port)] if service is None else self._behind(service, request.port)
        self._turns += 1
        for number in range(len(targets)):
            program = self._listening(*targets[(self._turns + number) % len(targets)])
            if program is not None:
                return program.serve(request)
        raise ConnectionRefusedError(f"{host}:{request.port}")

    def _service(self, host: str) -> Object | None:
        """The Service of that name or address; ``None`` for another address. Raises `NoSuchHost`."""
        services = self._informers.of("v1", "Service")
        if host.replace(".", "").isdigit():
            return next((s for s in services.list() if get_path(s, "spec", "clusterIP") == host), None)
        name = host.rstrip(".")
        for domain in _DOMAINS:
            name = name.removesuffix(domain)
        name, _, namespace = name.partition(".")
        found = services.get(namespace or self._namespace, name)
        if found is None:
            raise NoSuchHost(host)
        return found

    def _behind(self, service: Object, port: int) -> list[tuple[str, int]]:
        """The ready endpoints' addresses and ports for one port of a Service."""
        found = next((p for p in get_path(service, "spec", "ports", default=[]) if p["port"] == port), None)
        if found is None:
            return []
        metadata = service["metadata"]
        selector = LabelSelector.from_labels({"kubernetes.io/service-name": metadata["name"]})
        slices = self._informers.of("discovery.k8s.io/v1", "EndpointSlice").list(
            metadata["namespace"], selector
        )
        return [
            (address, each["port"])
            for one in slices
            for each in one.get("ports") or []
            if (each.get("name") or "") == (found.get("name") or "")
            for endpoint in one.get("endpoints") or []
            if get_path(endpoint, "conditions", "ready", default=True)
            for address in endpoint["addresses"]
        ]
