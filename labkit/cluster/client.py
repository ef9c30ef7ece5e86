"""One cluster, whatever kubeconfig it came from: the API's verbs on plain objects, over HTTP.

The GitOps engine, the lessons and the trainee use this same class, for the lab's sandbox, for kind and for a
cluster in a data centre. It is the HTTP twin of the client that runs inside the sandbox: both have the verbs of
`labkit.runtime.client.ObjectClient`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from labkit.cluster import confirmation, plugins
from labkit.cluster.discovery import ApiResource, Discovery
from labkit.cluster.kubeconfig import Kubeconfig
from labkit.cluster.pods import ProxyResponse, follow_logs, proxy, read_logs
from labkit.cluster.transport import APPLY_TYPE, Transport
from labkit.cluster.watch import Watch
from labkit.errors import BadRequest, NotFound
from labkit.runtime.client import ObjectList

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labkit.cluster.access import Access
    from labkit.cluster.confirmation import Confirm
    from labkit.k8s.objects import Object

_PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}

_log = logging.getLogger(__name__)


class Cluster:
    """An `ObjectClient` for one server. Thread-safe; close it, or use it in ``with``.

    ``own`` says that the cluster is the lab's, made for being written to. Before the first write to any other
    one, ``confirm`` is asked (a question in, whether the answer was yes out); see `confirmation.require`.

    Where a verb takes ``namespace=None``: lists and watches mean all namespaces, everything else means the
    object's own, or the context's. What the API refuses raises `ApiError`; a server that does not answer raises
    `ClusterUnreachable`.
    """

    def __init__(
        self,
        access: Access,
        *,
        own: bool = False,
        confirm: Confirm | None = None,
        files: Sequence[Path] = (),
        read_seconds: float | None = None,
    ) -> None:
        headers = None
        self._files = tuple(files)
        if access.plugin:
            access, headers = plugins.log_in(self._files, access)
        self.access = access
        self.own = own
        self._confirm = confirm
        limits = {} if read_seconds is None else {"read_seconds": read_seconds}
        self._transport = Transport(access, own=own, headers=headers, **limits)
        self._discovery = Discovery(self._transport)

    @classmethod
    def from_kubeconfig(
        cls,
        path: Path | str | Sequence[Path | str],
        context: str | None = None,
        *,
        own: bool = False,
        confirm: Confirm | None = None,
        read_seconds: float | None = None,
    ) -> Cluster:
        """The cluster of ``context`` (None: the current one) in a kubeconfig, or in several read as one.

        Connects to nothing yet. ``read_seconds`` is the longest wait for an answer. Raises `ClusterError`
        with file, field and fix when the kubeconfig is gone, damaged, or has no such context.
        """
        files = [path] if isinstance(path, (str, Path)) else list(path)
        loaded = Kubeconfig.load(*(Path(file).expanduser() for file in files))
        access = loaded.access(context)
        return cls(access, own=own, confirm=confirm, files=loaded.files, read_seconds=read_seconds)

    def __repr__(self) -> str:
        return f"<Cluster {self.name} {self.server}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    @property
    def name(self) -> str:
        """The kubeconfig's context."""
        return self.access.name

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self.access.server

    @property
    def namespace(self) -> str:
        """The context's namespace."""
        return self.access.namespace

    # The server

    def version(self) -> str:
        """The server's version, such as ``v1.36.0``."""
        return str(self._transport.json("GET", "/version").get("gitVersion", ""))

    def resources(self, *, refresh: bool = False) -> list[ApiResource]:
        """The kinds that the server has, as known; ``refresh`` asks it anew."""
        return self._discovery.resources(refresh=refresh)

    def resource(self, api_version: str, kind: str) -> ApiResource:
        """One kind. Raises `NoSuchKind`, which names near ones."""
        return self._discovery.find(api_version, kind)

    def raw(self, path: str, method: str = "GET") -> str:
        """What the server answers at ``path``, as text (``kubectl get --raw``)."""
        answer = self._transport.send(method, path, accept="application/json, */*")
        return answer.data.decode("utf-8", "replace")

    def api_client(self) -> Any:
        """The official Python client (``kubernetes.client.ApiClient``) for this cluster, to go on with by hand."""
        return plugins.api_client(self._files, self.access)

    # Objects

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        """One object. Raises `NotFound`."""
        resource = self._discovery.find(api_version, kind)
        return self._json("GET", resource, namespace, name)

    def find(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None if there is none (and if there is no such kind)."""
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
        """The objects of a kind, each with its ``apiVersion`` and ``kind``, and the version to watch from."""
        resource = self._discovery.find(api_version, kind)
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        found = self._call(resource, "GET", resource.path(namespace), query=query)
        items = [{"apiVersion": api_version, "kind": kind} | item for item in found.get("items") or []]
        return ObjectList(items, found.get("metadata", {}).get("resourceVersion", ""))

    def create(self, obj: Object, *, dry_run: bool = False, field_validation: str = "") -> Object:
        """Create an object (its name may be left to ``generateName``). Raises `AlreadyExists`.

        With ``field_validation="Strict"``, raises `BadRequest` that names the fields which the kind has not.
        """
        resource = self._resource(obj)
        self._agree(f"create {_words(obj)}", dry_run=dry_run)
        path = resource.path(self._namespace(resource, obj))
        query = _dry(dry_run) | ({"fieldValidation": field_validation} if field_validation else {})
        return self._object(resource, "POST", path, query=query, body=obj)

    def replace(self, obj: Object) -> Object:
        """Write the whole object. With a ``resourceVersion``, raises `Conflict` if somebody wrote since."""
        return self._put(obj, "")

    def replace_status(self, obj: Object) -> Object:
        """Write the object's ``status``, and nothing else of it."""
        return self._put(obj, "status")

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
        """Change some of an object: ``patch_type`` is ``merge``, ``json`` or ``strategic``."""
        if patch_type not in _PATCH_TYPES:
            raise BadRequest(
                f"no such patch type: {patch_type!r}", fix=f"Use one of {', '.join(_PATCH_TYPES)}."
            )
        resource = self._discovery.find(api_version, kind)
        self._agree(f"patch {kind} {name}", dry_run=dry_run)
        path = resource.path(namespace or self.namespace, name, subresource)
        query = {"fieldManager": field_manager} | _dry(dry_run)
        return self._object(
            resource, "PATCH", path, query=query, body=patch, content_type=_PATCH_TYPES[patch_type]
        )

    def apply(
        self,
        obj: Object,
        *,
        field_manager: str,
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Object:
        """Server-side apply. Raises `Conflict` where another manager owns a field, unless ``force``."""
        resource = self._resource(obj)
        self._agree(f"apply {_words(obj)}", dry_run=dry_run)
        path = resource.path(self._namespace(resource, obj), _name(obj), subresource)
        query = {"fieldManager": field_manager, "force": force} | _dry(dry_run)
        return self._object(resource, "PATCH", path, query=query, body=obj, content_type=APPLY_TYPE)

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
        """Delete an object; it is handed back if it is still there, being deleted.

        ``propagation_policy`` is ``Foreground``, ``Background`` or ``Orphan``. With ``uid``, raises `Conflict`
        if an object of that name is another one by now.
        """
        resource = self._discovery.find(api_version, kind)
        self._agree(f"delete {kind} {name}")
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if propagation_policy:
            options["propagationPolicy"] = propagation_policy
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        if uid:
            options["preconditions"] = {"uid": uid}
        path = resource.path(namespace or self.namespace, name)
        answer = self._call(resource, "DELETE", path, body=options)
        return None if answer.get("kind") == "Status" else answer

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        timeout: float | None = None,
    ) -> Watch:
        """The changes of a kind after ``resource_version`` (without one: first what there is, as ADDED).

        Ends after ``timeout`` seconds, or when it is closed. Raises `Gone` when the server no longer remembers
        the version.
        """
        resource = self._discovery.find(api_version, kind)
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        return Watch(
            self._transport,
            resource.path(namespace),
            query={key: value for key, value in query.items() if value},
            resource_version=resource_version,
            timeout=timeout,
        )

    # What runs in it

    def proxy(
        self,
        namespace: str,
        service: str,
        path: str = "/",
        port: int | str | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> ProxyResponse:
        """Ask an application through the API server's proxy to its Service; see `pods.proxy`."""
        if method not in ("GET", "HEAD"):
            self._agree(f"{method} {path} to Service {namespace}/{service}")
        return proxy(
            self._transport,
            namespace,
            service,
            path,
            port=port,
            method=method,
            headers=headers or {},
            body=body,
        )

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail_lines: int | None = None,
        since_seconds: int | None = None,
        timestamps: bool = False,
        previous: bool = False,
    ) -> str:
        """A container's log; ``container`` may be left out where the Pod has one only."""
        query = _log_query(container, tail_lines, since_seconds, timestamps) | {"previous": previous}
        return read_logs(self._transport, namespace, pod, query)

    def follow_logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail_lines: int | None = None,
        since_seconds: int | None = None,
        timestamps: bool = False,
    ) -> Iterator[str]:
        """A container's log line by line, for as long as it runs."""
        query = _log_query(container, tail_lines, since_seconds, timestamps)
        return follow_logs(self._transport, namespace, pod, query)

    # Within

    def _resource(self, obj: Object) -> ApiResource:
        return self._discovery.find(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))

    def _namespace(self, resource: ApiResource, obj: Object) -> str | None:
        return (obj.get("metadata", {}).get("namespace") or self.namespace) if resource.namespaced else None

    def _put(self, obj: Object, subresource: str) -> Object:
        resource = self._resource(obj)
        self._agree(f"replace {_words(obj)}")
        path = resource.path(self._namespace(resource, obj), _name(obj), subresource)
        return self._object(resource, "PUT", path, body=obj)

    def _json(self, method: str, resource: ApiResource, namespace: str | None, name: str) -> Object:
        return self._object(resource, method, resource.path(namespace or self.namespace, name))

    def _object(self, resource: ApiResource, method: str, path: str, **request: Any) -> Object:
        found: Object = self._call(resource, method, path, **request)
        return found

    def _call(self, resource: ApiResource, method: str, path: str, **request: Any) -> Any:
        try:
            return self._transport.json(method, path, **request)
        except NotFound as error:
            if not error.details.get("name"):  # the path is unknown, not the object: the kind went away
                self._discovery.forget(resource)
            raise

    def _agree(self, action: str, *, dry_run: bool = False) -> None:
        if not (self.own or dry_run):
            confirmation.require(self.access, action, self._confirm)


def _words(obj: Object) -> str:
    metadata = obj.get("metadata", {})
    return f"{obj.get('kind')} {metadata.get('name') or metadata.get('generateName', '')}"


def _name(obj: Object) -> str:
    return str(obj.get("metadata", {}).get("name") or "")


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _log_query(
    container: str, tail_lines: int | None, since_seconds: int | None, timestamps: bool
) -> dict[str, str | int | bool | None]:
    return {
        "container": container,
        "tailLines": tail_lines,
        "sinceSeconds": since_seconds,
        "timestamps": timestamps,
    }
