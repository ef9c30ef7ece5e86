"""``labkit app``, against a real lab that all tests of this file share."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from labkit.lab import Lab
from labkit.settings import Settings

pytestmark = pytest.mark.timeout(180)
ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    settings = Settings.create(tmp_path_factory.mktemp("lab"))
    with Lab(settings.home) as made:
        repo = made.repos.create("shop")
        copy = repo.clone()
        made.charts.create("web", folder=copy.path)
        copy.add().commit("Version 1")
        copy.push()
        yield made
    made.stop()


@pytest.fixture
def run(lab, here):
    return lambda *arguments: here("--lab", str(lab.home), *arguments, cwd=lab.home)


@pytest.fixture
def app(lab, run):
    """A manual application of the shared repository, deleted afterwards."""
    name = f"app-{next(_numbers)}"
    done = run("app", "create", name, "--repo", lab.repos["shop"].url, "--path", "web", "--dest-namespace", name,
               "--sync-option", "CreateNamespace=true")  # fmt: skip
    assert done.returncode == 0, done.stderr
    yield name
    run("app", "delete", name, "--yes")


def test_a_repository_is_meant_by_its_name(run, lab):
    made = run("app", "create", "by-name", "--repo", "shop", "--path", "web", "--dest-namespace", "by-name")
    assert made.returncode == 0, made.stderr
    shown = json.loads(run("app", "get", "by-name", "-o", "json").stdout)
    assert shown["spec"]["source"]["repoURL"] == lab.repos["shop"].url
    wrong = run("app", "set", "by-name", "--repo", "shup")
    assert wrong.returncode == 1
    assert "There are: shop" in wrong.stderr
    run("app", "delete", "by-name", "--yes")


def test_a_plan_says_what_a_sync_would_do_and_does_nothing(run, app):
    planned = run("app", "plan", app)
    assert planned.returncode == 0, planned.stderr
    rows = [line.split() for line in planned.stdout.splitlines()]
    assert rows[0] == ["PHASE", "WAVE", "ACTION", "GROUP", "KIND", "NAMESPACE", "NAME", "WHY"]
    assert rows[1][:3] == ["PreSync", "create", "Namespace"]
    kinds = [task["kind"] for task in json.loads(run("app", "plan", app, "-o", "json").stdout)]
    assert kinds == ["Namespace", "ConfigMap", "Service", "Deployment"]
    assert run("app", "get", app, "-o", "json").stdout.find("operationState") == -1


def test_created_synced_and_healthy(run, app):
    assert run("app", "sync", app, "--timeout", "60").returncode == 0
    waited = run("app", "wait", app, "--timeout", "60")
    assert waited.returncode == 0, waited.stderr
    assert waited.stdout == f"{app}  Synced  Healthy\n"
    shown = run("app", "get", app)
    assert "Sync Status:     Synced to HEAD (" in shown.stdout
    assert "Deployment" in shown.stdout
    tree = run("app", "get", app, "-o", "tree").stdout
    assert tree.startswith(f"Application/{app}  Synced  Healthy\n")
    assert "ReplicaSet/" in tree
    assert "Pod/" in tree
    listed = run("app", "list").stdout.splitlines()
    assert listed[0].split()[:5] == ["NAME", "NAMESPACE", "PROJECT", "STATUS", "HEALTH"]
    assert [app, app, "default", "Synced", "Healthy"] in [line.split()[:5] for line in listed]


def test_json_is_the_application_object(run, app):
    found = json.loads(run("app", "get", app, "-o", "json").stdout)
    assert (found["kind"], found["metadata"]["name"]) == ("Application", app)
    assert run("app", "get", app, "-o", "yaml").stdout.startswith("apiVersion: argoproj.io/v1alpha1\n")
    assert app in run("app", "list", "-o", "name").stdout.split()


def test_diff_says_what_a_sync_would_do(run, app):
    before = run("app", "diff", app, "--refresh")
    assert before.returncode == 1, before.stderr
    assert "+kind: Deployment" in before.stdout
    run("app", "sync", app)
    after = run("app", "diff", app, "--refresh")
    assert (after.returncode, after.stdout) == (0, "")


def test_diff_says_who_wrote_what_differs(run, lab, app):
    run("app", "sync", app, "--timeout", "60")
    patch = {"data": {"COLOUR": "pink"}}
    lab.cluster.patch("v1", "ConfigMap", f"{app}-web", app, patch=patch, field_manager="somebody")
    said = run("app", "diff", app, "--refresh").stdout
    assert "-  COLOUR: pink" in said
    assert "  data.COLOUR: the live value was last written by somebody" in said


def test_a_dry_run_changes_nothing(run, app, lab):
    done = run("app", "sync", app, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert lab.cluster.find("apps/v1", "Deployment", app + "-web", app) is None


def test_manifests_are_what_git_says(run, app):
    text = run("app", "manifests", app).stdout
    assert "kind: Service" in text
    assert "\n---\n" in text


def test_set_changes_only_what_is_named(run, app):
    assert (
        run("app", "set", app, "-p", "replicaCount=1", "--sync-policy", "automated", "--self-heal").returncode
        == 0
    )
    spec = json.loads(run("app", "get", app, "-o", "json").stdout)["spec"]
    assert spec["source"]["helm"]["parameters"] == [{"name": "replicaCount", "value": "1"}]
    assert spec["syncPolicy"]["automated"] == {"selfHeal": True}
    assert spec["source"]["path"] == "web"
    assert run("app", "set", app).returncode == 1


def test_a_plan_is_kept_and_carried_out_or_refused(run, lab, app, tmp_path):
    kept = str(tmp_path / "plan.json")
    made = run("app", "plan", app, "--out", kept)
    assert made.returncode == 0, made.stderr
    assert f"labkit app sync {app} --plan {kept}" in made.stderr
    assert run("app", "sync", app, "--plan", kept).returncode == 0
    assert "Healthy" in run("app", "wait", app, "--timeout", "60").stdout
    refused = run("app", "sync", app, "--plan", kept)  # what it says is to be made is there now
    assert refused.returncode == 1
    assert "the plan does not fit any more; nothing was done" in refused.stderr
    assert "--out FILE" in refused.stderr
    others = run("app", "sync", "shop-of-nobody", "--plan", kept)
    assert "no application 'shop-of-nobody'" in others.stderr
    mixed = run("app", "sync", app, "--plan", kept, "--prune")
    assert "a plan says already what is synced" in mixed.stderr
    plan = lab.apps[app].plan()
    assert (plan.application, plan.prune, len(plan.revision)) == (app, False, 40)
    lab.apps[app].sync(plan=plan)


def test_only_one_resource_can_be_synced(run, lab, app):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": app}}
    lab.cluster.create(namespace)
    run("app", "get", app, "--refresh")  # a new application is compared a moment later
    found = run("app", "resources", app, "-o", "name").stdout.split()
    config = next(key for key in found if ":ConfigMap:" in key)
    done = run("app", "sync", app, "--resource", config)
    assert done.returncode == 0, done.stderr
    synced = {r.kind: r.sync for r in lab.apps[app].refresh().resources}
    assert synced == {"ConfigMap": "Synced", "Service": "OutOfSync", "Deployment": "OutOfSync"}


def test_history_and_rollback(run, app):
    run("app", "sync", app)
    run("app", "set", app, "-p", "message=second")
    run("app", "sync", app)
    history = json.loads(run("app", "history", app, "-o", "json").stdout)
    assert len(history) == 2
    run("app", "set", app, "--sync-policy", "automated")
    refused = run("app", "rollback", app, str(history[0]["id"]))
    assert refused.returncode == 1
    assert "auto-sync is enabled" in refused.stderr
    assert "Fix: Revert the commit in Git" in refused.stderr
    run("app", "set", app, "--sync-policy", "none")
    done = run("app", "rollback", app, str(history[0]["id"]))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(run("app", "history", app, "-o", "json").stdout)) == 3


def test_logs_come_with_their_pods_name(run, app):
    run("app", "sync", app)
    run("app", "wait", app, "--health", "--timeout", "60")
    lines = run("app", "logs", app, "--tail", "1").stdout.splitlines()
    assert lines
    assert all(line.startswith(app) for line in lines)


def test_a_wait_that_is_not_fulfilled_exits_20(run, app):
    done = run("app", "wait", app, "--sync", "--timeout", "0.5")
    assert done.returncode == 20
    assert f"{app}: OutOfSync  " in done.stderr  # what is seen while it waits
    assert "waited 0.5 s: sync is OutOfSync" in done.stderr


def test_an_application_that_is_not_there_is_said_with_those_that_are(run, app):
    done = run("app", "get", "nonsense")
    assert done.returncode == 1
    assert "there is no application 'nonsense'" in done.stderr
    assert app in done.stderr


def test_a_second_create_needs_upsert(run, lab, app):
    arguments = ["app", "create", app, "--repo", lab.repos["shop"].url, "--path", "web"]
    done = run(*arguments, "--revision", "main")
    assert done.returncode == 1
    assert "--upsert" in done.stderr
    assert run(*arguments, "--revision", "main", "--upsert").returncode == 0


def test_delete_asks_and_takes_what_was_deployed(run, lab, app):
    run("app", "sync", app)
    assert run("app", "delete", app).returncode == 1
    assert run("app", "delete", app, "--yes").returncode == 0
    assert lab.cluster.list("v1", "Service", app).items == []


def test_delete_without_cascade_leaves_what_was_deployed(run, lab, app):
    run("app", "sync", app)
    assert run("app", "delete", app, "--cascade=false", "--yes").returncode == 0
    assert lab.cluster.list("v1", "Service", app).items != []


def test_a_manifest_file_makes_an_application(run, lab, tmp_path):
    file = tmp_path / "app.yaml"
    file.write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: from-file}\nspec:\n"
        f"  project: default\n  source: {{repoURL: {lab.repos['shop'].url}, path: web}}\n"
        "  destination: {server: https://kubernetes.default.svc, namespace: from-file}\n",
        encoding="utf-8",
    )
    done = run("app", "create", "-f", str(file), "-o", "name")
    assert (done.returncode, done.stdout) == (0, "from-file\n"), done.stderr
    run("app", "delete", "from-file", "--yes")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--repo", "http://127.0.0.1:1/git/none.git"], "127.0.0.1:1"),
        (["--path", "nowhere"], "nowhere"),
        (["--revision", "no-such-branch"], "no-such-branch"),
    ],
)
def test_a_source_that_cannot_be_read_is_said_by_get(run, app, arguments, words):
    run("app", "set", app, *arguments)
    shown = run("app", "get", app, "--hard-refresh").stdout
    assert "ComparisonError" in shown
    assert words in shown
