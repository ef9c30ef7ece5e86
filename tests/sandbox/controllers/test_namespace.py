"""A namespace that is deleted, with all that is in it."""

from __future__ import annotations

import logging

import pytest
from simulation import workload


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment", "DaemonSet"])
def test_who_makes_pods_is_silent_while_the_namespace_goes(simulation, caplog, kind):
    simulation.client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claims = [{"metadata": {"name": "data"}, "spec": spec}]
    more = {"serviceName": "db", "volumeClaimTemplates": claims} if kind == "StatefulSet" else {}
    more |= {} if kind == "DaemonSet" else {"replicas": 2}
    simulation.apply(workload(kind, "db", **more), namespace="shop")
    simulation.pass_time(20)
    assert simulation.pods("shop")
    with caplog.at_level(logging.WARNING):
        simulation.client.delete("v1", "Namespace", "shop")
        simulation.pass_time(120)
    assert simulation.client.find("v1", "Namespace", "shop") is None
    assert caplog.messages == []
