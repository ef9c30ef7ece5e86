"""Health of other people's kinds, and applications that wait for applications."""

from __future__ import annotations

import pytest

from labkit.gitops import health
from labkit.gitops.api.names import API_VERSION, NAMESPACE, SETTINGS

RULE = {"resource.customizations.health.argoproj.io_Application": "hs = {}\nreturn hs\n"}


def obj(api_version, kind, *conditions, spec=None, **status):
    if conditions:
        status["conditions"] = [
            {"type": t, "status": s, "message": m, "reason": r}
            for t, s, m, r in ((*c, *[""] * (4 - len(c))) for c in conditions)
        ]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "it", "generation": 2},
        "spec": spec or {},
        **({"status": status} if status else {}),
    }


def cert(*conditions):
    return obj("cert-manager.io/v1", "Certificate", *conditions)


def prometheus(*conditions):
    return obj("monitoring.coreos.com/v1", "Prometheus", *conditions)


def rollout(spec=None, **status):
    return obj("argoproj.io/v1alpha1", "Rollout", spec=spec, **{"observedGeneration": "2", **status})


CANARY = {"replicas": 2, "strategy": {"canary": {}}}


@pytest.mark.parametrize(
    ("found", "status", "message"),
    [
        (cert(), "Progressing", "Waiting for certificate"),
        (cert(("Ready", "False", "no such issuer")), "Degraded", "no such issuer"),
        (cert(("Ready", "False", "expired"), ("Issuing", "True", "renewing")), "Progressing", "renewing"),
        (cert(("Ready", "True", "up to date")), "Healthy", "up to date"),
        (obj("cert-manager.io/v1", "Issuer"), "Progressing", "Initializing issuer"),
        (obj("cert-manager.io/v1", "ClusterIssuer", ("Ready", "True", "ok")), "Healthy", "ok"),
        (prometheus(), "Progressing", "Waiting for initialization"),
        (prometheus(("Available", "True")), "Healthy", "All instances are available"),
        (prometheus(("Available", "Degraded", "1 of 2", "SomePodsNotReady")), "Progressing", "1 of 2"),
        (prometheus(("Available", "False", "", "NoPodReady")), "Degraded", "NoPodReady"),
        (rollout(phase="Paused", message="CanaryPauseStep"), "Suspended", "CanaryPauseStep"),
        (rollout(phase="Degraded", message="it failed"), "Degraded", "it failed"),
        (
            rollout(observedGeneration="1", phase="Healthy"),
            "Progressing",
            "Waiting for rollout spec update to be observed",
        ),
        (
            rollout(CANARY, currentPodHash="a", updatedReplicas=1),
            "Progressing",
            "Waiting for roll out to finish: More replicas need to be updated",
        ),
        (
            rollout(CANARY, currentPodHash="a", updatedReplicas=2, availableReplicas=2, replicas=2),
            "Progressing",
            "Waiting for rollout to finish steps",
        ),
        (
            rollout(
                CANARY, currentPodHash="a", updatedReplicas=2, availableReplicas=2, replicas=2, stableRS="a"
            ),
            "Healthy",
            "",
        ),
        (obj("argoproj.io/v1alpha1", "Workflow", phase="Error", message="no"), "Degraded", "no"),
        (
            obj("argoproj.io/v1alpha1", "ApplicationSet", ("ErrorOccurred", "True", "bad template")),
            "Degraded",
            "bad template",
        ),
    ],
)
def test_health_of_a_custom_resource(found, status, message):
    assert health.assess(found) == (status, message)


def test_a_rule_of_ones_own_counts(monkeypatch):
    monkeypatch.setattr(health, "_RULES", dict(health._RULES))
    thing = obj("example.org/v1", "Thing", colour="red")
    assert health.assess(thing) is None
    health.register(
        "example.org", "Thing", lambda o: health.Health(health.DEGRADED, f"it is {o['status']['colour']}")
    )
    assert health.assess(thing) == ("Degraded", "it is red")


def test_lua_of_others_is_named_not_passed_over():
    assert health.configure(
        {"resource.customizations.health.example.org_Thing": "return {}", "url": "x"}
    ) == ["resource.customizations.health.example.org_Thing"]


def application(name, repo, path, wave):
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {"argocd.argoproj.io/sync-wave": str(wave)},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        "spec": {
            "project": "default",
            "source": {"repoURL": repo.url, "path": path, "targetRevision": "main"},
            "destination": {"name": "in-cluster", "namespace": "apps"},
            "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
        },
    }


def pod(name, ready_after):
    probe = {"tcpSocket": {"port": 6379}, "initialDelaySeconds": ready_after, "periodSeconds": 1}
    container = {"name": "main", "image": "redis:7", "readinessProbe": probe}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }


@pytest.mark.parametrize("waits", [True, False])
def test_the_waves_of_an_app_of_apps_wait_only_if_the_health_of_applications_counts(world, waits):
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": SETTINGS, "namespace": NAMESPACE},
        "data": RULE if waits else {},
    }
    world.cluster.create(settings)
    try:
        repo = world.repository("platform")
        repo.push(
            {
                "root/db.yaml": application("db", repo, "db", 0),
                "root/web.yaml": application("web", repo, "web", 1),
                "db/pod.yaml": pod("db", 4),
                "web/pod.yaml": pod("web", 0),
            }
        )
        root = world.app("root", repo, path="root", automated={"prune": True})
        seen = []

        def look():
            web = world.find("Application", "web", NAMESPACE, API_VERSION)
            if web is not None:
                db = world.find("Pod", "db", "apps") or {}
                ready = {c["type"]: c["status"] for c in (db.get("status") or {}).get("conditions") or []}
                seen.append(ready.get("Ready"))
            return web

        world.until(look, lambda web: web is not None)
        world.settled(root)
        assert (seen[0] == "True") is waits
    finally:
        world.clean()
        world.cluster.delete("v1", "ConfigMap", SETTINGS, NAMESPACE)
