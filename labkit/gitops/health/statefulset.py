"""StatefulSet: healthy once its pods are ready, and of the newest revision where it updates them itself."""

from __future__ import annotations

from labkit.gitops.health.health import HEALTHY, PROGRESSING, Health, number
from labkit.k8s.objects import Object, get_path


def health(obj: Object) -> Health:
    """From ``status``, with ``updateStrategy`` and its partition."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    observed = number(status, "observedGeneration")
    if observed == 0 or number(obj.get("metadata") or {}, "generation") > observed:
        return Health(PROGRESSING, "Waiting for statefulset spec update to be observed...")
    wanted, ready = spec.get("replicas"), number(status, "readyReplicas")
    if wanted is not None and ready < wanted:
        return Health(PROGRESSING, f"Waiting for {wanted - ready} pods to be ready...")
    strategy = get_path(spec, "updateStrategy", "type", default="")
    rolling = get_path(spec, "updateStrategy", "rollingUpdate")
    if strategy == "RollingUpdate" and rolling is not None:
        updated, partition = number(status, "updatedReplicas"), rolling.get("partition")
        share = (wanted or 0) - (partition or 0)
        if wanted is not None and partition is not None and updated < share:
            words = f"{updated} out of {share} new pods have been updated..."
            return Health(PROGRESSING, f"Waiting for partitioned roll out to finish: {words}")
        return Health(HEALTHY, f"partitioned roll out complete: {updated} new pods have been updated...")
    if strategy == "OnDelete":
        return Health(HEALTHY, f"statefulset has {ready} ready pods")
    if (newest := status.get("updateRevision")) != status.get("currentRevision"):
        words = f"{number(status, 'updatedReplicas')} pods at revision {newest}..."
        return Health(PROGRESSING, f"waiting for statefulset rolling update to complete {words}")
    words = f"{number(status, 'currentReplicas')} pods at revision {newest}..."
    return Health(HEALTHY, f"statefulset rolling update complete {words}")
