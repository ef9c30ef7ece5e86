"""The cluster for those who live in its process: controllers and kubelet call the verbs without HTTP.

`LocalClient` is the `labkit.runtime.client.ObjectClient` of this process.  All methods are synchronous and short, and
may be called on the event loop's thread only.  Instead of watching, `subscribe`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from labkit.errors import BadRequest, NotFound
from labkit.k8s.objects import copied
from labkit.runtime.client import ObjectList, WatchEvent
from labkit.sandbox.apiserver import bodies, wire
from labkit.sandbox.apiserver.requests import DeleteOptions, ListOptions, User, WriteOptions
from labkit.sandbox.apiserver.resources import Resource
from labkit.sandbox.apiserver.selection import Selection
from labkit.sandbox.apiserver.writes import Patch

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api
    from labkit.sandbox.store import Change

Object = dict[str, Any]
Resources = list["Resource"]
OnChange = Callable[[str, Object, Object | None], None]
OnAnyChange = Callable[[Resource, str, Object, Object | None], None]


class LocalClient:
    """The API as one user of it.

    Raises the same `ApiError`s as the server answers.  Access rules are not asked: who is in the process is trusted.
    """

    def __init__(
        self,
        api: Api,
        user: str = "system:kube-controller-manager",
        groups: tuple[str, ...] = ("system:masters",),
        *,
        manager: str = "kube-controller-manager",
    ) -> None:
        self._api = api
        self._user = User(user, groups)
        self._manager = manager

    @property
    def ca_certificate(self) -> str:
        """The PEM of the authority that signed the server's certificate."""
        return self._api.ca_certificate

    def as_user(self, name: str, *groups: str, manager: str = "") -> LocalClient:
        """The same cluster as somebody else."""
        return LocalClient(self._api, name, groups or ("system:masters",), manager=manager or self._manager)

    def as_kubelet(self, node: str) -> LocalClient:
        """The same cluster as the kubelet of a node."""
        return LocalClient(
            self._api, f"system:node:{node}", ("system:nodes", "system:masters"), manager="kubelet"
        )

    # ── reading ───────────────────────────────────────────────────────────────

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        """A copy of the object.  Raises `NotFound`."""
        resource = self._api.resource(api_version, kind)
        return wire.whole(resource, self._api.verbs.get(resource, namespace or "", name))

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """A copy of the object, or None."""
        try:
            return self.get(api_version, kind, name, namespace)
        except NotFound:
            return None

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ObjectList:
        """Copies of the objects, of one namespace or of all."""
        resource = self._api.resource(api_version, kind)
        options = ListOptions(label_selector=label_selector, field_selector=field_selector)
        selection = Selection(resource, namespace or "", options)
        select = None if selection.everything else selection.entry
        page = self._api.verbs.list(resource, namespace or "", options, select)
        items = [wire.whole(resource, entry.decode()) for _, entry in page.entries]
        return ObjectList(items, str(page.revision))

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        timeout: float | None = None,
    ) -> Iterator[WatchEvent]:
        """Not here: it would wait on the loop that it waits for.  Use `subscribe`."""
        raise NotImplementedError("inside the sandbox's process, use LocalClient.subscribe")

    def subscribe(
        self, api_version: str, kind: str, callback: OnChange, *, namespace: str | None = None
    ) -> Callable[[], None]:
        """Call back with (type, object, object before) after every write; return what ends it.

        The objects are shared and must not be changed, and the callback must not write: it takes note.
        """
        resource = self._api.resource(api_version, kind)

        def on_change(change: Change) -> None:
            if change.key.resource == resource.storage and namespace in (None, "", change.key.namespace):
                _tell(resource, change, callback)

        return self._api.store.subscribe(on_change)

    def subscribe_all(self, callback: OnAnyChange) -> Callable[[], None]:
        """`subscribe` to every kind; the callback is told the resource first."""

        def on_change(change: Change) -> None:
            resource = self._api.registry.stored_in(change.key.resource)
            if resource is not None:
                _tell(resource, change, lambda kind, new, old: callback(resource, kind, new, old))

        return self._api.store.subscribe(on_change)

    def kinds(self) -> Resources:
        """What the server serves now, custom kinds included."""
        return list(self._api.registry)

    def resource_for(self, api_version: str, kind: str) -> Resource:
        """The resource of a kind.  Raises `NoSuchKind`."""
        return self._api.resource(api_version, kind)

    # ── writing ───────────────────────────────────────────────────────────────

    def create(self, obj: Object, *, dry_run: bool = False, field_validation: str = "") -> Object:
        """Make a new object.  Raises `AlreadyExists`, `Invalid`, …"""
        resource, content = self._decoded(obj)
        namespace = content.get("metadata", {}).get("namespace", "")
        options = self._options(dry_run=dry_run, validation=field_validation)
        return wire.whole(resource, self._api.verbs.create(resource, namespace, content, options))

    def replace(self, obj: Object, *, subresource: str = "") -> Object:
        """PUT the object.  Raises `Conflict` when its resourceVersion is not the newest."""
        resource, content = self._decoded(obj)
        meta = content["metadata"]
        written, _ = self._api.writes.put(
            resource, meta.get("namespace", ""), meta["name"], content, self._options(), subresource
        )
        return wire.whole(resource, written)

    def replace_status(self, obj: Object) -> Object:
        """PUT the object's status."""
        return self.replace(obj, subresource="status")

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        patch: Any,
        patch_type: str = "merge",
        subresource: str = "",
        dry_run: bool = False,
        field_manager: str = "labkit",
    ) -> Object:
        """Change the object by a merge, json or strategic patch."""
        resource = self._api.resource(api_version, kind)
        options = self._options(field_manager, dry_run=dry_run)
        content = Patch(patch_type, copied(patch))
        written, _ = self._api.writes.patch(resource, namespace or "", name, content, options, subresource)
        return wire.whole(resource, written)

    def apply(
        self,
        obj: Object,
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Object:
        """Server-side apply.  Raises `Conflict` for fields that others own."""
        resource = self._api.resource(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
        meta = obj.get("metadata") or {}
        options = self._options(field_manager, dry_run=dry_run)
        options.force = force
        patch = Patch("apply", copied(obj))
        written, _ = self._api.writes.patch(
            resource, meta.get("namespace") or "", meta.get("name") or "", patch, options, subresource
        )
        return wire.whole(resource, written)

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation_policy: str | None = None,
        grace_period_seconds: int | None = None,
        uid: str | None = None,
    ) -> Object | None:
        """Delete the object; return it if it stays for now, None if it is gone."""
        resource = self._api.resource(api_version, kind)
        options = DeleteOptions(propagation_policy or "", grace_period_seconds, uid or "")
        obj, gone = self._api.verbs.delete(resource, namespace or "", name, options, self._user)
        return None if gone else wire.whole(resource, obj)

    def finalize_namespace(self, name: str) -> None:
        """Let a namespace go: take the finalizer ``kubernetes`` out of its spec."""
        resource = self._api.resource("v1", "Namespace")
        obj = self._api.verbs.get(resource, "", name)
        obj["spec"].pop("finalizers", None)
        self._api.writes.put(resource, "", name, obj, self._options(), "finalize")

    def scale(self, resource: Resource, namespace: str, name: str) -> Object:
        """An object's scale.  Raises `NotFound` for the object, or for a kind that has none."""
        return self._api.subresources.scaling.read(resource, namespace, name)

    def rescale(self, resource: Resource, namespace: str, name: str, replicas: int) -> None:
        """Set the number of replicas through the scale."""
        content = {"spec": {"replicas": replicas}}
        self._api.subresources.scaling.write(resource, namespace, name, content, None, self._options())

    def bind(self, namespace: str, pod: str, node: str) -> None:
        """Put a pod on a node, as a scheduler does.  Raises `Conflict` if it is on one."""
        self._api.subresources.bind(namespace, pod, node, self._options("kube-scheduler"))

    def evict(self, namespace: str, pod: str) -> None:
        """Ask a pod to go.  Raises `TooManyRequests` where a disruption budget forbids it."""
        self._api.subresources.evict(namespace, pod, DeleteOptions(), self._user)

    def _decoded(self, obj: Object) -> tuple[Resource, Object]:
        api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        if not api_version or not kind:
            raise BadRequest("an object needs its apiVersion and kind")
        resource = self._api.resource(api_version, kind)
        content = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
        return resource, bodies.canonical(content, resource, WriteOptions(field_validation="Ignore"))

    def _options(self, manager: str = "", *, dry_run: bool = False, validation: str = "") -> WriteOptions:
        return WriteOptions(
            user=self._user,
            dry_run=dry_run,
            field_manager=manager or self._manager,
            field_validation=validation or "Ignore",
        )


def _tell(resource: Resource, change: Change, callback: OnChange) -> None:
    old = wire.whole(resource, change.old) if change.old is not None else None
    callback(change.type, wire.whole(resource, change.last), old)
