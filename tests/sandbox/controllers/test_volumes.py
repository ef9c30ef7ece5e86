"""Claims and volumes."""

from __future__ import annotations

import pytest
from simulation import pod

from labkit.errors import NotFound


def claim(name, storage="1Gi", **spec):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}, **spec},
    }


def volume(name, storage, **spec):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": storage},
            "hostPath": {"path": "/data"},
            "storageClassName": "manual",
            **spec,
        },
    }


def using(name, claim_name):
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]
    return pod(name, volumes=volumes, container={"volumeMounts": [{"name": "data", "mountPath": "/data"}]})


def test_a_claim_takes_the_smallest_volume_that_does(simulation):
    for name, size in (("small", "1Gi"), ("large", "10Gi"), ("middle", "5Gi")):
        simulation.client.create(volume(name, size))
    simulation.apply(claim("mine", "2Gi", storageClassName="manual"))
    simulation.settle()
    found = simulation.get("PersistentVolumeClaim", "mine")
    assert found["spec"]["volumeName"] == "middle"
    assert found["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "5Gi"},
    }
    phases = {
        v["metadata"]["name"]: v["status"]["phase"]
        for v in simulation.client.list("v1", "PersistentVolume").items
    }
    assert phases == {"small": "Available", "large": "Available", "middle": "Bound"}


def test_a_claim_of_a_class_without_volumes_waits(simulation):
    simulation.apply(claim("mine", storageClassName="manual"))
    simulation.pass_time(60)
    assert simulation.get("PersistentVolumeClaim", "mine")["status"]["phase"] == "Pending"


def test_a_claim_that_names_no_class_gets_a_volume_and_its_pod_runs(simulation):
    simulation.apply(claim("mine"))
    simulation.apply(using("db", "mine"))
    simulation.pass_time(5)
    assert simulation.get("PersistentVolumeClaim", "mine")["status"]["phase"] == "Bound"
    assert simulation.get("Pod", "db")["status"]["phase"] == "Running"


def test_a_claim_in_use_goes_after_the_pod_and_its_volume_after_it(simulation):
    simulation.apply(claim("mine"))
    simulation.apply(using("db", "mine"))
    simulation.pass_time(5)
    name = simulation.get("PersistentVolumeClaim", "mine")["spec"]["volumeName"]
    simulation.client.delete("v1", "PersistentVolumeClaim", "mine", "default")
    simulation.pass_time(10)
    assert "deletionTimestamp" in simulation.get("PersistentVolumeClaim", "mine")["metadata"]
    simulation.client.delete("v1", "Pod", "db", "default")
    simulation.pass_time(40)
    with pytest.raises(NotFound):
        simulation.get("PersistentVolumeClaim", "mine")
    assert simulation.client.find("v1", "PersistentVolume", name) is None


def test_a_volume_that_is_kept_is_released(simulation):
    simulation.client.create(volume("keep", "5Gi", persistentVolumeReclaimPolicy="Retain"))
    simulation.apply(claim("mine", storageClassName="manual"))
    simulation.settle()
    simulation.client.delete("v1", "PersistentVolumeClaim", "mine", "default")
    simulation.pass_time(5)
    assert simulation.get("PersistentVolume", "keep", namespace=None)["status"]["phase"] == "Released"
    simulation.apply(claim("other", storageClassName="manual"))
    simulation.pass_time(5)
    assert simulation.get("PersistentVolumeClaim", "other")["status"]["phase"] == "Pending"


def test_a_pod_whose_claim_is_not_there_waits_and_says_so(simulation):
    simulation.apply(using("db", "missing"))
    simulation.pass_time(5)
    scheduled = simulation.get("Pod", "db")["status"]["conditions"][0]
    assert 'persistentvolumeclaim "missing" not found' in scheduled["message"]
