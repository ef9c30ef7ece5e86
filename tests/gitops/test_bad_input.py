"""What people push and write wrong: each is told in the Application, with the place and the fix, and nothing breaks."""

from __future__ import annotations

import socket

import pytest
from manifests import config
from serving import run_server

from labkit.errors import LabError
from labkit.forge import Forge, app
from labkit.git import Credential
from labkit.gitops import operations

CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "values.yaml": "colour: blue\n",
    "templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  colour: {{ .Values.colour }}\n"
    ),
}


def condition(world, name, type_="ComparisonError"):
    found = world.until(
        lambda: world.status(name).get("conditions") or [], lambda cs: any(c["type"] == type_ for c in cs)
    )
    return next(c["message"] for c in found if c["type"] == type_)


CHARTS = {
    "not YAML": (
        {"values.yaml": "colour: [blue\n"},
        {},
        ["values.yaml:", "Fix:"],
    ),
    "a value of the wrong shape": (
        {"templates/config.yaml": CHART["templates/config.yaml"].replace(".colour", ".image.tag")},
        {},
        ["templates/config.yaml:6", "Fix:"],
    ),
    "a values file that is not there": ({}, {"valueFiles": ["prod.yaml"]}, ["prod.yaml", "Fix:"]),
    "a values file outside": ({}, {"valueFiles": ["../../secret.yaml"]}, ["../../secret.yaml"]),
    "a template that never ends": (
        {"templates/config.yaml": '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}\n'},
        {},
        ["templates/config.yaml"],
    ),
    "YAML that breaks in rendering": (
        {"templates/config.yaml": CHART["templates/config.yaml"] + "   oops: 1\n"},
        {},
        ["templates/config.yaml", "Fix:"],
    ),
    "no name for the chart": ({"Chart.yaml": "apiVersion: v2\nversion: 0.1.0\n"}, {}, ["Chart.yaml", "name"]),
    "a dependency that is not there": (
        {
            "Chart.yaml": CHART["Chart.yaml"]
            + "dependencies:\n- name: redis\n  version: 1.x\n  repository: http://127.0.0.1:9/charts\n"
        },
        {},
        ["redis", "charts/", "dependency build"],
    ),
}


@pytest.mark.parametrize("what", CHARTS)
def test_a_chart_with(world, what):
    changes, helm, said = CHARTS[what]
    repo = world.repository("shop")
    repo.push(CHART | changes)
    name = world.app("shop", repo, automated={}, source={"helm": helm} if helm else {})
    message = condition(world, name)
    for text in said:
        assert text in message
    assert world.status(name)["sync"]["status"] == "Unknown"
    if changes:
        world.settled(name, repo.push(CHART, "Mended"))


def test_a_link_that_leads_out_of_the_repository(world):
    repo = world.repository("shop")
    (repo.copy.path / "templates").mkdir()
    (repo.copy.path / "templates" / "passwd.yaml").symlink_to("/etc/passwd")
    repo.push(CHART)
    message = condition(world, world.app("shop", repo, automated={}))
    assert "templates/passwd.yaml" in message
    assert "root:" not in message


MANIFESTS = {
    "not YAML": ({"a.yaml": "kind: [\n"}, ["a.yaml:", "Fix:"]),
    "no kind": ({"a.yaml": "apiVersion: v1\nmetadata: {name: a}\n"}, ["a.yaml", "kind"]),
    "a tab": ({"a.yaml": "apiVersion: v1\n\tkind: ConfigMap\n"}, ["a.yaml:2"]),
}


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_manifest_with(world, what):
    files, said = MANIFESTS[what]
    repo = world.repository("shop")
    repo.push(files)
    message = condition(world, world.app("shop", repo, automated={}))
    for text in said:
        assert text in message


def test_a_branch_that_is_not_there(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a")})
    message = condition(world, world.app("shop", repo, source={"targetRevision": "mian"}))
    assert "mian" in message
    assert "main" in message.replace("mian", "")


def test_a_path_that_is_not_there(world):
    repo = world.repository("shop")
    repo.push({"web/a.yaml": config("a")})
    message = condition(world, world.app("shop", repo, path="wbe"))
    assert "wbe" in message
    assert "web" in message.replace("wbe", "")


def test_a_git_host_that_does_not_answer(world):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/shop.git"
    repo = world.repository("shop")
    name = world.app("shop", repo, source={"repoURL": url})
    message = condition(world, name)
    assert url in message
    assert "does not answer" in message


def test_a_repository_that_wants_a_credential(world, tmp_path):
    forge = Forge(tmp_path / "private")
    port, stop = run_server(app(forge, credentials=Credential("other", "secret")))
    forge.base_url = f"http://127.0.0.1:{port}"
    url = forge.create("private").url
    try:
        name = world.app("shop", world.repository("shop"), source={"repoURL": url})
        message = condition(world, name)
    finally:
        stop()
    assert url in message
    assert "credential" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apiVersion": "example.org/v1", "kind": "Wdiget"}, ["Wdiget", "CustomResourceDefinition"]),
        ({"data": {"a": 1}}, ["ConfigMap a", "data"]),
        ({"metadata": {"name": "Upper"}}, ["Upper", "lowercase"]),
    ],
)
def test_what_the_cluster_refuses_is_said_in_its_words(world, changes, said):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1") | changes})
    name = world.app("shop", repo)
    world.until(lambda: world.status(name).get("sync"), lambda sync: sync)
    operations.sync(world.cluster, name)
    message = world.ended(name, "Failed")["status"]["operationState"]["message"]
    for text in said:
        assert text in message


def test_a_namespace_that_is_not_there(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1")})
    name = world.app("nowhere", repo, syncPolicy={"syncOptions": []})
    operations.sync(world.cluster, name)
    message = world.ended(name, "Failed")["status"]["operationState"]["message"]
    assert 'namespaces "nowhere" not found' in message
    assert "CreateNamespace=true" in message


def test_a_revision_that_failed_is_not_tried_again_and_the_condition_says_why(world):
    repo = world.repository("shop")
    commit = repo.push({"a.yaml": config("a", v="1")})
    policy = {"automated": {"selfHeal": True}, "retry": {"limit": 0}, "syncOptions": []}
    name = world.app("nowhere", repo, syncPolicy=policy)
    world.ended(name, "Failed")
    world.until(lambda: world.status(name).get("conditions"), bool)  # at once, not with the next look at Git
    world.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nowhere"}})
    status = operations.refresh(world.cluster, name)["status"]
    assert (status["sync"]["status"], status["operationState"]["phase"]) == ("OutOfSync", "Failed")
    said = [c["message"] for c in status["conditions"] if c["type"] == "SyncError"]
    assert len(said) == 1
    assert f"Failed last sync attempt to {commit}" in said[0]
    assert 'namespaces "nowhere" not found' in said[0]


def test_a_field_that_cannot_be_changed(world):
    repo = world.repository("shop")
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once"},
        "spec": {
            "template": {
                "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1.36"}]}
            }
        },
    }
    repo.push({"job.yaml": job})
    name = world.app("shop", repo, automated={})
    world.settled(name)
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:1.37"
    repo.push({"job.yaml": job})
    message = world.until(
        lambda: world.status(name)["operationState"]["message"], lambda text: "field is immutable" in text
    )
    assert "Force=true" in message


def test_the_same_object_twice_is_a_warning(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a", v="1"), "b.yaml": config("a", v="2")})
    name = world.app("shop", repo, automated={})
    message = condition(world, name, "RepeatedResourceWarning")
    assert "ConfigMap" in message
    assert "b.yaml" in message


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.revisionHistoryLimit", {"revisionHistoryLimit": "ten"}),
        (
            "spec.syncPolicy.retry.backoff.duration",
            {"syncPolicy": {"retry": {"backoff": {"duration": "soon"}}}},
        ),
        ("spec.syncPolicy.retry.limit", {"syncPolicy": {"retry": {"limit": "many"}}}),
        (
            "spec.destination",
            {"destination": {"name": "in-cluster", "server": "https://kubernetes.default.svc"}},
        ),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused_with_its_field(world, field, spec):
    repo = world.repository("shop")
    with pytest.raises(LabError, match=field):
        world.app("shop", repo, **spec)


def test_one_broken_application_does_not_hold_up_the_others(world):
    broken, good = world.repository("broken"), world.repository("good")
    broken.push({"a.yaml": "kind: [\n"})
    world.app("broken", broken, automated={})
    good.push({"a.yaml": config("a", v="1")})
    world.settled(world.app("good", good, automated={}))
    assert "a.yaml" in condition(world, "broken")
