"""Paths below an object, beside status: who answers each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from labkit.errors import BadRequest
from labkit.sandbox.apiserver import bodies, options, problems, wire
from labkit.sandbox.apiserver.handlers import Call, Streaming
from labkit.sandbox.apiserver.node import NotSimulated
from labkit.sandbox.apiserver.requests import DeleteOptions, User, WriteOptions
from labkit.sandbox.apiserver.scaling import Scaling
from labkit.sandbox.apiserver.wire import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]
Answer = Response | Streaming

_LONGEST_TOKEN = 2**32


class Subresources:
    """Answers requests for them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.scaling = Scaling(api)
        self._answers: dict[str, Callable[[Call], Answer]] = {
            "scale": self.scaling.answer,
            "finalize": self._write,
            "ephemeralcontainers": self._write,
            "resize": self._write,
            "binding": self._bind,
            "eviction": self._evict,
            "token": self._token,
        }

    async def answer(self, call: Call) -> Answer:
        """Do what the call's route says.  Raises `ApiError`."""
        name = call.route.subresource
        if name in self._answers:
            return self._answers[name](call)
        if name in ("log", "proxy"):
            from labkit.sandbox.apiserver.nodes import Nodes

            nodes = Nodes(self._api)
            handle: Callable[[Call], Awaitable[Answer]] = nodes.log if name == "log" else nodes.proxy
            return await handle(call)
        raise NotSimulated(
            f"{name} is not simulated: no command runs in the sandbox's pods, and no port of theirs is forwarded; "
            "read a pod's log, or ask a service through the proxy (kubectl get --raw …/services/NAME:PORT/proxy/)"
        )

    def _write(self, call: Call) -> Answer:
        """Paths that write the whole object, and only a part of it counts."""
        route = call.route
        if route.verb == "get":
            obj = self._api.verbs.get(route.resource, route.namespace, route.name)
            return wire.respond(wire.whole(route.resource, obj), call.form)
        writes, place = self._api.writes, (route.resource, route.namespace, route.name)
        if route.verb == "patch":
            how = options.read_write(call, "PatchOptions")
            patch = writes.read_patch(route.resource, call.media_type, call.body)
            options.check_patch(call, how, patch.type)
            written, _ = writes.patch(*place, patch, how, route.subresource)
        else:
            how = options.read_write(call, "UpdateOptions")
            body = bodies.parse(call.body, call.media_type, route.resource.kind)
            obj = bodies.decode(body, route.resource, how, self._api.registry)
            written, _ = writes.put(*place, obj, how, route.subresource)
        return wire.respond(wire.whole(route.resource, written), call.form, 200, how.warnings)

    # ── pods ──────────────────────────────────────────────────────────────────

    def _bind(self, call: Call) -> Answer:
        route, how = call.route, options.read_write(call, "CreateOptions")
        binding = bodies.parse(call.body, call.media_type, "Binding").value
        bodies.check_part(binding, "", "Binding", self._api.registry)
        node = (binding.get("target") or {}).get("name", "")
        if not node:
            raise BadRequest("a binding needs target.name, the node")
        self.bind(route.namespace, route.name, node, how)
        return wire.respond(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201},
            call.form,
            201,
        )

    def bind(self, namespace: str, name: str, node: str, how: WriteOptions) -> None:
        """Put a pod on a node.  Raises `Conflict` if it is on one or being deleted."""
        resource = self._api.resource("v1", "Pod")

        def transform(pod: JSON) -> JSON:
            if pod["metadata"].get("deletionTimestamp"):
                raise problems.conflict(
                    resource, name, f"pod {name} is being deleted, cannot be assigned to a host"
                )
            if pod["spec"].get("nodeName"):
                assigned = pod["spec"]["nodeName"]
                raise problems.conflict(
                    resource, name, f'pod {name} is already assigned to node "{assigned}"'
                )
            pod["spec"]["nodeName"] = node
            self._scheduled(pod)
            return pod

        self._api.verbs.update(resource, namespace, name, transform, how, subresource="binding")

    def _scheduled(self, pod: JSON) -> None:
        from labkit.sandbox.apiserver.definitions import set_condition

        set_condition(pod["status"], "PodScheduled", "True", "", "", self._api.clock.now())
        for condition in pod["status"]["conditions"]:
            if condition["type"] == "PodScheduled":
                condition.pop("reason", None)
                condition.pop("message", None)
                condition.setdefault("lastProbeTime", None)
                condition["observedGeneration"] = pod["metadata"].get("generation", 1)

    def _evict(self, call: Call) -> Answer:
        route = call.route
        eviction = bodies.parse(call.body, call.media_type, "Eviction").value
        bodies.check_part(eviction, "policy", "Eviction", self._api.registry)
        name = (eviction.get("metadata") or {}).get("name") or route.name
        if name != route.name:
            raise BadRequest("name in URL does not match name in Eviction object")
        said = eviction.get("deleteOptions") or {}
        wanted = said.get("preconditions") or {}
        how = DeleteOptions(
            grace_seconds=said.get("gracePeriodSeconds"),
            uid=wanted.get("uid") or "",
            dry_run=bool(said.get("dryRun") or call.query.get("dryRun")),
        )
        self.evict(route.namespace, route.name, how, call.user)
        return wire.respond(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201},
            call.form,
            201,
        )

    def evict(self, namespace: str, name: str, how: DeleteOptions, user: User) -> None:
        """Delete a pod if its disruption budget allows.  Raises as `eviction.spend_budget`."""
        from labkit.sandbox.apiserver import eviction

        resource = self._api.resource("v1", "Pod")
        pod = self._api.verbs.get(resource, namespace, name)
        eviction.spend_budget(self._api, pod, dry_run=how.dry_run)
        if not how.dry_run:
            eviction.mark(self._api, pod)
        self._api.verbs.delete(resource, namespace, name, how, user)

    # ── service accounts ──────────────────────────────────────────────────────

    def _bound(self, reference: JSON | None, namespace: str, account: str) -> JSON | None:
        """The pod that a token is good with only; a secret or a node must be there, too."""
        if not reference:
            return None
        api_version, kind = reference.get("apiVersion") or "", reference.get("kind") or ""
        name, uid = reference.get("name") or "", reference.get("uid") or ""
        if api_version != "v1" or kind not in ("Pod", "Secret", "Node"):
            group = api_version if "/" in api_version else f"/{api_version}"
            raise BadRequest(f"cannot bind token to object of type {group}, Kind={kind}")
        resource = self._api.resource(api_version, kind)
        found = self._api.verbs.get(resource, namespace if resource.namespaced else "", name)
        if kind == "Pod" and found["spec"].get("serviceAccountName") != account:
            raise BadRequest(
                f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
            )
        if uid and uid != found["metadata"]["uid"]:
            text = (
                f"the UID in the bound object reference ({uid}) does not match the UID in record. "
                "The object might have been deleted and then recreated"
            )
            raise problems.conflict(resource, name, text)
        return {"name": name, "uid": found["metadata"]["uid"]} if kind == "Pod" else None

    def _token(self, call: Call) -> Answer:
        from labkit.sandbox.apiserver import field_errors

        route = call.route
        request = bodies.parse(call.body, call.media_type, "TokenRequest").value
        spec = request.get("spec") or {}
        account = self._api.verbs.get(route.resource, route.namespace, route.name)
        seconds = spec.get("expirationSeconds")
        seconds = 3600 if seconds is None else seconds
        if type(seconds) is not int or seconds < 600 or seconds > _LONGEST_TOKEN:
            text = (
                "may not specify a duration less than 10 minutes"
                if seconds < 600
                else "may not specify a duration larger than 2^32 seconds"
            )
            error = field_errors.bad("spec.expirationSeconds", seconds, text)
            raise field_errors.invalid("authentication.k8s.io", "TokenRequest", "", [error])
        audiences = spec.get("audiences") or []
        bound = self._bound(spec.get("boundObjectRef"), route.namespace, route.name)
        status = self._api.authenticator.issue(
            route.namespace, route.name, account["metadata"]["uid"], seconds, audiences, bound
        )
        from labkit.sandbox.apiserver.authentication import ISSUER

        made = {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": route.name,
                "namespace": route.namespace,
                "creationTimestamp": self._api.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "spec": {
                "audiences": audiences or [ISSUER],
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": status,
        }
        return wire.respond(orjson.dumps(made), call.form, 201)
