"""What a person gets wrong on the command line: each mistake is answered with its place and the way on.

A row is a command line, the exit code, and the words that must be in the answer. No row ends with a traceback, and none
changes anything that a later row would see.
"""

from __future__ import annotations

import shlex

import pytest

from labkit.cli import frame
from labkit.cli.session import session
from labkit.lab import Lab
from labkit.settings import Settings

pytestmark = pytest.mark.timeout(180)

FILES = {
    "broken.yaml": "a: [",
    "number.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: q}\nspec: 7\n",
    "both.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: q}\nspec:\n"
    "  source: {repoURL: shop, path: web}\n  destination: {namespace: q, server: 'https://a', name: b}\n",
    "other.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: q}\n",
}

ROWS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    # names and arguments
    ("nosuch", 2, ("No such command 'nosuch'",)),
    ("app nosuch", 2, ("No such command 'nosuch'",)),
    ("app create", 1, ("the application needs a name", "labkit app create NAME --repo URL")),
    ("app create UPPER --repo shop --path web", 1, ("an application cannot be called 'UPPER'", "RFC 1123")),
    ("app create x --repo nosuch --path web", 1, ("no repository 'nosuch'", "There are: shop")),
    ("app create x --repo shop --sync-policy always", 2, ("--sync-policy", "automated")),
    ("app create x --repo shop --sync-option CreateNamespaces=true", 1, ("Did you mean CreateNamespace?",)),
    ("app create x --repo shop --sync-option CreateNamespace", 1, ("is not NAME=VALUE",)),
    ("app create x --repo shop --helm-set image", 1, ("--helm-set", "replicas=2")),
    ("app create x --repo shop --path nosuch", 1, ("nosuch",)),
    ("app create x --repo shop --path ../etc", 1, ("../etc",)),
    ("app create x --repo shop --path web --revision nosuch", 1, ("no branch, tag or commit 'nosuch'",)),
    ("app create x --repo shop --path web --project nosuch", 1, ("spec.project", "There are: default")),
    ("app create x --repo shop --path web --dest-name nosuch", 1, ("nosuch",)),
    ("app create x --repo shop --path web --dest-server https://nowhere:1", 1, ("https://nowhere:1",)),
    ("app create x --repo shop --path web --values nosuch.yaml", 1, ("nosuch.yaml", "valueFiles[0]")),
    ("app create x --repo ftp://a/b --path web", 1, ("ftp",)),
    ("app create shop --repo shop --path .", 1, ("already, with another spec", "--upsert")),
    ("app create -f nosuch.yaml", 1, ("nosuch.yaml: No such file", "Check the path")),
    ("app create -f broken.yaml", 1, ("broken.yaml:2: not valid YAML", "Look at this line")),
    ("app create -f number.yaml", 1, ("spec: a mapping is wanted, not 7",)),
    ("app create -f both.yaml", 1, ("spec.destination", "Keep one of them")),
    ("app create -f other.yaml", 1, ("0 Applications in this file",)),
    ("app create -f .", 1, ("Name a file",)),
    ("app set shop", 1, ("nothing to change was named",)),
    ("app set nosuch --revision main", 1, ("no application 'nosuch'", "There are: shop")),
    ("app get shop -o jsonpath", 2, ("'jsonpath' is not one of",)),
    ("app list --selector ===", 1, ("found '==', expected: !, identifier",)),
    # what an application is asked to do
    ("app sync nosuch", 1, ("no application 'nosuch'",)),
    ("app sync shop --resource Deployment", 1, ("GROUP:KIND:NAME",)),
    (
        "app sync shop --resource apps:Deployment:wbe",
        1,
        ("No matching app resources", "apps:Deployment:shop-web"),
    ),
    ("app sync shop --plan nosuch.json", 1, ("nosuch.json: No such file", "Check the path")),
    ("app sync shop --plan broken.yaml", 1, ("broken.yaml: it is no plan", "--out FILE")),
    ("app wait shop --resource apps:Deployment:wbe", 1, ("No matching app resources",)),
    ("app sync shop --timeout -3", 2, ("--timeout",)),
    ("app wait shop --timeout many", 2, ("--timeout", "number")),
    ("app wait", 2, ("APPNAME",)),
    ("app rollback shop 99", 1, ("the history has no entry 99", "It has: none")),
    ("app rollback shop abc", 2, ("integer",)),
    ("app terminate-op shop", 1, ("no operation is running",)),
    ("app delete nosuch --yes", 1, ("no application 'nosuch'",)),
    ("app delete shop", 1, ("--yes",)),
    ("app sync shop --revision zzz --timeout 60", 1, ("no branch, tag or commit 'zzz'", "Did you mean main")),
    # repositories, pull requests, clusters
    ("repo create ../x", 1, ("cannot be a repository's name", "letters, digits")),
    ("repo create shop", 1, ("There is a repository 'shop' already",)),
    ("repo delete nosuch --yes", 1, ("no repository 'nosuch'",)),
    ("repo protect nosuch", 1, ("no repository 'nosuch'",)),
    ("pr view 7 --repo shop", 1, ("7",)),
    ("cluster create in-cluster", 1, ("Argo CD's name", "another name")),
    ("cluster create Bad_Name", 1, ("lower-case letters",)),
    ("cluster delete nosuch --yes", 1, ("no cluster 'nosuch'", "There are:")),
    ("cluster restore nosuch --yes", 1, ("nosuch",)),
    ("cluster snapshot ../x", 1, ("a snapshot cannot be called '../x'",)),
    ("cluster snapshot Bad_Name", 1, ("a snapshot cannot be called",)),
    ("kubeconfig nosuch", 1, ("no cluster 'nosuch'",)),
    ("up --cluster kind", 1, ("is running with the cluster 'sandbox'", "labkit down")),
    ("export argocd charts", 1, ("the folder is not empty", "--force")),
    # charts
    ("chart create Bad_Name", 1, ("cannot be the name of a chart", "my-app")),
    ("chart create charts/web", 1, ("already there",)),
    ("chart lint nosuch", 1, ("there is no chart at this path",)),
    ("chart lint .", 1, ("there is no Chart.yaml",)),
    ("chart template web charts/web --set a[", 1, ("--set a[",)),
    ("chart template web charts/web --set-json a={", 1, ("not JSON",)),
    ("chart template web charts/web -f nosuch.yaml", 1, ("nosuch.yaml",)),
    ("chart template web charts/web --set nosuch=1", 1, ("values.schema.json", "correct their spelling")),
    ("chart template web charts/web --kube-version abc", 1, ('"abc"', "--kube-version 1.33.0")),
    ("chart template Bad_Name charts/web", 1, ("cannot be the name of a release",)),
    ("chart template web http://127.0.0.1:1/x.tgz", 1, ("labkit chart repo add",)),
    ("chart template web nosuch/chart", 1, ("no chart repository is named 'nosuch'",)),
    ("chart push charts/web oci://127.0.0.1:1/x", 1, ("labkit chart package",)),
    ("chart push nosuch.tgz oci://127.0.0.1:1/x", 1, ("nosuch.tgz", "check the path")),
    ("chart pull oci://127.0.0.1:1/x/y", 1, ("cannot be reached",)),
    ("chart repo add x ftp://y", 1, ("not by 'ftp'",)),
    ("chart repo add x http://127.0.0.1:1", 1, ("cannot be reached",)),
    ("chart verify nosuch.tgz", 1, ("nosuch.tgz",)),
    # releases
    ("release install Bad_Name charts/web", 1, ("cannot be the name of a release",)),
    ("release install web nosuch", 1, ("there is no chart at this path",)),
    ("release install web charts/web -n nosuch", 1, ("--create-namespace",)),
    ("release install web charts/web --timeout abc", 1, ("no duration", "5m0s")),
    ("release upgrade nosuch charts/web", 1, ("has no deployed releases", "--install")),
    ("release rollback nosuch 1", 1, ("there is no such release",)),
    ("release get values nosuch", 1, ("there is no such release",)),
    ("release diff nosuch", 1, ("two things", "--chart CHART")),
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    settings = Settings.create(tmp_path_factory.mktemp("lab"))
    with Lab(settings.home) as made:
        copy = made.repos.create("shop").clone()
        made.charts.create("web", folder=copy.path)
        copy.add().commit("Version 1")
        copy.push()
        made.charts.create("web")
        made.apps.create("shop", repo="shop", path="web").refresh()
        for name, text in FILES.items():
            (settings.home / name).write_text(text, encoding="utf-8")
        yield made
    made.stop()


@pytest.mark.parametrize(("line", "code", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_a_mistake_is_answered(line, code, words, lab, monkeypatch, capsys):
    monkeypatch.setattr(session, "lab", None)
    monkeypatch.chdir(lab.home)
    found = frame.run(shlex.split(line))
    said = capsys.readouterr()
    answer = f"{said.out}{said.err}"
    assert found == code, answer
    assert "a mistake in labkit itself" not in answer
    for each in words:
        assert each in answer
    if code == 1:
        assert "Fix: " in answer


@pytest.mark.parametrize("line", ["status", "app list", "--lab nosuch app list", "release list"])
def test_outside_of_a_lab_folder_it_says_how_to_make_one(line, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(session, "lab", None)
    monkeypatch.delenv("LABKIT_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert frame.run(line.split()) == 1
    assert "labkit init" in capsys.readouterr().err
