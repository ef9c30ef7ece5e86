"""What makes a StatefulSet's pod itself: its ordinal, and the name, host name and claims that follow from it.

Source: pkg/controller/statefulset/stateful_set_utils.go in Kubernetes.
"""

from __future__ import annotations

import re

from labkit.k8s.objects import Object, copied, get_path, labels_of, metadata, name_of, namespace_of, uid_of
from labkit.sandbox.controllers import controller_revisions, pods
from labkit.sandbox.controllers.ownership import controller_reference

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-([0-9]+)")


def first(s: Object) -> int:
    """The ordinal that the set begins with."""
    return int(get_path(s, "spec", "ordinals", "start", default=0) or 0)


def ordinals(s: Object) -> range:
    """The ordinals that there should be."""
    return range(first(s), first(s) + s["spec"]["replicas"])


def ordinal_of(s: Object, pod: Object) -> int | None:
    """A pod's ordinal, or ``None`` if its name is none of this set's."""
    found = _NAME.fullmatch(name_of(pod))
    return int(found[2]) if found and found[1] == name_of(s) else None


def claim_name(template: Object, s: Object, ordinal: int) -> str:
    """The name of the claim that a pod of that ordinal has, this time and each time."""
    return f"{name_of(template)}-{name_of(s)}-{ordinal}"


def new_pod(s: Object, revision: Object, ordinal: int) -> Object:
    """The pod of an ordinal, made from a revision of the template."""
    name = f"{name_of(s)}-{ordinal}"
    pod = pods.from_template(controller_revisions.template_of(revision), s, name=name)
    meta = pod["metadata"]
    meta["generateName"] = f"{name_of(s)}-"
    meta["labels"] |= {POD_NAME: name, POD_INDEX: str(ordinal), controller_revisions.LABEL: name_of(revision)}
    spec = pod["spec"] = copied(pod["spec"])
    spec["hostname"] = name
    if s["spec"].get("serviceName"):
        spec["subdomain"] = s["spec"]["serviceName"]
    claims = {
        name_of(t): {"name": name_of(t), "persistentVolumeClaim": {"claimName": claim_name(t, s, ordinal)}}
        for t in _claim_templates(s)
    }
    others = [volume for volume in spec.get("volumes") or [] if volume["name"] not in claims]
    if claims or others:
        spec["volumes"] = [*claims.values(), *others]
    return pod


def new_claims(s: Object, ordinal: int) -> list[Object]:
    """The claims that a pod of that ordinal needs."""
    return [_claim(t, s, ordinal) for t in _claim_templates(s)]


def deletes_claims(s: Object, when: str) -> bool:
    """Whether claims go along ``whenDeleted`` or ``whenScaled``; they stay unless somebody says so."""
    return bool(get_path(s, "spec", "persistentVolumeClaimRetentionPolicy", when) == "Delete")


def owner_reference(owner: Object) -> Object:
    """That an object goes when its owner does, without being controlled by it."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
    }


def _claim(template: Object, s: Object, ordinal: int) -> Object:
    selected = (s["spec"]["selector"].get("matchLabels")) or {}
    meta: Object = {
        "name": claim_name(template, s, ordinal),
        "namespace": namespace_of(s),
        "labels": {**labels_of(template), **selected},
        "annotations": dict(metadata(template).get("annotations") or {}),
    }
    if deletes_claims(s, "whenDeleted"):
        meta["ownerReferences"] = [controller_reference(s)]
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template["spec"]}


def _claim_templates(s: Object) -> list[Object]:
    return s["spec"].get("volumeClaimTemplates") or []
