"""Accounts, projects and sets from the command line and from Python, by the owner and by others."""

from __future__ import annotations

import os

import pytest

from labkit.errors import ApplicationNotFound, BadRequest, Forbidden, LabError, Unauthorized
from labkit.k8s.yaml import dump, load
from labkit.lab import Lab
from tests.service.conftest import until


def ok(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_program_gets_a_roles_token_and_does_what_the_role_may(town):
    name = "team"
    ok(town.labkit("proj", "create", name, "-d", "*,*", "-s", "*", "--allow-cluster-resource", "Namespace"))
    ok(town.labkit("proj", "role", "create", name, "ci"))
    ok(town.labkit("proj", "role", "add-policy", name, "ci", "-a", "get", "-o", "*"))
    ok(town.labkit("proj", "role", "add-policy", name, "ci", "-a", "sync", "-o", "*"))
    made = town.lab.apps.create("tool", repo="web", path=".", project=name)
    token = ok(town.labkit("proj", "role", "create-token", name, "ci", "--id", "build", "-t")).strip()
    assert f"proj:{name}:ci" in ok(town.labkit("account", "get-user-info", token=token))
    assert ok(town.labkit("app", "list", "-o", "name", token=token)) == "tool\n"
    assert "Succeeded" in ok(town.labkit("app", "sync", "tool", token=token))
    assert made.status.sync == "Synced"
    refused = town.labkit("app", "delete", "tool", "--yes", token=token)
    assert refused.returncode == 1
    assert f"permission denied: applications, delete, {name}/tool, sub: proj:{name}:ci" in refused.stderr
    assert f"labkit proj role add-policy {name} ci -r applications -a delete -o tool" in refused.stderr
    ok(town.labkit("proj", "role", "delete-token", name, "ci", "build"))
    refused = town.labkit("app", "list", token=token)
    assert "lists it no longer" in refused.stderr
    made.delete()
    ok(town.labkit("proj", "delete", name, "--yes"))


def test_orphaned_resources_are_listed_beside_the_application(town):
    ok(town.labkit("proj", "create", "tidy", "-d", "*,*", "-s", "*", "--orphaned-resources-warn"))
    made = town.lab.apps.create("tidy", repo="web", path=".", project="tidy", namespace="default")
    meta = {"name": "left-over", "namespace": "default"}
    town.lab.cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    until(lambda: made.orphaned, lambda found: [r.name for r in found] == ["left-over"])
    shown = ok(town.labkit("app", "resources", "tidy", "--orphaned"))
    assert shown.splitlines()[1].split() == ["ConfigMap", "default", "left-over", "Yes"]
    assert "ConfigMap/left-over  Orphaned" in ok(town.labkit("app", "get", "tidy", "-o", "tree"))
    until(lambda: ok(town.labkit("app", "get", "tidy")), lambda text: "OrphanedResourceWarning" in text)
    ok(town.labkit("proj", "set", "tidy", "--no-orphaned-resources"))
    until(lambda: list(made.orphaned), lambda found: not found)
    made.delete()


def test_who_logs_in_is_somebody_else_until_they_log_out(town):
    ok(town.labkit("account", "update-password", "-a", "ann", "--new-password", "correct horse"))
    wrong = town.labkit("login", "--username", "ann", "--password", "wrong")
    assert "Invalid username or password" in wrong.stderr
    ok(town.labkit("login", "--username", "ann", "--password", "correct horse"))
    try:
        assert ok(town.labkit("account", "get-user-info", "-o", "name")) == "ann\n"
        assert ok(town.labkit("app", "list", "-o", "name")).split() == ["prod", "web"]
        kept = town.lab.home / ".lab" / "login.json"
        assert os.name != "posix" or kept.stat().st_mode & 0o077 == 0
        assert "permission denied" in town.labkit("release", "list").stderr
        assert "Logged in:   ann (labkit logout)" in ok(town.labkit("status"))
    finally:
        ok(town.labkit("logout"))
    assert "vault" in ok(town.labkit("app", "list", "-o", "name"))


def test_a_server_and_a_token_do_without_a_lab_folder(town, tmp_path):
    token = town.lab.accounts.create_token("ann")
    found = Lab(tmp_path, start=False, token=token, server=town.lab.url)
    assert [app.name for app in found.apps] == ["prod", "web"]
    refused = town.labkit("app", "list", "--server", town.lab.url)
    assert "a server without a token opens nothing" in refused.stderr


def test_can_i_says_yes_or_no_and_why(town):
    asked = town.labkit("account", "can-i", "sync", "applications", "shop/prod", "--as", "ann")
    assert (asked.stdout, asked.stderr) == ("no\n", "p, role:shop, applications, sync, shop/prod, deny\n")
    assert town.lab.accounts.can_i("sync", "applications", "shop/web", subject="ann")
    assert not town.lab.accounts.can_i("delete/*/Pod/*/*", "applications", "shop/web", subject="ann")
    with pytest.raises(BadRequest, match="does not contain fly"):
        town.lab.accounts.can_i("fly", "applications", "shop/web")


def test_a_set_is_seen_before_it_is_made(town, tmp_path):
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "envs"},
        "spec": {
            "generators": [{"list": {"elements": [{"env": "dev"}, {"env": "prod"}]}}],
            "template": {
                "metadata": {"name": "tool-{{env}}"},
                "spec": town.application("x", "shop")["spec"]
                | {"destination": {"name": "in-cluster", "namespace": "{{env}}"}},
            },
        },
    }
    file = tmp_path / "set.yaml"
    file.write_text(dump(manifest), encoding="utf-8")
    lines = ok(town.labkit("appset", "generate", str(file))).splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["create", "tool-dev"], ["create", "tool-prod"]]
    whole = load(ok(town.labkit("appset", "generate", str(file), "-o", "json")))
    assert [obj["spec"]["destination"]["namespace"] for obj in whole] == ["dev", "prod"]
    assert "envs" not in town.lab.appsets
    made = town.lab.appsets.create(manifest)
    until(lambda: made.applications, lambda names: len(names) == 2)
    assert [each.action for each in town.lab.appsets.preview(manifest)] == ["unchanged", "unchanged"]
    fewer = manifest["spec"]["generators"][0]["list"]["elements"][:1]
    manifest["spec"]["generators"] = [{"list": {"elements": fewer}}]
    assert {each.name: each.action for each in town.lab.appsets.preview(manifest)} == {
        "tool-dev": "unchanged",
        "tool-prod": "delete",
    }
    assert "envs  2 applications" in repr(town.lab.appsets)
    ok(town.labkit("appset", "delete", "envs", "--yes"))
    until(lambda: "tool-dev" in town.lab.apps, lambda there: not there)


def test_a_project_is_changed_piece_by_piece(town):
    project = town.lab.projects.create("pieces", sources=["https://a.example/x"])
    project.add_source("!https://a.example/secret").remove_source("https://a.example/x")
    project.add_destination("in-cluster", "team-*")
    project.permit_kind("", "Namespace", scope="cluster", allow=True)
    project.permit_kind("", "Secret", scope="namespace", allow=False)
    project.monitor_orphans(warn=True)
    project.create_role("dev", description="Developers").add_group("dev", "my-org:dev")
    project.add_window("deny", "0 22 * * *", "8h", applications=["*"], manual_sync=True, sync_overrun=True)
    assert project.spec == {
        "sourceRepos": ["!https://a.example/secret"],
        "destinations": [{"name": "in-cluster", "namespace": "team-*"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
        "orphanedResources": {"warn": True},
        "roles": [{"name": "dev", "description": "Developers", "groups": ["my-org:dev"]}],
        "syncWindows": [
            {
                "kind": "deny",
                "schedule": "0 22 * * *",
                "duration": "8h",
                "applications": ["*"],
                "manualSync": True,
                "syncOverrun": True,
            }
        ],
    }
    project.permit_kind("", "Namespace", scope="cluster", allow=False).delete_window(0)
    assert (project.spec["clusterResourceWhitelist"], project.windows) == ([], [])
    shown = ok(town.labkit("proj", "get", "pieces"))
    assert "Denied Namespaced Resources:   /Secret" in shown
    for wrong, words in (
        (lambda: project.add_window("deny", "never", "8h", applications=["*"]), "'never' is no schedule"),
        (lambda: project.add_policy("dev", "fly", "*"), "invalid action 'fly'"),
        (lambda: project.add_policy("ops", "get", "*"), "there is no role 'ops'"),
        (lambda: project.create_token("dev", expires_in="soon"), "'soon' is no span of time"),
        (lambda: project.add_source("!https://a.example/secret"), "is there already"),
    ):
        with pytest.raises(LabError, match=words):
            wrong()
    town.lab.projects.delete("pieces")
    assert "pieces" not in town.lab.projects


def test_python_speaks_as_somebody_else_with_their_token(town):
    with town.lab.as_(town.lab.accounts.create_token("bob")) as bobs:
        assert bobs.accounts.me["username"] == "bob"
        web = bobs.apps["web"]
        assert web.set(revision="main").object["spec"]["source"]["targetRevision"] == "main"
        web.refresh()
        assert web.resources is not None
        assert bobs.apps.create("own", repo=town.lab.repos["web"].url, path=".", project="shop").tree
        with pytest.raises(Forbidden, match="applications, delete, shop/own, sub: bob"):
            bobs.apps.delete("own")
        with pytest.raises(Forbidden, match="for the owner of the lab"):
            _ = bobs.cluster
        with pytest.raises(Forbidden):
            bobs.apps.create("own2", repo="https://a.example/x", path=".", project="bank")
    town.lab.apps.delete("own")
    with pytest.raises(Unauthorized), town.lab.as_("made.up.token") as nobody:
        len(nobody.apps)


def test_who_deletes_an_application_hears_when_it_is_gone(town):
    patch = {"data": {"policy.fay.csv": "p, fay, applications, *, shop/*, allow"}}
    town.lab.cluster.patch("v1", "ConfigMap", "argocd-rbac-cm", "argocd", patch=patch)
    patch = {"data": {"accounts.fay": "apiKey"}}
    town.lab.cluster.patch("v1", "ConfigMap", "argocd-cm", "argocd", patch=patch)
    token = until(lambda: town.owner.post("account/fay/token"), lambda a: a.status == 200).body["token"]
    with town.lab.as_(token) as fays:
        until(lambda: fays.accounts.can_i("delete", "applications", "shop/brief"), bool)
        fays.apps.create("brief", repo=town.lab.repos["web"].url, path=".", project="shop")
        fays.apps.delete("brief")
        with pytest.raises(ApplicationNotFound):  # she saw it, so it is no secret that it is gone
            _ = fays.apps["brief"]
    with town.lab.as_(token) as fays, pytest.raises(Forbidden, match="permission denied"):
        _ = fays.apps["brief"]
    with pytest.raises(ApplicationNotFound):
        _ = town.lab.apps["brief"]
