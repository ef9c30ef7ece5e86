"""Releases in a real (sandbox) cluster; the ``helm`` command sees the same ones, and goes on with them."""

import json
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from chart_server import ChartServer
from serving import run_server

from labkit.cluster import Cluster, provider
from labkit.errors import ChartError, ReleaseError, ReleaseNotFound, RenderError, ValuesError
from labkit.helm import Chart
from labkit.helm.backend import available
from labkit.helm.releases import Releases, open_secret
from labkit.helm.releases.releases import Plan
from labkit.helm.values import Given

WAIT = Plan(wait="watcher", seconds=60)
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {colour: "{{ .Values.colour }}", number: "{{ .Values.number }}", revision: "{{ .Release.Revision }}"}
"""
HOOK = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: "{{ .Release.Name }}-before"
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
data: {revision: "{{ .Release.Revision }}"}
"""
TEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: "{{ .Release.Name }}-test"
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers: [{name: it, image: busybox:1.37, command: [sh, -c, "echo looked; exit {{ .Values.exit }}"]}]
"""
FILES = {
    "values.yaml": "colour: blue\nnumber: 7\nexit: 0\nlist: [a, b]\n",
    "templates/config.yaml": CONFIG,
    "templates/before.yaml": HOOK,
    "templates/test.yaml": TEST,
    "templates/NOTES.txt": "It is {{ .Values.colour }}.",
    "values.schema.json": '{"properties": {"colour": {"enum": ["blue", "red", "green"]}}}',
}

both = pytest.mark.parametrize("backend", ["sdk", "binary"], indirect=True)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory):
    sandboxes = provider("sandbox", tmp_path_factory.mktemp("releases"))
    sandboxes.create("releases")
    yield sandboxes.kubeconfig("releases")
    sandboxes.delete("releases")


@pytest.fixture
def cluster(kubeconfig):
    with Cluster.from_kubeconfig(kubeconfig, own=True) as made:
        yield made


@pytest.fixture
def namespace(cluster) -> str:
    name = f"r-{uuid.uuid4().hex[:8]}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@pytest.fixture
def backend(request) -> str:
    """The better form of Helm; both of them where `both` says so."""
    name = getattr(request, "param", "") or available()[0]
    if name not in available():
        pytest.skip("no `helm` command here" if name == "binary" else "no helm-python-sdk here")
    return name


@pytest.fixture
def releases(kubeconfig, namespace, backend) -> Releases:
    return Releases(kubeconfig, namespace=namespace, with_backend=backend)


@pytest.fixture
def web(make_chart) -> Chart:
    return Chart(make_chart(FILES))


@pytest.fixture
def helm(kubeconfig, namespace):
    if shutil.which("helm") is None:
        pytest.skip("no `helm` command here")

    def run(*arguments: str):
        command = ["helm", *arguments, "--kubeconfig", str(kubeconfig), "-n", namespace]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def config(cluster, namespace: str, name: str = "demo") -> dict[str, str]:
    return cluster.get("v1", "ConfigMap", name, namespace)["data"]


def seen(releases: Releases, name: str = "demo") -> list[tuple[int, str, str]]:
    return [(each.revision, each.status, each.description) for each in releases.history(name)]


@both
def test_a_release_from_install_to_uninstall(releases: Releases, cluster, namespace: str, web: Chart) -> None:
    first = releases.install("demo", web)
    assert (first.revision, first.status, first.notes) == (1, "deployed", "It is blue.")
    assert config(cluster, namespace)["colour"] == "blue"
    second = releases.upgrade("demo", web, Given(set=["colour=red"]))
    assert (second.revision, config(cluster, namespace)["colour"]) == (2, "red")
    third = releases.rollback("demo")
    assert (third.revision, config(cluster, namespace)["colour"]) == (3, "blue")
    assert config(cluster, namespace)["revision"] == "1", "what was rendered then is applied as it was"
    assert seen(releases) == [
        (1, "superseded", "Install complete"),
        (2, "superseded", "Upgrade complete"),
        (3, "deployed", "Rollback to 1"),
    ]
    assert [each.name for each in releases.list()] == ["demo"]
    releases.uninstall("demo")
    assert releases.list() == []
    assert cluster.find("v1", "ConfigMap", "demo", namespace) is None


def test_the_helm_command_sees_and_goes_on_with_what_the_lab_made(releases, helm, web: Chart) -> None:
    releases.install("demo", web, Given(set=["colour=red"]))
    (found,) = json.loads(helm("list", "-o", "json"))
    assert (found["name"], found["revision"], found["status"], found["chart"]) == (
        "demo",
        "1",
        "deployed",
        "web-0.1.0",
    )
    assert (
        json.loads(helm("get", "values", "demo", "-o", "json"))
        == releases.values("demo")
        == {"colour": "red"}
    )
    assert helm("get", "manifest", "demo").strip() == releases.status("demo").manifest.strip()
    helm("upgrade", "demo", str(web.path), "--set", "colour=green")
    helm("rollback", "demo", "1")
    assert [each.revision for each in releases.history("demo")] == [1, 2, 3]
    assert releases.values("demo", computed=True)["colour"] == "red"
    helm("uninstall", "demo")
    with pytest.raises(ReleaseNotFound):
        releases.status("demo")


def test_the_lab_goes_on_with_what_the_helm_command_made(releases, helm, web: Chart) -> None:
    helm("install", "demo", str(web.path), "--set", "number=20241123", "--description", "by helm")
    assert releases.status("demo").description == "by helm"
    assert releases.upgrade("demo", web, Given(set=["colour=red"]), values_from="reuse").revision == 2
    assert json.loads(helm("get", "values", "demo", "-o", "json")) == {"number": 20241123, "colour": "red"}
    assert json.loads(helm("history", "demo", "-o", "json"))[-1]["description"] == "Upgrade complete"


def test_both_store_the_same_manifest_for_the_same_flags(
    releases, helm, cluster, namespace, web: Chart
) -> None:
    flags = ["colour=green", "number=20241123"]
    helm("install", "theirs", str(web.path), *(part for each in flags for part in ("--set", each)))
    releases.install("ours", web, Given(set=flags))
    ours, theirs = (releases.status(name) for name in ("ours", "theirs"))
    assert ours.manifest.replace("ours", "theirs") == theirs.manifest
    assert config(cluster, namespace, "ours")["number"] == "20241123"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("", {"colour": "green"}),
        ("reset", {"colour": "green"}),
        ("reuse", {"colour": "green", "number": 9}),
        ("reset-then-reuse", {"colour": "green", "number": 9}),
    ],
)
def test_what_becomes_of_earlier_values(releases, web: Chart, how, expected) -> None:
    releases.install("demo", web, Given(values={"number": 9, "colour": "red"}))
    releases.upgrade("demo", web, Given(values={"colour": "green"}), values_from=how)
    assert releases.values("demo") == expected


@both
def test_values_stay_if_none_are_given_unless_they_are_reset(releases: Releases, web: Chart) -> None:
    releases.install("demo", web, Given(values={"number": 9}))
    releases.upgrade("demo", web)
    assert releases.values("demo") == {"number": 9}
    releases.upgrade("demo", web, values_from="reset")
    assert releases.values("demo") == {}


def test_reused_values_hide_the_new_chart_s_defaults(releases: Releases, web: Chart) -> None:
    releases.install("demo", web, Given(values={"number": 9}))
    values = web.path / "values.yaml"
    values.write_text(values.read_text().replace("blue", "red"))
    releases.upgrade("demo", web, Given(values={"number": 10}), values_from="reuse")
    assert releases.values("demo", computed=True)["colour"] == "blue"
    releases.upgrade("demo", web, values_from="reset-then-reuse")
    assert releases.values("demo", computed=True)["colour"] == "red"


@both
def test_upgrade_installs_what_is_not_there_and_what_was_uninstalled(releases: Releases, web: Chart) -> None:
    with pytest.raises(ReleaseError):
        releases.upgrade("demo", web)
    assert releases.upgrade("demo", web, install=True).revision == 1
    releases.uninstall("demo", keep_history=True)
    assert [each.status for each in releases.list(every_status=True)] == ["uninstalled"]
    assert releases.upgrade("demo", web, install=True).status == "deployed"


def broken(web: Chart, template: str) -> Chart:
    (web.path / "templates" / "extra.yaml").write_text(template)
    return web


AFTER = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: after
  annotations: {helm.sh/hook: post-upgrade}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: it, image: busybox:1.37, command: [sh, -c, "exit 1"]}]
"""
NEVER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: never}
spec:
  selector: {matchLabels: {app: never}}
  template:
    metadata: {labels: {app: never}}
    spec: {containers: [{name: it, image: "gitops-lab/hello:does-not-exist"}]}
"""


@both
def test_a_failing_upgrade_is_in_the_history_and_is_recovered_from(
    releases, cluster, namespace, web: Chart
) -> None:
    releases.install("demo", web)
    with pytest.raises(ReleaseError, match="not everything was ready in time") as failed:
        releases.upgrade(
            "demo", broken(web, NEVER), Given(set=["colour=red"]), plan=Plan(wait="watcher", seconds=2)
        )
    assert f"kubectl -n {namespace} get pods" in failed.value.fix
    assert releases.status("demo").status == "failed"
    assert config(cluster, namespace)["colour"] == "red", "what was applied stays applied"
    releases.rollback("demo", 1)
    assert [each[:2] for each in seen(releases)] == [(1, "superseded"), (2, "failed"), (3, "deployed")]
    assert cluster.find("apps/v1", "Deployment", "never", namespace) is None


def test_an_atomic_upgrade_takes_itself_back(releases, cluster, namespace, web: Chart) -> None:
    releases.install("demo", web)
    plan = Plan(rollback_on_failure=True, seconds=60)
    with pytest.raises(ReleaseError, match="a hook of the chart failed"):
        releases.upgrade("demo", broken(web, AFTER), Given(set=["colour=red"]), plan=plan)
    assert [each.status for each in releases.history("demo")] == ["superseded", "failed", "deployed"]
    assert config(cluster, namespace)["colour"] == "blue"


@both
def test_hooks_run_and_are_told(releases: Releases, cluster, namespace: str, web: Chart) -> None:
    releases.install("demo", web)
    hooks = {each.name: each for each in releases.status("demo").hooks}
    assert set(hooks) == {"demo-before", "demo-test"}
    assert (hooks["demo-before"].events, hooks["demo-before"].phase) == (
        ("pre-install", "pre-upgrade"),
        "Succeeded",
    )
    assert cluster.get("v1", "ConfigMap", "demo-before", namespace)["data"] == {"revision": "1"}


@both
def test_tests_run_and_say_how_they_ended(releases: Releases, web: Chart) -> None:
    releases.install("demo", web)
    found, logs = releases.test("demo", seconds=60)
    assert {each.name: each.phase for each in found.hooks}["demo-test"] == "Succeeded"
    assert "looked" in logs
    releases.upgrade("demo", web, Given(set=["exit=3"]))
    with pytest.raises(ReleaseError, match="demo-test"):
        releases.test("demo", seconds=60)


@both
def test_a_dry_run_changes_nothing(releases: Releases, cluster, namespace: str, web: Chart) -> None:
    made = releases.install("demo", web, plan=Plan(dry_run="server"))
    assert 'colour: "blue"' in made.manifest
    assert releases.list(every_status=True) == []
    assert cluster.find("v1", "ConfigMap", "demo", namespace) is None


def test_what_would_change_and_what_changed_is_told(releases: Releases, web: Chart) -> None:
    releases.install("demo", web)
    (coming,) = releases.preview("demo", web, Given(set=["colour=red"]))
    assert (coming.key.name, coming.change) == ("demo", "changed")
    assert "-  colour: blue" in coming.text
    assert "+  colour: red" in coming.text
    releases.upgrade("demo", web, Given(set=["colour=red"]))
    (was,) = releases.diff("demo", 1, 2)
    assert was.text == coming.text
    assert releases.diff("demo", 2, 2) == []


def test_the_secret_of_a_release_can_be_opened(
    releases: Releases, cluster, namespace: str, web: Chart
) -> None:
    releases.install("demo", web, Given(set=["colour=red"]))
    secret = cluster.get("v1", "Secret", "sh.helm.release.v1.demo.v1", namespace)
    opened = open_secret(secret)
    assert (opened["name"], opened["version"], opened["config"]) == ("demo", 1, {"colour": "red"})
    assert opened["manifest"].strip() == releases.status("demo").manifest.strip()
    assert opened["chart"]["metadata"]["name"] == "web"
    with pytest.raises(ReleaseError, match="is no release"):
        open_secret(secret | {"type": "Opaque"})
    with pytest.raises(ReleaseError, match="damaged"):
        open_secret(secret | {"data": {"release": "AAAA"}})


def test_a_namespace_is_made_only_if_asked(kubeconfig, web: Chart, backend: str) -> None:
    releases, name = Releases(kubeconfig, with_backend=backend), f"new-{uuid.uuid4().hex[:8]}"
    with pytest.raises(ReleaseError, match="the namespace is not there") as refused:
        releases.install("demo", web, namespace=name)
    assert "--create-namespace" in refused.value.fix
    releases.install("demo", web, namespace=name, create_namespace=True)
    assert (name, "demo") in {(each.namespace, each.name) for each in releases.list(all_namespaces=True)}


@both
def test_what_cannot_be_is_said_with_a_fix(
    releases: Releases, cluster, namespace: str, web: Chart, make_chart
) -> None:
    with pytest.raises(ReleaseNotFound, match=f"release demo in namespace {namespace}"):
        releases.status("demo")
    with pytest.raises(ReleaseNotFound):
        releases.uninstall("demo")
    releases.install("demo", web)
    with pytest.raises(ReleaseError, match="is there already") as taken:
        releases.install("demo", web)
    assert f"labkit release upgrade demo -n {namespace}" in taken.value.fix
    with pytest.raises(ReleaseNotFound):
        releases.rollback("demo", 7)
    with pytest.raises(ReleaseError, match="one revision only"):
        releases.rollback("demo")
    with pytest.raises(ReleaseError, match="belongs to something else"):
        releases.install("other", broken(web, CONFIG.replace("{{ .Release.Name }}", "demo", 1)))
    library = make_chart({"Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n"}, "lib")
    with pytest.raises(ChartError, match="library chart"):
        releases.install("lib", Chart(library))


@both
def test_a_template_s_and_a_value_s_mistake_is_said_as_rendering_says_it(releases, web: Chart) -> None:
    with pytest.raises(ValuesError, match=r"`colour` \(--set colour=pink\)"):
        releases.install("demo", web, Given(set=["colour=pink"]))
    with pytest.raises(RenderError, match=r"extra.yaml:1.*no function 'qoute'"):
        releases.install("demo", broken(web, "{{ .Values.colour | qoute }}"))
    assert releases.list(every_status=True) == []


@both
def test_a_schema_does_not_make_helm_read_files_or_ask_the_web(releases, web: Chart) -> None:
    schema = web.path / "values.schema.json"
    elsewhere = ChartServer(files={"/schema.json": b"{}"})
    elsewhere.port, stop = run_server(elsewhere)
    schema.write_text(json.dumps({"$ref": f"{elsewhere.url}/schema.json"}))
    made = releases.install("demo", web)
    stop()
    assert elsewhere.asked == []
    assert "this schema refers to" in made.warnings[0]
    schema.write_text('{"$ref": "file:///etc/hostname"}')
    with pytest.raises(ChartError, match="files outside a chart are never read"):
        releases.upgrade("demo", web)


@both
def test_a_cluster_that_does_not_answer_is_said(tmp_path: Path, web: Chart, backend: str) -> None:
    with pytest.raises(ReleaseError, match="no kubeconfig"):
        Releases(tmp_path / "none").list()
    gone = tmp_path / "gone"
    gone.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "clusters: [{name: x, cluster: {server: 'http://127.0.0.1:9'}}]\nusers: [{name: x, user: {}}]\n"
    )
    with pytest.raises(ReleaseError, match="the cluster does not answer"):
        Releases(gone, with_backend=backend).install("demo", web)


@both
def test_a_template_that_reused_values_break_is_told_as_rendering_tells_it(
    releases: Releases, web: Chart
) -> None:
    """The new chart's default of ``image.tag`` is not among the values that were kept."""
    releases.install("demo", web)
    values = web.path / "values.yaml"
    values.write_text(values.read_text() + "image:\n  tag: latest\n")
    broken(
        web, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {tag: {{ .Values.image.tag }}}\n"
    )
    with pytest.raises(RenderError) as told:
        releases.upgrade("demo", web, Given(set=["colour=red"]), values_from="reuse")
    assert told.value.where.endswith("templates/extra.yaml:4:22")
    assert "`.Values.image` has no value" in told.value.problem
    assert "reset-then-reuse" in told.value.fix


@pytest.mark.parametrize("how", ["reset", "reset-then-reuse"])
def test_reused_values_are_no_reason_where_the_new_defaults_count(
    releases: Releases, web: Chart, how
) -> None:
    releases.install("demo", web)
    broken(web, "tag: {{ .Values.image.tag }}\n")
    with pytest.raises(RenderError) as told:
        releases.upgrade("demo", web, values_from=how)
    assert "--reset-then-reuse-values" not in told.value.fix
