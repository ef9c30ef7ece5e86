"""``labkit release``: a release's life on the command line, and the same in a notebook."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.cli import frame
from labkit.cli.release.options import seconds
from labkit.cli.session import session
from labkit.cluster import provider
from labkit.errors import ReleaseError, ReleaseNotFound
from labkit.helm.releases import Releases
from labkit.lab.chart_sources import ChartSources
from labkit.lab.charts import Charts
from labkit.lab.releases import LabReleases
from labkit.settings import Settings


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A lab folder with a cluster, and without a service: releases need none."""
    folder = tmp_path_factory.mktemp("lab")
    settings = Settings.create(folder / "lab")
    sandboxes = provider("sandbox", folder / "clusters")
    sandboxes.create("home")
    shutil.copy(sandboxes.kubeconfig("home"), settings.kubeconfig)
    Charts(settings.charts).create("web")
    yield settings.home
    sandboxes.delete("home")


@pytest.fixture
def release(lab: Path, monkeypatch, capsys):
    monkeypatch.setattr(session, "lab", None)
    monkeypatch.chdir(lab)

    def run(*arguments: object, code: int = 0) -> str:
        capsys.readouterr()
        found = frame.run(["release", *map(str, arguments)])
        said = capsys.readouterr()
        assert found == code, said.out + said.err
        return said.out if code != 1 or not said.err else said.err

    return run


def test_a_release_lives_on_the_command_line(release) -> None:
    space = ("-n", "shop")
    assert "labkit release" not in release("list", *space)
    missing = release("install", "shop", "charts/web", *space, code=1)
    assert "Fix: add --create-namespace" in missing
    made = release(
        "install", "shop", "charts/web", *space, "--create-namespace", "--wait", "--timeout", "60s"
    )
    assert "STATUS: deployed\nREVISION: 1\n" in made
    assert "NOTES:\n" in made
    changed = release("diff", "shop", *space, "--chart", "charts/web", "--set", "colour=red", code=1)
    assert "+  COLOUR: red" in changed
    release("upgrade", "shop", "charts/web", *space, "--set", "colour=red", "--description", "as was asked")
    (found,) = json.loads(release("list", "-A", "-o", "json"))
    assert (found["name"], found["namespace"], found["revision"], found["chart"]) == (
        "shop",
        "shop",
        2,
        "web-0.1.0",
    )
    assert release("get", "values", "shop", *space) == "colour: red\n"
    assert 'COLOUR: "red"' in release("get", "manifest", "shop", *space)
    everything = release("get", "all", "shop", *space)
    for part in (
        "REVISION: 2",
        "USER-SUPPLIED VALUES:\ncolour: red\n",
        "COMPUTED VALUES:\n",
        "HOOKS:\n",
        "NOTES:\n",
    ):
        assert part in everything
    assert everything.index("MANIFEST:\n---\n# Source: web/") > everything.index("HOOKS:\n")
    assert "REVISION: 1\n" in release("get", "all", "shop", "--revision", "1", *space)
    assert "+  COLOUR: red" in release("diff", "shop", "1", "2", *space, code=1)
    would = release("rollback", "shop", "--dry-run", *space)
    assert "REVISION: 1\n" in would
    assert 'COLOUR: "blue"' in would.partition("MANIFEST:")[2]
    assert "revision 3: Rollback to 1" in release("rollback", "shop", *space)
    rows = [line.split() for line in release("history", "shop", *space).splitlines()[1:]]
    assert [(row[0], row[2]) for row in rows] == [("1", "superseded"), ("2", "superseded"), ("3", "deployed")]
    assert release("hist", "shop", *space) == release("history", "shop", *space)
    assert release("uninstall", "shop", *space) == 'release "shop" uninstalled\n'
    gone = release("status", "shop", *space, code=1)
    assert "there is no such release" in gone


def test_ctrl_c_says_how_the_release_is_found_again(lab: Path, release, clean_environment) -> None:
    chart = lab / "charts" / "never"
    shutil.copytree(Path(__file__).parents[2] / "charts" / "broken" / "no-such-image", chart)
    command = [sys.executable, "-m", "labkit.cli", "release", "install", "long", str(chart), "--wait"]
    environment = clean_environment | {"PYTHONPATH": str(Path(__file__).parents[2])}
    releases = Releases(Settings(lab).kubeconfig)
    with subprocess.Popen(command, cwd=lab, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while [each.status for each in releases.list(every_status=True)] != ["pending-install"]:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, "labkit release status long -n default" in said) == (130, True)
    again = release("upgrade", "long", chart, code=1)
    assert "an operation on it has not ended" in again
    assert "labkit release uninstall long" in again
    release("uninstall", "long")


def test_a_dry_run_shows_the_manifest_and_installs_nothing(release) -> None:
    for form in (["dry", "charts/web", "--dry-run", "server"], ["--dry-run", "dry", "charts/web"]):
        assert "MANIFEST:\n---\n# Source: web/templates/" in release("install", *form)
    assert "dry" not in release("list", "-A", "-a")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("install", "Shop", "charts/web"), "'Shop' cannot be the name of a release"),
        (("install", "shop", "charts/web", "--dry-run=yes"), "'yes' is no kind of dry run"),
        (("install", "shop", "charts/web", "--timeout", "soon"), "'soon' is no duration"),
        (("upgrade", "shop", "charts/web", "--reset-values", "--reuse-values"), "exclude each other"),
        (("diff", "shop"), "labkit release diff shop 1 2"),
        (("install", "shop", "charts/nothing"), "no chart repository is named 'charts'"),
    ],
)
def test_a_mistake_is_said_with_a_fix(release, arguments, said: str) -> None:
    told = release(*arguments, code=1)
    assert said in told
    assert "Fix: " in told


@pytest.mark.parametrize(
    ("text", "wanted"), [("5m0s", 300), ("90s", 90), ("1h30m", 5400), ("1.5s", 1.5), ("7", 7)]
)
def test_durations_are_go_s(text: str, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="is no duration"):
        seconds(text)


def test_a_release_lives_in_a_notebook(lab: Path) -> None:
    settings = Settings(lab)
    releases = LabReleases(settings.kubeconfig, ChartSources(settings))
    chart = Charts(settings.charts)["web"]
    made = releases.install("note", chart, namespace="book", values={"colour": "green"})
    assert repr(made) == "note 1  deployed  web-0.1.0"
    assert made.values() == {"colour": "green"}
    assert made.values(computed=True)["replicaCount"] == 2
    (coming,) = [each for each in made.preview(chart, set=["colour=red"]) if each.key.kind == "ConfigMap"]
    assert "+  COLOUR: red" in coming.text
    made.upgrade(chart, values={"colour": "red"}).rollback(1)
    assert [each.status for each in made.history] == ["superseded", "superseded", "deployed"]
    assert "<table" in made.history._repr_html_()
    assert "Rollback to 1" in made._repr_html_()
    changed = made.diff(1, 2)
    assert "COLOUR: red" in changed._repr_html_()
    assert releases["book/note"].status().revision == 3
    assert "note" in repr(releases)
    assert [each.name for each in releases] == ["note"]
    made.uninstall()
    with pytest.raises(ReleaseNotFound):
        releases.get("note", "book")


def test_the_umbrella_s_dependencies_are_built_and_it_is_released(lab: Path) -> None:
    settings = Settings(lab)
    shutil.copytree(Path(__file__).parents[2] / "charts", lab / "more")
    charts = Charts(lab / "more", ChartSources(settings))
    store = charts["store"]
    assert [each.status for each in charts.dependencies(store).standing()] == ["missing"] * 3
    charts.dependencies(store).build()
    made = LabReleases(settings.kubeconfig, ChartSources(settings)).install(
        "shop", store, namespace="umbrella"
    )
    assert made.notes.strip() == "shop is open 9:00-18:00: a front."
    made.uninstall()
