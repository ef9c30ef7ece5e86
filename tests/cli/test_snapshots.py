"""``labkit cluster snapshot`` and ``restore``, on a real sandbox."""

from __future__ import annotations

import json

import pytest

from labkit.lab.clusters import Clusters
from labkit.settings import Settings


@pytest.fixture
def run(labkit, tmp_path):
    """``labkit`` on a lab folder with one running sandbox, ``team``."""
    settings = Settings.create(tmp_path / "lab")
    clusters = Clusters(settings)
    clusters.create("team")
    yield lambda *arguments: labkit("--lab", str(settings.home), *arguments)
    clusters.delete("team")


def test_a_cluster_is_saved_changed_and_restored(run, tmp_path):
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    with Clusters(Settings.find(tmp_path / "lab"))["team"].connect() as cluster:
        assert "No snapshots yet" in run("cluster", "snapshot", "--cluster", "team").stderr
        assert "is saved" in run("cluster", "snapshot", "before", "--cluster", "team").stdout
        cluster.create(made)
        refused = run("cluster", "restore", "before", "--cluster", "team")
        assert refused.returncode != 0
        assert "--yes" in refused.stderr
        done = run("cluster", "restore", "before", "--cluster", "team", "--yes", "-o", "json")
        assert json.loads(done.stdout)["changed"] >= 1
        assert cluster.find("v1", "ConfigMap", "a", "default") is None
    listed = json.loads(run("cluster", "snapshot", "--cluster", "team", "-o", "json").stdout)
    assert [one["name"] for one in listed] == ["before"]
    gone = run("cluster", "restore", "other", "--cluster", "team", "--yes")
    assert gone.returncode != 0
    assert 'there is no snapshot "other"; there are: before' in gone.stderr
    assert "is deleted" in run("cluster", "snapshot", "before", "--cluster", "team", "--delete").stdout
