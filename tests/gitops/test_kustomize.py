"""Kustomizations, built by the kubectl that is here."""

from __future__ import annotations

import shutil

import pytest
from manifests import config

from labkit.errors import LabError
from labkit.gitops import operations
from labkit.gitops.api import Source
from labkit.gitops.sources import kustomize

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")

BASE = {
    "base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "base/deployment.yaml": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.26"}]},
            },
        },
    },
    "overlays/prod/kustomization.yaml": (
        "resources: [../../base]\nnamePrefix: prod-\nconfigMapGenerator:\n- name: settings\n  literals: [a=1]\n"
    ),
}


def test_an_overlay_is_deployed(world):
    repo = world.repository("kust")
    revision = repo.push(BASE)
    app = world.app("kust", repo, path="overlays/prod", automated={})
    world.settled(app, revision)
    assert world.find("Deployment", "prod-web", app, "apps/v1")
    names = [r["name"] for r in world.status(app)["resources"] if r["kind"] == "ConfigMap"]
    assert names[0].startswith("prod-settings-")


def test_what_the_application_says_is_laid_over_it(world):
    repo = world.repository("kust")
    repo.push(BASE)
    options = {
        "nameSuffix": "-blue",
        "images": ["nginx:1.27"],
        "replicas": [{"name": "web", "count": 2}],
        "commonLabels": {"team": "fruit"},
        "commonAnnotations": {"note": "here"},
    }
    app = world.app("kust", repo, path="base", automated={}, source={"kustomize": options})
    world.settled(app)
    found = world.find("Deployment", "web-blue", app, "apps/v1")
    assert found["spec"]["replicas"] == 2
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.27"
    assert found["spec"]["selector"]["matchLabels"] == {"app": "web", "team": "fruit"}
    assert found["metadata"]["annotations"]["note"] == "here"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resources: [missing.yaml]\n", "missing.yaml"),
        ("resources: [\n", "kustomization.yaml"),
        ("resources: ['https://example.org/base.yaml']\n", "Remote bases are not fetched"),
        ("resources: ['github.com/example/base']\n", "Remote bases are not fetched"),
    ],
)
def test_what_is_wrong_in_it_is_said(world, tmp_path, text, said):
    repo = world.repository("kust")
    repo.push({"base/kustomization.yaml": text, "base/a.yaml": config("a")})
    app = world.app("kust", repo, path="base", automated={})
    found = world.until(lambda: world.status(app).get("conditions") or [], lambda cs: cs)[0]
    assert found["type"] == "ComparisonError"
    assert "base/kustomization.yaml" in found["message"]
    assert said in found["message"]
    assert str(tmp_path) not in found["message"]


def test_without_kubectl_it_is_said_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    with pytest.raises(LabError, match="Install kubectl"):
        kustomize.build(tmp_path, Source("https://git.example.org/a.git", "base"))


def test_a_refresh_after_a_change_builds_again(world):
    repo = world.repository("kust")
    repo.push(BASE)
    app = world.app("kust", repo, path="base", automated={})
    world.settled(app)
    text = "resources: [deployment.yaml]\nnameSuffix: -two\n"
    revision = repo.push({"base/kustomization.yaml": text})
    operations.refresh(world.cluster, app)
    world.until(lambda: world.find("Deployment", "web-two", app, "apps/v1"), lambda obj: obj is not None)
    assert world.status(app)["sync"]["revision"] == revision
