"""The CustomResourceDefinitions of Argo CD's kinds, as far as the lab reads them, and its default project.

The schemas check the shape of what the engine reads and let everything else through, so that a manifest written
for a real Argo CD is taken as it is. As there, an Application's status is no subresource: the controller writes
it beside the spec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.gitops.api.names import API_VERSION, GROUP, NAMESPACE, SETTINGS, VERSION

if TYPE_CHECKING:
    from labkit.k8s.objects import Object

JSON = dict[str, Any]

_OPEN: JSON = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_TEXT: JSON = {"type": "string"}


def crds() -> list[Object]:
    """The definitions, ready to be applied."""
    return [
        _definition("Application", "applications", ["app", "apps"], _application(), _COLUMNS),
        _definition("AppProject", "appprojects", ["appproj", "appprojs"], _with_spec(_OPEN), []),
        _definition("ApplicationSet", "applicationsets", ["appset", "appsets"], _with_spec(_OPEN), []),
    ]


def default_project() -> Object:
    """The project ``default``: any source, any destination, any kind."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }


def settings() -> Object:
    """The ConfigMap ``argocd-cm`` that a lab begins with: an Application's health counts in another application.

    Argo CD leaves that out until somebody writes it, and then wants it in Lua; so the text here is what a real
    one can be given. Without it, the waves of an app of apps do not wait for each other.
    """
    lua = (
        'hs = {status = "Progressing", message = "waiting for the application to be looked at"}\n'
        "if obj.status ~= nil and obj.status.health ~= nil then\n"
        "  hs.status = obj.status.health.status\n"
        "  hs.message = obj.status.health.message\n"
        "end\n"
        "return hs\n"
    )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": SETTINGS,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/part-of": "argocd"},
        },
        "data": {"resource.customizations.health.argoproj.io_Application": lua},
    }


_COLUMNS: list[JSON] = [
    {"name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status"},
    {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
    {"name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10},
    {"name": "Project", "type": "string", "jsonPath": ".spec.project", "priority": 10},
]


def _application() -> JSON:
    source = _OPEN | {
        "properties": dict.fromkeys(("repoURL", "path", "chart", "targetRevision", "ref", "name"), _TEXT)
        | {"helm": _OPEN, "directory": _OPEN, "kustomize": _OPEN, "plugin": _OPEN}
    }
    spec = _OPEN | {
        "required": ["destination", "project"],
        "properties": {
            "project": _TEXT,
            "source": source,
            "sources": {"type": "array", "items": source},
            "destination": _OPEN | {"properties": dict.fromkeys(("server", "name", "namespace"), _TEXT)},
            "syncPolicy": _OPEN
            | {
                "properties": {
                    "automated": _OPEN
                    | {
                        "properties": {
                            n: {"type": "boolean"} for n in ("enabled", "prune", "selfHeal", "allowEmpty")
                        }
                    },
                    "syncOptions": {"type": "array", "items": _TEXT},
                    "retry": _OPEN | {"properties": {"limit": {"type": "integer", "format": "int64"}}},
                }
            },
            "ignoreDifferences": {"type": "array", "items": _OPEN},
            "revisionHistoryLimit": {"type": "integer", "format": "int64"},
        },
    }
    return _with_spec(spec)


def _with_spec(spec: JSON) -> JSON:
    return {
        "type": "object",
        "required": ["metadata", "spec"],
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _OPEN,
            "operation": _OPEN,
        },
    }


def _definition(kind: str, plural: str, short: list[str], schema: JSON, columns: list[JSON]) -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "labels": {"app.kubernetes.io/name": f"{plural}.{GROUP}", "app.kubernetes.io/part-of": "argocd"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": short,
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "additionalPrinterColumns": columns,
                }
            ],
        },
    }
