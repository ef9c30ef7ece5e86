"""How a client finds out what the server can do: the groups, their versions, and the resources in them.

kubectl asks for the aggregated form first (one answer for all groups); older clients ask group by group.
"""

# ruff: noqa: SIM905 - a table of words is read more easily as text

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Registry, Resource, Subresource

JSON = dict[str, Any]

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"

# The order in which kube-apiserver lists its groups; others follow by name.
_ORDER: Final = (
    "apiregistration.k8s.io apps events.k8s.io authentication.k8s.io authorization.k8s.io autoscaling batch "
    "certificates.k8s.io networking.k8s.io policy rbac.authorization.k8s.io storage.k8s.io "
    "admissionregistration.k8s.io apiextensions.k8s.io scheduling.k8s.io coordination.k8s.io node.k8s.io "
    "discovery.k8s.io flowcontrol.apiserver.k8s.io"
).split()


def core_versions() -> JSON:
    """``/api``."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(registry: Registry) -> JSON:
    """``/apis``."""
    found = [_group(name, versions) for name, versions in _sorted(registry) if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(registry: Registry, name: str) -> JSON | None:
    """``/apis/<group>``; None where there is no such group."""
    versions = registry.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def resources(registry: Registry, group_name: str, version: str) -> JSON | None:
    """``/apis/<group>/<version>`` or ``/api/v1``; None where there is no such version."""
    found = _in(registry, group_name, version)
    if not found:
        return None
    rows = [row for resource in found for row in _rows(resource)]
    head: JSON = {"kind": "APIResourceList"}
    if group_name:
        head["apiVersion"] = "v1"
    name = f"{group_name}/{version}" if group_name else version
    return {**head, "groupVersion": name, "resources": rows}


def aggregated(registry: Registry, *, core: bool, version: str) -> JSON:
    """``/api`` or ``/apis`` with all resources in one document."""
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [_aggregated_version(registry, name, one) for one in versions],
        }
        for name, versions in _sorted(registry)
        if (name == "") == core
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _sorted(registry: Registry) -> list[tuple[str, list[str]]]:
    def place(item: tuple[str, list[str]]) -> tuple[int, str]:
        name = item[0]
        return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)

    return sorted(registry.groups().items(), key=place)


def _in(registry: Registry, group_name: str, version: str) -> list[Resource]:
    found = [r for r in registry if r.group == group_name and r.version == version]
    return sorted(found, key=lambda resource: resource.plural)


def _group(name: str, versions: list[str]) -> JSON:
    named = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": named, "preferredVersion": named[0]}


def _rows(resource: Resource) -> list[JSON]:
    row: JSON = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    return [row, *(_subresource_row(resource, sub) for sub in resource.subresources)]


def _subresource_row(resource: Resource, sub: Subresource) -> JSON:
    row: JSON = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if sub.version:
        row |= {"group": sub.group, "version": sub.version}
    return {**row, "kind": sub.kind, "verbs": list(sub.verbs)}


def _aggregated_version(registry: Registry, group_name: str, version: str) -> JSON:
    rows = [_aggregated_resource(resource) for resource in _in(registry, group_name, version)]
    return {"version": version, "resources": rows, "freshness": "Current"}


def _aggregated_resource(resource: Resource) -> JSON:
    row: JSON = {
        "resource": resource.plural,
        "responseKind": _response_kind(resource, "", "", resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.subresources:
        row["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _response_kind(resource, sub.group, sub.version, sub.kind),
                "verbs": list(sub.verbs),
            }
            for sub in sorted(resource.subresources, key=lambda sub: sub.name)
        ]
    return row


def _response_kind(resource: Resource, group_name: str, version: str, kind: str) -> JSON:
    if resource.custom is not None and not version:
        return {"group": resource.group, "version": resource.version, "kind": kind}
    return {"group": group_name, "version": version, "kind": kind}
