"""A lesson begins at its exact starting point, whatever a trainee left in the cluster."""

from __future__ import annotations

import pytest

from labkit.lessons.course.releases import CRD, fail

HELD = ["example.com/nobody-takes-this-off"]


@pytest.mark.timeout(60)
def test_what_a_trainee_left_in_the_namespace_is_gone_also_what_a_finalizer_holds(lab, begin):
    begin("01", "manifests")
    for name, held in (("mine", []), ("stuck", HELD)):
        lab.cluster.create(settings(name, "manifests", held))
    begin("01", "manifests")
    left = {found["metadata"]["name"] for found in lab.cluster.list("v1", "ConfigMap", "manifests").items}
    assert left <= {"kube-root-ca.crt"}
    assert lab.cluster.create(settings("new", "manifests"))


@pytest.mark.timeout(60)
def test_an_application_of_another_name_does_not_fill_the_namespace_again(lab, begin):
    begin("12", "market")
    for name, to in (("mine", "market"), ("elsewhere", "another")):
        lab.apps.create(name, repo="market", path="stall", namespace=to, automated=True, self_heal=True)
    lab.apps["mine"].wait()
    begin("12", "market")
    assert "mine" not in lab.apps
    assert "elsewhere" in lab.apps
    lab.clear("elsewhere")


@pytest.mark.timeout(60)
def test_a_changed_kind_and_half_a_release_are_gone_so_that_helm_installs_them_anew(lab, begin):
    begin("07", "releases")
    fail(lab)
    cluster = lab.cluster
    crd = cluster.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD)
    lab.namespace("elsewhere")
    kind = {"apiVersion": f"{crd['spec']['group']}/v1", "kind": crd["spec"]["names"]["kind"]}
    cluster.create(kind | {"metadata": {"name": "held", "namespace": "elsewhere", "finalizers": HELD}})
    cluster.delete("v1", "Secret", "sh.helm.release.v1.rye.v1", "releases")
    begin("07", "releases")
    assert cluster.find("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD) is None
    fail(lab)
    assert [each.revision for each in lab.releases.get("rye", "releases").history] == [1, 2, 3]
    lab.clear("elsewhere")


def settings(name, namespace, held=()):
    metadata = {"name": name, "namespace": namespace, "finalizers": list(held)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}
