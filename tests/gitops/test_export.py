"""What was tried here is taken to a real Argo CD: the same files, nothing of the lab, nothing secret."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import pytest
from manifests import config

from labkit.errors import LabError
from labkit.gitops import operations
from labkit.gitops.api import settings
from labkit.gitops.api.names import NAMESPACE, SECRET_TYPE
from labkit.gitops.export import export
from labkit.k8s.yaml import load_documents
from labkit.lab.export import export_argocd

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"


def secret(called, kind, **fields):
    data = {k: base64.b64encode(v.encode()).decode() for k, v in fields.items()}
    meta = {"name": called, "namespace": NAMESPACE, "labels": {SECRET_TYPE: kind}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}


def objects(text):
    return [document.obj for document in load_documents(text)]


def test_an_application_is_written_as_a_person_would_have_written_it(world, tmp_path):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    app = world.app("shop", repo, automated={"prune": True})
    world.settled(app)
    before = world.get(app)
    found = export_argocd(
        world.cluster, tmp_path / "out", lab_git=world.forge.base_url, git="https://git.example.org/team"
    )
    (written,) = objects((tmp_path / "out/applications/shop.yaml").read_text(encoding="utf-8"))
    assert written["spec"]["source"]["repoURL"] == "https://git.example.org/team/shop.git"
    assert {**written["spec"], "source": before["spec"]["source"]} == before["spec"]
    assert written["metadata"] == {
        "name": "shop",
        "namespace": NAMESPACE,
        "finalizers": before["metadata"]["finalizers"],
    }
    assert not {"status", "operation"} & set(written)
    assert not [line for line in found.todo if "Git host" in line]
    # and it goes into a cluster with Argo CD's definitions as it stands
    fresh = {**written, "metadata": {**written["metadata"], "name": "again"}}
    world.cluster.create(fresh, dry_run=True, field_validation="Strict")


def test_nothing_secret_is_in_any_file():
    config_ = {
        "bearerToken": "t0ken",
        "username": "ada",
        "password": "pa55",
        "tlsClientConfig": {"insecure": False, "caData": "Q0E=", "keyData": "S0VZ"},
    }
    found = export(
        [
            secret("git", "repository", type="git", url="https://ada:pa55@git.example.org", password="pa55"),
            secret(
                "ssh", "repo-creds", type="git", url="git@git.example.org", sshPrivateKey=KEY, later="s3cret"
            ),
            secret("prod", "cluster", name="prod", server="https://prod", config=json.dumps(config_)),
            secret("odd", "cluster", name="odd", server="https://odd", config="{t0ken"),
            {**secret("other", "repository", password="pa55"), "metadata": {"name": "other"}},
            settings(),
        ]
    )
    whole = "\n".join(found.files.values())
    for word in ("pa55", "t0ken", "S0VZ", KEY, "s3cret"):
        assert word not in whole
        assert base64.b64encode(word.encode()).decode() not in whole
    assert sorted(found.files) == [
        "README.md",
        "argocd-cm.yaml",
        "clusters/odd.yaml",
        "clusters/prod.yaml",
        "kustomization.yaml",
        "repositories/git.yaml",
        "repositories/ssh.yaml",
    ]
    assert "Secret ssh is without later, sshPrivateKey" in whole
    (prod,) = objects(found.files["clusters/prod.yaml"])
    assert json.loads(prod["stringData"]["config"]) == {
        "username": "ada",
        "tlsClientConfig": {"insecure": False, "caData": "Q0E="},
    }


def test_what_an_applicationset_made_is_left_to_it():
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "made",
            "ownerReferences": [{"kind": "ApplicationSet", "name": "all", "uid": "1", "apiVersion": "x"}],
        },
        "spec": {},
    }
    assert list(export([made]).files) == ["kustomization.yaml", "README.md"]


def test_the_labs_own_addresses_are_named_where_nothing_takes_their_place(world, tmp_path):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    world.app("shop", repo)
    found = export_argocd(world.cluster, tmp_path / "out", lab_git=world.forge.base_url)
    assert any("applications/shop.yaml names the lab's own Git host" in line for line in found.todo)


def test_a_folder_with_something_in_it_is_replaced_only_if_that_is_said(world, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(LabError, match="not empty"):
        export_argocd(world.cluster, tmp_path, lab_git="")
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"
    out = tmp_path / "out"
    export_argocd(world.cluster, out, lab_git="")
    (out / "old.yaml").write_text("old", encoding="utf-8")
    export_argocd(world.cluster, out, lab_git="", force=True)
    assert not (out / "old.yaml").exists()
    assert (out / "kustomization.yaml").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt", "out"]


def test_kubectl_reads_the_whole_as_one(world, tmp_path):
    kubectl = shutil.which("kubectl")
    assert kubectl, "kubectl is what reads it"
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    world.app("shop", repo)
    operations.refresh(world.cluster, "shop")
    export_argocd(world.cluster, tmp_path / "out", lab_git=world.forge.base_url)
    built = subprocess.run(
        [kubectl, "kustomize", str(tmp_path / "out")], capture_output=True, text=True, check=True, timeout=60
    )
    kinds = {(obj["kind"], obj["metadata"]["name"]) for obj in objects(built.stdout)}
    assert {("Application", "shop"), ("AppProject", "default"), ("Secret", "git")} <= kinds
