"""The two ways to an Application: the cluster itself, or the service, which judges whoever asks.

Whoever has the lab folder has the cluster's kubeconfig, and is its administrator: they write the object themselves, as
`kubectl` would. Whoever came with a token (an account's, a project role's) asks the service, and may what the policy
says. What runs above sees no difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from labkit.errors import ApplicationError, ApplicationNotFound, Conflict, Forbidden
from labkit.gitops import operations
from labkit.runtime.client import WatchEvent

if TYPE_CHECKING:
    from labkit.cluster import Cluster
    from labkit.k8s.objects import Object
    from labkit.lab.service_client import ServiceClient

JSON = dict[str, Any]
Progress = Callable[["Object"], None]
TRIES = 10
LEAST_SECONDS = 0.5
ROOT = "/api/v1/applications"


class Applications(Protocol):
    """What can be done with Applications by name; see `labkit.gitops.operations`, which has the same words."""

    @property
    def cluster(self) -> Cluster:
        """The cluster itself; `Forbidden` for those who may not have it."""

    def get(self, name: str) -> Object:
        """The Application."""

    def list_(self, *, label_selector: str = "") -> list[Object]:
        """All that one may see, by name."""

    def update(self, name: str, change: Callable[[Object], Object]) -> Object:
        """Change it by a function, which is called again if somebody wrote meanwhile."""

    def refresh(self, name: str, *, hard: bool = False) -> Object:
        """Compare with Git now."""

    def sync(
        self,
        name: str,
        *,
        revision: str = "",
        prune: bool = False,
        dry_run: bool = False,
        resources: Sequence[str] = (),
        force: bool = False,
        plan: Sequence[JSON] | None = None,
    ) -> Object:
        """Ask for a sync."""

    def rollback(self, name: str, entry: int | None = None, *, prune: bool = False) -> Object:
        """Ask for an entry of the history again."""

    def terminate(self, name: str) -> Object:
        """Stop the operation that runs."""

    def confirm_deletion(self, name: str) -> Object:
        """Agree to what waits for it."""

    def wait_for_operation(self, name: str, *, timeout: float | None = None) -> Object:
        """Wait until no operation runs."""

    def wait(
        self,
        name: str,
        *,
        sync: bool,
        health: bool,
        operation: bool,
        suspended: bool,
        resources: Sequence[str],
        timeout: float | None,
        progress: Progress | None,
    ) -> Object:
        """Wait for the states asked for."""

    def delete(
        self, name: str, *, cascade: bool, propagation_policy: str, wait: bool, timeout: float | None
    ) -> None:
        """Delete it and, with ``cascade``, what it deployed."""

    def log(
        self,
        name: str,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        """The log of one of its pods."""

    def events(self, name: str, namespace: str) -> list[Object]:
        """Events in its namespaces, those of others perhaps among them."""


def direct(cluster: Cluster) -> Applications:
    """The owner's way."""
    return _Direct(cluster)


def judged(service: ServiceClient) -> Applications:
    """The way of everybody else: over the service's API."""
    return _Judged(service)


class _Direct:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def get(self, name: str) -> Object:
        return operations.get(self.cluster, name)

    def list_(self, *, label_selector: str = "") -> list[Object]:
        return operations.list_(self.cluster, label_selector=label_selector)

    def update(self, name: str, change: Callable[[Object], Object]) -> Object:
        return operations.update(self.cluster, name, change)

    def refresh(self, name: str, *, hard: bool = False) -> Object:
        return operations.refresh(self.cluster, name, hard=hard)

    def sync(self, name: str, **wishes: Any) -> Object:
        return operations.sync(self.cluster, name, **wishes)

    def rollback(self, name: str, entry: int | None = None, *, prune: bool = False) -> Object:
        return operations.rollback(self.cluster, name, entry, prune=prune)

    def terminate(self, name: str) -> Object:
        return operations.terminate(self.cluster, name)

    def confirm_deletion(self, name: str) -> Object:
        return operations.confirm_deletion(self.cluster, name)

    def wait_for_operation(self, name: str, *, timeout: float | None = None) -> Object:
        return operations.wait_for_operation(self.cluster, name, timeout=timeout)

    def wait(self, name: str, **wanted: Any) -> Object:
        return operations.wait(self.cluster, name, **wanted)

    def delete(self, name: str, **wishes: Any) -> None:
        operations.delete(self.cluster, name, **wishes)

    def log(
        self,
        name: str,  # noqa: ARG002  (whoever may read all pods is not asked whose)
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        return self.cluster.logs(namespace, pod, container=container, tail_lines=tail, previous=previous)

    def events(self, name: str, namespace: str) -> list[Object]:  # noqa: ARG002
        found = self.cluster.list("v1", "Event", namespace).items
        return [*found, *self.cluster.list("v1", "Event", operations.NAMESPACE).items]


class _Judged:
    def __init__(self, service: ServiceClient) -> None:
        self._service = service
        self._projects: dict[str, str] = {}

    @property
    def cluster(self) -> Cluster:
        raise Forbidden(
            "permission denied: the cluster itself is for the owner of the lab",
            where=self._service.url,
            fix="Without LABKIT_AUTH_TOKEN, --auth-token and `labkit login` it is you who asks.",
        )

    def get(self, name: str) -> Object:
        """Once it was seen its project is said, too: then the answer to "is it gone?" is no secret."""
        known = self._projects.get(name)
        found: Object = self._service.get(
            _path(name) + (f"?{urlencode({'project': known})}" if known else "")
        )
        self._projects[name] = found["spec"].get("project") or "default"
        return found

    def list_(self, *, label_selector: str = "") -> list[Object]:
        found: list[Object] = self._service.get(f"{ROOT}?{urlencode({'selector': label_selector})}")["items"]
        return found

    def update(self, name: str, change: Callable[[Object], Object]) -> Object:
        self._projects.pop(name, None)  # it may move to another
        for _ in range(TRIES):
            try:
                changed: Object = self._service.put(_path(name), change(self.get(name)))
            except Conflict:
                continue
            self._projects.pop(name, None)
            return changed
        raise ApplicationError(f"{name!r} is written by others all the time", where=name, fix="Try again.")

    def refresh(self, name: str, *, hard: bool = False) -> Object:
        found: Object = self._service.get(f"{_path(name)}?refresh={'hard' if hard else 'normal'}")
        return found

    def sync(
        self,
        name: str,
        *,
        revision: str = "",
        prune: bool = False,
        dry_run: bool = False,
        resources: Sequence[str] = (),
        force: bool = False,
        plan: Sequence[JSON] | None = None,
    ) -> Object:
        body: JSON = {"revision": revision, "prune": prune, "dryRun": dry_run, "force": force}
        body |= {"resources": list(resources)} | ({} if plan is None else {"plan": list(plan)})
        asked: Object = self._service.post(f"{_path(name)}/sync", body)
        return asked

    def rollback(self, name: str, entry: int | None = None, *, prune: bool = False) -> Object:
        body: JSON = {"prune": prune} | ({} if entry is None else {"id": entry})
        asked: Object = self._service.post(f"{_path(name)}/rollback", body)
        return asked

    def terminate(self, name: str) -> Object:
        found: Object = self._service.delete(f"{_path(name)}/operation")
        return found

    def confirm_deletion(self, name: str) -> Object:
        found: Object = self._service.post(f"{_path(name)}/confirm-deletion")
        return found

    def wait_for_operation(self, name: str, *, timeout: float | None = None) -> Object:
        return operations.wait_for_operation(self._watched(), name, timeout=timeout)

    def wait(self, name: str, **wanted: Any) -> Object:
        return operations.wait(self._watched(), name, **wanted)

    def delete(
        self, name: str, *, cascade: bool, propagation_policy: str, wait: bool, timeout: float | None
    ) -> None:
        self.get(name)
        query = {"cascade": str(cascade).lower(), "propagationPolicy": propagation_policy}
        self._service.delete(f"{_path(name)}?{urlencode(query)}")
        if wait:
            operations.wait_until_gone(self._watched(), name, timeout=timeout)

    def log(
        self,
        name: str,
        namespace: str,  # noqa: ARG002  (the service finds the pod in the application's tree)
        pod: str,
        *,
        container: str = "",
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        query = {"kind": "Pod", "resourceName": pod, "container": container}
        query |= {"previous": str(previous).lower()} | ({} if tail is None else {"tailLines": str(tail)})
        items = self._service.get(f"{_path(name)}/logs?{urlencode(query)}")["items"]
        return str(items[0]["content"]) if items else ""

    def events(self, name: str, namespace: str) -> list[Object]:  # noqa: ARG002
        found: list[Object] = self._service.get(f"{_path(name)}/events")["items"]
        return found

    def _watched(self) -> Any:
        return _Watched(self, self._service)


class _Watched:
    """As much of an `ObjectClient` as waiting needs: read one Application, and hear of changes."""

    def __init__(self, applications: Applications, service: ServiceClient) -> None:
        self._applications, self._service = applications, service

    def find(self, _api_version: str, _kind: str, name: str, _namespace: str) -> Object | None:
        try:
            return self._applications.get(name)
        except ApplicationNotFound:
            return None

    def watch(
        self, _api_version: str, _kind: str, _namespace: str, *, resource_version: str, timeout: float
    ) -> Iterator[WatchEvent]:
        """What changed after that version, until ``timeout`` seconds have passed or the stream ended."""
        began = time.monotonic()
        for told in self._service.lines("/api/v1/stream/applications", seconds=timeout):
            found = told["result"]
            if _newer(found["application"], resource_version):
                yield WatchEvent(found["type"], found["application"])
        if (
            time.monotonic() - began < LEAST_SECONDS
        ):  # it is refused, or ends at once: do not ask without a pause
            time.sleep(min(LEAST_SECONDS, timeout))


def _newer(obj: Object, version: str) -> bool:
    """Whether an object is later than a version: the service may not have heard of the newest yet."""
    own = str((obj.get("metadata") or {}).get("resourceVersion") or "")
    return int(own) > int(version) if own.isdigit() and version.isdigit() else own != version


def _path(name: str) -> str:
    return f"{ROOT}/{quote(name, safe='')}"
