"""``labkit chart``: packed, pushed, pulled, searched and depended upon, as ``helm`` has it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from chart_server import USER, ChartServer, archives
from serving import run_server
from starlette.applications import Starlette
from starlette.routing import Mount

from labkit.cli import frame
from labkit.cli.session import session
from labkit.forge.charts import chart_apps
from labkit.git import Credential
from labkit.settings import Settings

LOGIN = Credential("trainee", "the-lab-s-token")


@pytest.fixture
def serve():
    stops = []

    def start(app) -> int:
        port, stop = run_server(app)
        stops.append(stop)
        return port

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def server(tmp_path: Path, serve) -> ChartServer:
    made = ChartServer(login=USER)
    made.port = serve(made)
    made.publish(archives(tmp_path, ["0.1.0", "0.2.0", "1.0.0-rc.1"]))
    return made


@pytest.fixture
def registry(tmp_path: Path, serve) -> str:
    apps = chart_apps(tmp_path / "registry", tmp_path / "repos", credentials=[LOGIN])
    return f"127.0.0.1:{serve(Starlette(routes=[Mount('/v2', app=apps['/v2'])]))}"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return Settings.create(tmp_path / "lab").home


@dataclass
class Done:
    """What one command did: in this process, because the line of a command's own process is tested elsewhere."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def chart(lab: Path, monkeypatch, capsys) -> Callable[..., Done]:
    monkeypatch.setattr(session, "lab", None)

    def run(*arguments: object, stdin: str = "", cwd: Path = lab) -> Done:
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = frame.run(["chart", *map(str, arguments)])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def test_a_named_repository_is_searched_and_pulled_from(chart, server: ChartServer, lab: Path) -> None:
    refused = chart("repo", "add", "team", server.url)
    assert (refused.returncode, "wants a login" in refused.stderr) == (1, True)
    login = ("--username", USER.username, "--password-stdin")
    added = chart("repo", "add", "team", server.url, *login, stdin=f"{USER.password}\n")
    assert added.stdout == f'"team" has been added: {server.url}\n', added.stderr
    assert server.url in chart("repo", "list").stdout
    assert USER.password not in chart("repo", "list", "-o", "json").stdout
    found = chart("search", "web", "-o", "json")
    assert [(each["name"], each["version"]) for each in json.loads(found.stdout)] == [("team/web", "0.2.0")]
    assert len(chart("search", "--devel", "-l").stdout.splitlines()) == 4
    pulled = chart("pull", "team/web", "--version", "0.1.x", "-d", "got", "--untar")
    assert pulled.stdout == "Pulled: got/web\n", pulled.stderr
    assert "version: 0.1.0" in (lab / "got" / "web" / "Chart.yaml").read_text()
    assert "seen: 0.2.0" in chart("show", "values", "team/web").stdout
    assert "it: '0.2.0'" in chart("template", "demo", "team/web").stdout
    compared = chart("diff", "team/web", "--old-version", "0.1.0", "--version", "0.2.0")
    assert (compared.returncode, "-  it: 0.1.0\n+  it: 0.2.0\n" in compared.stdout) == (1, True), (
        compared.stderr
    )
    assert chart("repo", "remove", "team").returncode == 0
    gone = chart("pull", "team/web")
    assert "labkit chart repo add team URL" in gone.stderr


def test_a_packed_chart_goes_to_a_registry_and_comes_back(chart, registry: str, lab: Path, tmp_path) -> None:
    (packed,) = archives(tmp_path / "own", ["0.3.0+7"])
    refused = chart("push", packed, f"oci://{registry}/team")
    assert f"labkit chart registry login {registry}" in refused.stderr
    wrong = chart("registry", "login", registry, "-u", "trainee", "--password-stdin", stdin="no\n")
    assert wrong.returncode == 1
    given = chart(
        "registry", "login", registry, "-u", "trainee", "--password-stdin", stdin=f"{LOGIN.password}\n"
    )
    assert given.stdout == "Login Succeeded\n", given.stderr
    assert (lab / ".lab" / "registry-logins.json").stat().st_mode & 0o077 == 0
    pushed = chart("push", packed, f"oci://{registry}/team")
    assert pushed.stdout.startswith(f"Pushed: {registry}/team/web:0.3.0_7\nDigest: sha256:")
    assert "version: 0.3.0+7" in chart("show", "chart", f"oci://{registry}/team/web").stdout
    assert (
        chart("pull", f"oci://{registry}/team/web", "--version", "~0.3").stdout == "Pulled: web-0.3.0+7.tgz\n"
    )
    assert (lab / "web-0.3.0+7.tgz").read_bytes() == packed.read_bytes()
    chart("registry", "logout", registry)
    assert chart("pull", f"oci://{registry}/team/web").returncode == 1


def test_the_lab_s_own_registry_needs_no_login(chart, lab: Path, tmp_path: Path, serve) -> None:
    settings = Settings(lab)
    own = Credential("trainee", settings.token())
    apps = chart_apps(settings.registry, settings.chart_repositories, credentials=[own])
    port = serve(Starlette(routes=[Mount("/v2", app=apps["/v2"])]))
    settings.remember(port=port)
    (packed,) = archives(tmp_path / "own", ["0.3.0"])
    assert chart("push", packed, f"oci://127.0.0.1:{port}/team").returncode == 0
    assert chart("pull", f"oci://localhost:{port}/team/web").stdout == "Pulled: web-0.3.0.tgz\n"


def test_dependencies_are_updated_built_and_listed(chart, server: ChartServer, lab: Path) -> None:
    parent = lab / "charts" / "shop"
    parent.mkdir()
    needs = f"dependencies: [{{name: web, version: ^0.1, repository: '{server.url}'}}]\n"
    (parent / "Chart.yaml").write_text(f"apiVersion: v2\nname: shop\nversion: 0.1.0\n{needs}")
    assert chart("dependency", "list", parent).stdout.splitlines()[1].split()[-1] == "missing"
    assert "labkit chart dependency build" in chart("template", "demo", parent).stderr
    login = ("--username", USER.username, "--password", USER.password)
    updated = chart("dependency", "update", parent, *login)
    assert updated.stdout.splitlines()[0].split() == ["web", "0.1.0", server.url], updated.stderr
    assert chart("dependency", "list", parent).stdout.splitlines()[1].split()[-1] == "ok"
    assert "it: '0.1.0'" in chart("template", "demo", parent).stdout
    server.asked.clear()
    assert chart("dependency", "build", parent, *login).returncode == 0


def test_a_folder_of_archives_is_indexed(chart, lab: Path, tmp_path: Path) -> None:
    folder = archives(tmp_path / "own", ["0.1.0", "0.2.0"])[0].parent
    indexed = chart("repo", "index", folder, "--url", "https://example.org/charts")
    assert indexed.stdout == f"{folder}/index.yaml: 1 charts, 2 versions\n"
    assert "https://example.org/charts/web-0.2.0.tgz" in (folder / "index.yaml").read_text()


def test_outside_of_a_lab_folder_charts_are_pulled_all_the_same(chart, server, tmp_path: Path) -> None:
    server.login = None
    outside = tmp_path / "outside"
    outside.mkdir()
    assert chart("pull", "web", "--repo", server.url, cwd=outside).stdout == "Pulled: web-0.2.0.tgz\n"
    assert "not a lab folder" in chart("repo", "add", "team", server.url, cwd=outside).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pull", "nowhere"), "no chart at this path"),
        (("pull", "team/web"), "no chart repository is named 'team'"),
        (("show", "colour", "."), "no part 'colour'"),
        (("repo", "add", "x", "oci://127.0.0.1:9/x"), "a registry has no index"),
        (("registry", "logout", "127.0.0.1:9"), "nobody is logged in"),
        (("registry", "login", "127.0.0.1:9/team"), "for a whole registry"),
        (("push", "none.tgz", "oci://127.0.0.1:9/x"), "cannot be read"),
    ],
)
def test_a_mistake_is_said_with_a_fix(chart, arguments, said: str) -> None:
    done = chart(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Fix: " in done.stderr
