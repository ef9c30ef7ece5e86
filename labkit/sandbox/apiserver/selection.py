"""Which objects a list or a watch is about: by label, and by the fields that the kind offers.

Source for the fields: ``ToSelectableFields`` of the kinds in Kubernetes' pkg/registry and the field label
conversion functions in pkg/apis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from labkit.errors import BadRequest
from labkit.k8s.selectors import FieldSelector, LabelSelector

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.requests import ListOptions
    from labkit.sandbox.apiserver.resources import Resource
    from labkit.sandbox.store import Change, Entry, Key

JSON = dict[str, Any]

# Beside metadata.name and metadata.namespace.  A name after ":" is where the field really is.
FIELDS: Final = {
    "pods": "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork "
    "status.phase status.podIP status.podIPs status.nominatedNodeName",
    "nodes": "spec.unschedulable",
    "events": "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid "
    "involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent "
    "source:source.component type",
    "events.events.k8s.io": "regarding.kind regarding.namespace regarding.name regarding.uid regarding.apiVersion "
    "regarding.resourceVersion regarding.fieldPath reason reportingController type",
    "namespaces": "status.phase",
    "secrets": "type",
    "services": "spec.clusterIP spec.type",
    "replicationcontrollers": "status.replicas",
    "replicasets.apps": "status.replicas",
    "jobs.batch": "status.successful:status.succeeded",
    "certificatesigningrequests.certificates.k8s.io": "spec.signerName",
}

# How a kind says that it lacks a field, where it does not say it as all others do.
_OWN_WORDS: Final = {
    "jobs.batch": 'field label "{}" not supported for batchv1.Job',
    "statefulsets.apps": "field label not supported for appsv1.StatefulSet: {}",
}


class Selection:
    """The selectors of one request.  Raises `BadRequest` for text that is none, or a field the kind lacks."""

    def __init__(self, resource: Resource, namespace: str, options: ListOptions) -> None:
        self._namespace = namespace
        self._labels = LabelSelector.parse(options.label_selector) if options.label_selector else None
        self._fields = (
            self._parse_fields(resource, options.field_selector) if options.field_selector else None
        )
        self.everything = self._labels is None and self._fields is None

    def _parse_fields(self, resource: Resource, text: str) -> FieldSelector:
        known = {"metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace"}
        if resource.custom is not None and not resource.namespaced:
            del known["metadata.namespace"]
        extra = FIELDS.get(resource.name, "").split()
        if resource.custom is not None:
            extra = resource.custom.selectable_fields
        for word in extra:
            name, _, place = word.partition(":")
            known[name] = place or name
        parsed = FieldSelector.parse(text)
        for path, _, _ in parsed.terms:
            if path not in known:
                raise BadRequest(_unknown_field(path, resource))
        return FieldSelector(tuple((known[path], equal, value) for path, equal, value in parsed.terms))

    def entry(self, entry: Entry) -> bool:
        """Whether a stored object is selected."""
        if self._labels is not None and not self._labels.matches(entry.labels):
            return False
        return self._fields is None or self._fields.matches(orjson.loads(entry.value))

    def change(self, change: Change) -> tuple[bool, bool]:
        """Whether the object of a write was selected before it, and whether it is after it."""
        if self._namespace and change.key.namespace != self._namespace:
            return False, False
        if self.everything:
            return change.previous is not None, change.value is not None
        return self._object(change.old), self._object(change.new)

    def key(self, key: Key) -> bool:
        """Whether the namespace is the one asked for."""
        return not self._namespace or key.namespace == self._namespace

    def _object(self, obj: JSON | None) -> bool:
        if obj is None:
            return False
        if self._labels is not None and not self._labels.matches(obj["metadata"].get("labels") or {}):
            return False
        return self._fields is None or self._fields.matches(obj)


def _unknown_field(path: str, resource: Resource) -> str:
    if resource.custom is not None:
        return f"field label not supported for {resource.api_version}, Kind={resource.kind}: {path}"
    if resource.name in _OWN_WORDS:
        return _OWN_WORDS[resource.name].format(path)
    if resource.name not in FIELDS:  # what every kind offers, and no more
        return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    return f"field label not supported: {path}"
