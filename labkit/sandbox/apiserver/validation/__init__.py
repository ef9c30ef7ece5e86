"""What is wrong with an object: well-formed, and yet against a rule that no schema says.

One module a subject, each a list of rules that yield `FieldError`s in the order of Kubernetes' own validation, since
people and programs read the first one.  `KINDS` below says which rules a kind has.

Source: Kubernetes 1.36, pkg/apis/*/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labkit.k8s import names
from labkit.sandbox.apiserver import object_meta
from labkit.sandbox.apiserver.field_errors import FieldError
from labkit.sandbox.apiserver.validation import (
    access,
    batch,
    configuration,
    customkinds,
    definitions,
    endpoints,
    limits,
    network,
    pods,
    services,
    storage,
    workloads,
)

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.object_meta import NameRule
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]
Rule = Callable[[JSON], Iterator[FieldError]]
Change = Callable[[JSON, JSON], Iterator[FieldError]]


def _nothing(_: JSON) -> Iterator[FieldError]:
    yield from ()


def _no_change(_new: JSON, _old: JSON) -> Iterator[FieldError]:
    yield from ()


@dataclass(frozen=True)
class Rules:
    """A kind's rules: for its name, for an object, for a change.

    `whole`: a change is checked as a new object, too, and not only when its spec differs.  `change_first`: what may not
    change is said before what is wrong.  `new`: what holds for a new object alone.
    """

    name: NameRule = names.dns1123_subdomain
    obj: Rule = _nothing
    change: Change = _no_change
    whole: bool = False
    change_first: bool = False
    new: Rule = _nothing


_PATH: Final = object_meta.path_segment

KINDS: Final[dict[str, Rules]] = {
    "configmaps": Rules(
        obj=configuration.config_map, change=configuration.config_map_change, whole=True, change_first=True
    ),
    "secrets": Rules(
        obj=configuration.secret, change=configuration.secret_change, whole=True, change_first=True
    ),
    "namespaces": Rules(names.dns1123_label),
    "pods": Rules(obj=pods.pod, change=pods.pod_change, whole=True, new=pods.new_pod),
    "podtemplates": Rules(obj=pods.pod_template_object),
    "services": Rules(
        names.dns1123_label, services.service, services.service_change, whole=True, change_first=True
    ),
    "replicationcontrollers": Rules(obj=workloads.replication_controller),
    "persistentvolumeclaims": Rules(obj=storage.claim, change=storage.claim_change),
    "persistentvolumes": Rules(obj=storage.volume, change=storage.volume_change),
    "events": Rules(obj=configuration.event),
    "endpoints": Rules(obj=endpoints.endpoints, whole=True),
    "leases.coordination.k8s.io": Rules(obj=endpoints.lease),
    "nodes": Rules(obj=configuration.node, whole=True),
    "limitranges": Rules(obj=limits.limit_range, whole=True),
    "resourcequotas": Rules(obj=limits.resource_quota, change=limits.resource_quota_change),
    "deployments.apps": Rules(obj=workloads.deployment, change=workloads.selector_change),
    "replicasets.apps": Rules(obj=workloads.replica_set, change=workloads.selector_change),
    "daemonsets.apps": Rules(obj=workloads.daemon_set, change=workloads.selector_change),
    "statefulsets.apps": Rules(
        names.dns1123_label, workloads.stateful_set, change=workloads.stateful_set_change, whole=True
    ),
    "jobs.batch": Rules(obj=batch.job, change=batch.job_change),
    "cronjobs.batch": Rules(obj=batch.cron_job, new=batch.new_cron_job),
    "horizontalpodautoscalers.autoscaling": Rules(obj=workloads.autoscaler, whole=True),
    "ingresses.networking.k8s.io": Rules(obj=network.ingress, new=network.new_ingress),
    "ingressclasses.networking.k8s.io": Rules(
        obj=network.ingress_class, change=network.ingress_class_change, whole=True, change_first=True
    ),
    "networkpolicies.networking.k8s.io": Rules(obj=network.network_policy, whole=True),
    "endpointslices.discovery.k8s.io": Rules(
        obj=endpoints.endpoint_slice, change=endpoints.endpoint_slice_change, whole=True
    ),
    "poddisruptionbudgets.policy": Rules(obj=workloads.disruption_budget),
    "roles.rbac.authorization.k8s.io": Rules(_PATH, access.role, whole=True),
    "clusterroles.rbac.authorization.k8s.io": Rules(_PATH, access.role, whole=True),
    "rolebindings.rbac.authorization.k8s.io": Rules(
        _PATH, access.role_binding, access.binding_change, whole=True
    ),
    "clusterrolebindings.rbac.authorization.k8s.io": Rules(
        _PATH, access.cluster_role_binding, access.binding_change, whole=True
    ),
    "priorityclasses.scheduling.k8s.io": Rules(
        obj=workloads.priority_class, change=workloads.priority_class_change
    ),
    "storageclasses.storage.k8s.io": Rules(obj=storage.storage_class, change=storage.storage_class_change),
    "controllerrevisions.apps": Rules(obj=workloads.revision, change=workloads.revision_change),
    "customresourcedefinitions.apiextensions.k8s.io": Rules(
        obj=definitions.definition, change=definitions.definition_change, whole=True, change_first=True
    ),
}


def check_create(resource: Resource, obj: JSON) -> list[FieldError]:
    """The errors of a new object."""
    rules = KINDS.get(resource.name, Rules())
    errors = _meta(resource, obj, rules.name)
    if resource.custom is not None:
        return errors + list(customkinds.check(resource.custom, obj, None))
    return [*errors, *rules.obj(obj), *rules.new(obj)]


def check_update(resource: Resource, new: JSON, old: JSON, subresource: str) -> list[FieldError]:
    """The errors of a change.  Some stand there twice, as in the real server, which checks metadata that often."""
    rules = KINDS.get(resource.name, Rules())
    errors = _meta(resource, new, _PATH) + object_meta.validate_update(new["metadata"], old["metadata"])
    errors += object_meta.validate_update(new["metadata"], old["metadata"])
    if resource.custom is not None:
        return errors + list(customkinds.check(resource.custom, new, old))
    if subresource == "status":
        return errors
    changed, whole = list(rules.change(new, old)), []
    if rules.whole:
        whole += _meta(resource, new, rules.name)
    if rules.whole or new.get("spec") != old.get("spec"):
        whole += rules.obj(new)
    return errors + (changed + whole if rules.change_first else whole + changed)


def _meta(resource: Resource, obj: JSON, rule: NameRule) -> list[FieldError]:
    # Kubernetes' own API groups have a list of finalizers without a domain; kinds and their objects have none
    # (apiextensions-apiserver, ValidateCustomResourceDefinition: apimachinery's ValidateObjectMeta and no more).
    custom = resource.custom is not None or resource.group == "apiextensions.k8s.io"
    return object_meta.validate(
        obj["metadata"], namespaced=resource.namespaced, name_rule=rule, custom=custom
    )
