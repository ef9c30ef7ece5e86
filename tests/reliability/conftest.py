"""The engine at work, as its own tests have it, and what stands in the way of it here."""

from __future__ import annotations

import pytest
from faults import Proxy

from labkit.cluster import Cluster
from labkit.gitops import reconcile
from labkit.gitops.api.names import NAMESPACE, SECRET_TYPE
from labkit.runtime import patience
from tests.gitops.conftest import CREDENTIAL, home, world

__all__ = ["home", "world"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Tries that follow a failure come soon, so that a test of recovery takes seconds."""
    monkeypatch.setattr(reconcile, "RETRY_SECONDS", 0.5)
    monkeypatch.setattr(patience, "AWAY", 0.5)


@pytest.fixture
def between(world):
    """A proxy between the engine and the Git host, with a credential for the host's address there."""
    with Proxy(world.forge.base_url) as proxy:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "between", "namespace": NAMESPACE, "labels": {SECRET_TYPE: "repo-creds"}},
            "stringData": {
                "type": "git",
                "url": proxy.url,
                "username": CREDENTIAL.username,
                "password": CREDENTIAL.password,
            },
        }
        world.cluster.create(secret)
        yield proxy
        world.clean()
        world.cluster.delete("v1", "Secret", "between", NAMESPACE)


@pytest.fixture
def flaky(world):
    """A proxy between the controller and its API server; the controller begins anew behind it."""
    access = world.cluster.access
    with Proxy(access.server, access.tls()) as proxy:
        world.stop()
        world.seen = Cluster(reached_at(access, proxy.url), own=True)
        world.start()
        yield proxy
        proxy.fault = lambda _request: None
        world.clean()
        world.stop()
        world.seen.close()
        world.seen = None


def reached_at(access, url):
    from dataclasses import replace

    return replace(access, server=url)
