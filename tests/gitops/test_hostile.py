"""What is pushed or written to do harm: each is refused in words, does nothing, and shows nobody's secret.

The table in docs/security.md says which published weaknesses of Argo CD, Flux and Helm each of these is about.
"""

from __future__ import annotations

import base64
import copy
import json
import shutil
from pathlib import Path

import pytest
from faults import Answer, Proxy
from manifests import config, job

from labkit.errors import BadRequest, ChartRepositoryError, LabError
from labkit.gitops import operations
from labkit.gitops.api.application import InvalidSpec, parse_retry
from labkit.gitops.api.names import API_VERSION, NAMESPACE, SECRET_TYPE
from labkit.gitops.projects.project import Project
from labkit.gitops.sources import directory
from labkit.gitops.sync import retry
from labkit.gitops.webhooks import Push
from labkit.helm.repositories import Access, ChartRepository
from labkit.service.registry import connect
from tests.gitops.test_bad_input import CHART, condition

AUTOMATED = {"prune": True, "selfHeal": True}
ADDRESSES = {
    "an option of git": ({"repoURL": "--upload-pack=touch /tmp/labkit-ran"}, "not the address"),
    "a transport that runs a command": ({"repoURL": "ext::sh -c touch% /tmp/labkit-ran"}, "not the address"),
    "a folder of this machine": ({"repoURL": "file:///etc"}, "on this machine are not read"),
    "cloud credentials": ({"repoURL": "http://169.254.169.254/latest/meta-data"}, "link-local"),
    "cloud credentials, as a number": ({"repoURL": "http://2852039166/latest"}, "link-local"),
    "cloud credentials, as IPv6": ({"repoURL": "http://[::ffff:a9fe:a9fe]/latest"}, "link-local"),
    "cloud credentials, by ssh": ({"repoURL": "git@169.254.169.254:latest"}, "link-local"),
    "cloud credentials, as charts": (
        {"repoURL": "https://169.254.169.254", "path": "", "chart": "x", "targetRevision": "1.x"},
        "link-local",
    ),
    "an option for a revision": ({"targetRevision": "--upload-pack=id"}, "not the name of a revision"),
    "a path that leads out": ({"path": "../../../../etc"}, "outside root"),
    "an absolute path": ({"path": "/etc"}, "absolute"),
}


def test_a_source_that_means_harm_is_refused(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a")})
    said = {}
    for number, (fields, words) in enumerate(ADDRESSES.values()):
        said[world.app(f"evil-{number}", repo, automated=AUTOMATED, source=fields)] = words
    for name, words in said.items():
        status = world.until(lambda name=name: world.status(name), lambda found: found.get("conditions"))
        assert words in status["conditions"][0]["message"]
    assert not Path("/tmp/labkit-ran").exists()


LAUGHS = "x0: &x0 [l,l,l,l,l,l,l,l,l]\n" + "".join(
    f"x{n}: &x{n} [{','.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
FILES = {
    "a billion laughs": ({"a.yaml": HEAD + LAUGHS}, "1,000,000 values"),
    "a circle of aliases": ({"a.yaml": HEAD + "data: &a {b: *a}\n"}, "what it is part of"),
    "endless brackets": ({"a.yaml": HEAD + "data: " + "[" * 5000}, "nested deeper"),
    "more than an application may hold": (
        {f"{n}.yaml": f"{HEAD}data: {{a: {'x' * 1_300_000}}}\n" for n in range(9)},
        "larger than 10 MB",
    ),
    "a base outside of the repository": (
        {"kustomization.yaml": "resources: [../../../../../../../../etc]\n"},
        "leads out of the repository",
    ),
    "such a base by a name that kustomize takes, too": (
        {"kustomization.yaml": "reſourceS: [../../../../../../../../etc]\n"},
        "leads out of the repository",
    ),
    "such a base at the second hop": (
        {
            "kustomization.yaml": "resources: [base]\n",
            "base/kustomization.yml": "components: [../../../../../../../../../etc]\n",
        },
        "base/kustomization.yml",
    ),
    "a file that a kustomization has no right to": (
        {"kustomization.yaml": "resources: [/etc/passwd]\n"},
        "kustomization.yaml",
    ),
    "a program for kustomize to run": (
        {
            "kustomization.yaml": "generators: [run.yaml]\n",
            "run.yaml": "apiVersion: x/v1\nkind: Run\nmetadata:\n  name: a\n  annotations:\n"
            "    config.kubernetes.io/function: |\n      exec: {path: /usr/bin/id}\n",
        },
        "kustomization.yaml",
    ),
    "a chart for kustomize to fetch": (
        {"kustomization.yaml": "helmCharts: [{name: x, repo: 'http://127.0.0.1:9', version: 1.0.0}]\n"},
        "kustomization.yaml",
    ),
    "laughs for kustomize": ({"kustomization.yaml": KUSTOMIZATION + LAUGHS}, "kustomization.yaml"),
    "a chart whose dependencies are a number": (CHART | {"Chart.yaml": CHART["Chart.yaml"] + "dependencies: 5\n"}, ""),
    "a chart of that name": (CHART | {"Chart.yaml": "apiVersion: v2\nname: ../../x\nversion: 1.0.0\n"}, "Chart.yaml"),
    "a schema that refers to itself": (CHART | {"values.schema.json": '{"$ref": "#"}'}, "reference cycle"),
    "a schema with a long answer": (
        CHART | {"values.schema.json": json.dumps({"enum": [f"x{n}" * 9 for n in range(40_000)]})},
        "characters more",
    ),
}  # fmt: skip


def test_a_push_that_means_harm_is_refused(world):
    repo = world.repository("shop")
    folders = {name.replace(" ", "-").replace(",", ""): files for name, (files, _) in FILES.items()}
    repo.push({f"{folder}/{name}": text for folder, files in folders.items() for name, text in files.items()})
    kubectl = shutil.which("kubectl") is not None
    apps = {
        world.app(f"evil-{number}", repo, path=folder, automated=AUTOMATED): said
        for number, (folder, (_, said)) in enumerate(zip(folders, FILES.values(), strict=True))
        if kubectl or "kustomization.yaml" not in folders[folder]
    }
    for app, said in apps.items():
        message = condition(world, app)
        assert said in message
        assert "defect" not in message
        assert len(message) < 10_000
        assert "root:" not in message
        assert str(world.folder) not in message


def test_a_number_that_is_none_is_text(world):
    repo = world.repository("shop")
    head = repo.push({"a.yaml": f"{HEAD}data:\n  many: {'9' * 5000}\n  hex: 0x{'f' * 200}\n"})
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, head)
    assert world.find("ConfigMap", "a", app)["data"] == {"many": "9" * 5000, "hex": f"0x{'f' * 200}"}


def test_a_glob_that_stands_for_millions_is_refused():
    with pytest.raises(LabError, match="more than 1000"):
        directory.matches("{a,b}" * 40, "x")
    assert directory.matches("{a,b}*.{yaml,json}", "b1.json")


@pytest.mark.parametrize(
    "backoff",
    [
        {"factor": 10**400},
        {"factor": -2},
        {"duration": "9" * 400 + "h"},
        {"duration": "1.2.3s"},
        {"maxDuration": "99999999h"},
        {"duration": ["5s"]},
    ],
)
def test_a_back_off_that_no_clock_can_count_is_refused(backoff):
    with pytest.raises(InvalidSpec):
        retry.delay(parse_retry({"limit": 5, "backoff": backoff}, "spec.syncPolicy.retry"), 3)


PUSH = {
    "ref": "refs/heads/main",
    "before": "a",
    "repository": {"clone_url": "http://h/x.git", "html_url": "http://h/x", "default_branch": "main"},
    "project": {"web_url": "http://h/x", "default_branch": "main"},
    "commits": [{"added": ["a"], "modified": [], "removed": []}],
}
NASTY = (None, 5, True, "", "x" * 100_000, [], {}, [None], {"a": None}, "\0", "http://[", "https://h:99999/x")


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in items:
        yield from places(each, (*path, name))


@pytest.mark.parametrize("without", ["", "project", "repository"])
def test_a_webhook_with_anything_anywhere_is_a_push_or_none(without):
    payload = {name: value for name, value in PUSH.items() if name != without}
    for path in list(places(payload))[1:]:
        for value in NASTY:
            at = changed = copy.deepcopy(payload)
            *steps, last = path
            for step in steps:
                at = at[step]
            at[last] = value
            try:
                assert isinstance(Push.read(changed).is_of("http://h/x.git"), bool)
            except BadRequest:
                continue


def test_a_git_host_that_redirects_gets_the_credential_and_the_other_does_not(world):
    repo = world.repository("shop")
    repo.push({"a.yaml": config("a")})
    asked = []

    def note(request):
        asked.append(request)
        return Answer(404)

    with Proxy(world.forge.base_url, fault=note) as other, Proxy(world.forge.base_url) as first:
        first.fault = lambda request: Answer(302, headers=(("Location", other.url + request.path),))
        secret(world, "first", "repo-creds", url=first.url, username="lab", password="s3cret-t0ken")
        try:
            name = world.app("shop", repo, source={"repoURL": f"{first.url}/shop.git"})
            assert "has moved" in condition(world, name)
        finally:
            world.cluster.delete("v1", "Secret", "first", NAMESPACE)
        assert "s3cret-t0ken" not in str(world.get(name))
    assert asked == []


def test_a_password_in_the_address_is_in_no_message(world):
    repo = world.repository("shop")
    name = world.app("shop", repo, source={"repoURL": "http://lab:s3cret-t0ken@127.0.0.1:9/shop.git"})
    assert "s3cret-t0ken" not in condition(world, name)


SECRETS = {
    "no base64": {"data": {"password": "s3cret-t0ken"}},
    "a list": {"stringData": {"password": ["s3cret-t0ken"]}},
    "a map": {"data": {"password": {"s3cret-t0ken": "s3cret-t0ken"}}},
    "a text for all": {"stringData": "s3cret-t0ken"},
    "a key that is none": {"stringData": {"pass word": "s3cret-t0ken"}},
}


def test_a_secret_that_is_refused_is_not_quoted(world):
    repo = world.repository("shop")
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    repo.push({f"{n}/a.yaml": head | secret for n, secret in enumerate(SECRETS.values())})
    names = [world.app(f"shop-{n}", repo, path=str(n)) for n in range(len(SECRETS))]
    for name in names:
        world.until(lambda name=name: world.status(name).get("sync"), bool)
        operations.sync(world.cluster, name)
    for name in names:
        app = world.ended(name, "Failed")
        assert "Secret" in app["status"]["operationState"]["message"]
        assert "s3cret-t0ken" not in json.dumps([app, world.controller.manifests(name)])
    assert "s3cret-t0ken" not in json.dumps(world.cluster.list("v1", "Event", NAMESPACE).items)


def test_a_secrets_values_are_in_no_difference_and_no_annotation_that_is_shown(world):
    repo = world.repository("shop")
    live = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "a"},
        "stringData": {"password": "s3cret-t0ken"},
    }
    repo.push({"a.yaml": live})
    name = world.app("shop", repo, automated={})
    world.settled(name)
    applied = json.dumps({"data": {"password": "s3cret-by-kubectl"}})
    world.cluster.patch(
        "v1", "Secret", "a", name,
        patch={
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
            "data": {"password": base64.b64encode(b"s3cret-by-hand").decode()},
        },
    )  # fmt: skip
    world.until(lambda: world.status(name)["sync"]["status"], lambda found: found == "OutOfSync")
    shown = json.dumps(
        [
            world.controller.managed_resources(name),
            world.controller.manifests(name),
            world.controller.loop(name),
        ]
    )
    assert "++++++++" in shown
    for word in (
        "s3cret",
        base64.b64encode(b"s3cret-by-hand").decode(),
        base64.b64encode(b"s3cret-t0ken").decode(),
    ):
        assert word not in shown
    assert "s3cret" not in json.dumps(world.get(name))


def test_an_object_that_says_it_is_another_applications_is_not_deleted_as_its_own(world):
    repo = world.repository("shop")
    app = world.app("shop", repo, automated=AUTOMATED)
    world.settled(app, repo.push({"a.yaml": config("a", v="1")}))
    mine = world.find("ConfigMap", "a", app)["metadata"]["annotations"]
    spoofed = config("stranger", v="1")
    spoofed["metadata"] |= {"namespace": app, "annotations": mine}  # the id of object a
    world.cluster.create(spoofed)
    world.settled(app, repo.push({"a.yaml": config("a", v="2")}))
    assert world.find("ConfigMap", "stranger", app) is not None


def test_git_cannot_give_an_object_to_another_application(world):
    victim, evil = world.repository("victim"), world.repository("evil")
    world.settled(
        world.app("victim", victim, automated=AUTOMATED), victim.push({"a.yaml": config("a", v="1")})
    )
    claims = config("b", v="1")
    claims["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "victim:/ConfigMap:evil/b"}
    world.settled(world.app("evil", evil, automated=AUTOMATED), evil.push({"b.yaml": claims}))
    found = world.find("ConfigMap", "b", "evil")["metadata"]["annotations"]
    assert found["argocd.argoproj.io/tracking-id"] == "evil:/ConfigMap:evil/b"


def test_an_application_in_another_namespace_is_nobodys(world):
    repo = world.repository("shop")
    name = world.app("shop", repo, automated=AUTOMATED)
    world.settled(name, repo.push({"a.yaml": config("a", v="1")}))
    stray = {**world.get(name), "metadata": {"name": "stray", "namespace": name}}
    stray["spec"] = stray["spec"] | {"destination": {"name": "in-cluster", "namespace": "stray"}}
    del stray["status"]
    world.cluster.create(stray)
    world.settled(name, repo.push({"a.yaml": config("a", v="2")}))
    assert "status" not in world.find("Application", "stray", name, API_VERSION)
    assert world.find("Namespace", "stray", "") is None
    world.cluster.delete(API_VERSION, "Application", "stray", name)


@pytest.fixture
def no_jobs(world):
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        "namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}],
    }
    meta = {"name": "tame", "namespace": NAMESPACE}
    world.cluster.create({"apiVersion": API_VERSION, "kind": "AppProject", "metadata": meta, "spec": spec})
    yield "tame"
    world.clean()
    world.cluster.delete(API_VERSION, "AppProject", "tame", NAMESPACE)


WAYS = {
    "as a hook": job("evil", hook="PreSync"),
    "with a generated name": job("evil-", hook="Sync", generate=True),
    "in a List": {"apiVersion": "v1", "kind": "List", "items": [job("evil", hook="PostSync")]},
}


def test_a_kind_that_is_denied_does_not_come(world, no_jobs):
    repo = world.repository("shop")
    repo.push({f"{n}/evil.yaml": evil for n, evil in enumerate(WAYS.values())})
    for number in range(len(WAYS)):
        name = world.app(f"shop-{number}", repo, path=str(number), project=no_jobs)
        world.until(lambda name=name: world.status(name).get("sync"), bool)
        operations.sync(world.cluster, name)
        state = world.ended(name, "Failed")["status"]["operationState"]
        assert "not permitted" in str(state)
        assert world.cluster.list("batch/v1", "Job", name).items == []


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/team/secret.git",
        "https://GIT.example.org/team/secret",
        "https://somebody:word@git.example.org/team/secret.git",
        "https://git.example.org:443/team/secret",
        "https://git.example.org//team/./secret/",
        "https://git.example.org/team/%73ecret.git",
        "https://git.example.org/team/x/../secret.git",
    ],
)
def test_a_denied_repository_is_denied_by_each_of_its_addresses(url):
    project = Project("tame", {"sourceRepos": ["*", "!https://git.example.org/team/secret"]})
    assert not project.permits_source(url)
    assert project.permits_source("https://git.example.org/team/public.git")


def test_a_registry_cannot_have_the_login_sent_in_clear_to_another_host(tmp_path):
    login = 'Bearer realm="http://registry.invalid/token",service="x"'
    with Proxy("http://127.0.0.1:9") as registry:
        registry.fault = lambda _request: Answer(401, headers=(("WWW-Authenticate", login),))
        repository = ChartRepository(
            f"oci://127.0.0.1:{registry.url.rpartition(':')[2]}/charts", Access("lab", "s3cret-t0ken")
        )
        with pytest.raises(ChartRepositoryError, match="not https") as caught:
            repository.resolve("web", "1.x")
    assert "s3cret" not in str(caught.value)


def test_a_cluster_secret_runs_no_program(world, tmp_path):
    ran = tmp_path / "ran"
    program = {"command": "touch", "args": [str(ran)], "apiVersion": "client.authentication.k8s.io/v1"}
    fields = {
        "name": "exec",
        "server": "https://127.0.0.1:9",
        "config": json.dumps({"execProviderConfig": program, "tlsClientConfig": {"insecure": True}}),
    }
    world.stop()
    world.connect = connect
    world.start()
    secret(world, "exec", "cluster", **fields)
    try:
        repo = world.repository("shop")
        repo.push({"a.yaml": config("a")})
        name = world.app("shop", repo, destination={"name": "exec", "namespace": "x"})
        assert "exec" in condition(world, name)
    finally:
        world.clean()
        world.cluster.delete("v1", "Secret", "exec", NAMESPACE)
    assert not ran.exists()


def test_a_defect_of_ours_is_told_and_not_quoted(world, monkeypatch):
    def broken(*_args, **_options):
        raise TypeError("s3cret-t0ken is no int")

    repo = world.repository("shop")
    monkeypatch.setattr(directory, "load_documents", broken)
    repo.push({"a.yaml": config("a")})
    message = condition(world, world.app("shop", repo, automated=AUTOMATED))
    assert "defect of the lab" in message
    assert "s3cret" not in message


def secret(world, called, type_, **fields):
    world.cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": called, "namespace": NAMESPACE, "labels": {SECRET_TYPE: type_}},
            "stringData": {"type": "git"} | fields if type_ != "cluster" else fields,
        }
    )
