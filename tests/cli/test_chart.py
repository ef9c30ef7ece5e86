"""``labkit chart``: Helm's commands on files, without a lab."""

from __future__ import annotations

import subprocess
import sys
import tarfile

import pytest

from labkit.cli import frame
from labkit.cli.session import session


@pytest.fixture
def run(tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "labkit.cli", "chart", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


@pytest.fixture
def chart(tmp_path, monkeypatch, capsys):
    """The same in this process: no second for Python to start."""
    monkeypatch.setattr(session, "lab", None)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        found = frame.run(["chart", *arguments])
        said = capsys.readouterr()
        assert found == code, said.out + said.err
        return said.err if code and said.err else said.out

    return run


def test_a_new_chart_is_clean_renders_and_packs(run, tmp_path):
    assert run("create", "web").returncode == 0
    linted = run("lint", "web")
    assert linted.returncode == 0
    assert linted.stdout.endswith("web: nothing to mend\n")
    rendered = run("template", "shop", "web", "--set", "colour=red", "-n", "shop")
    assert rendered.returncode == 0, rendered.stderr
    assert 'COLOUR: "red"' in rendered.stdout
    assert "# Source: web/templates/service.yaml" in rendered.stdout
    assert "saved it to: web-0.1.0.tgz" in run("package", "web").stdout
    with tarfile.open(tmp_path / "web-0.1.0.tgz") as archive:
        assert "web/Chart.yaml" in archive.getnames()


def test_one_template_alone(run):
    run("create", "web")
    rendered = run("template", "shop", "web", "--show-only", "templates/service.yaml")
    assert "kind: Service" in rendered.stdout
    assert "kind: Deployment" not in rendered.stdout
    missing = run("template", "shop", "web", "-s", "templates/none.yaml")
    assert missing.returncode == 1
    assert "templates/deployment.yaml" in missing.stderr


def test_a_mistake_is_named_with_file_line_and_fix(run, tmp_path):
    run("create", "web")
    file = tmp_path / "web" / "templates" / "configmap.yaml"
    file.write_text(file.read_text().replace("| quote", "| qoute", 1))
    for command in (("lint", "web"), ("template", "shop", "web")):
        said = run(*command)
        assert said.returncode == 1
        text = said.stdout + said.stderr
        assert "templates/configmap.yaml:10" in text
        assert "did you mean `quote`?" in text


def test_a_value_is_traced_to_what_set_it(run):
    run("create", "web")
    said = run("explain", "web", "colour", "--set", "colour=red").stdout
    assert "'red'" in said.splitlines()[0]
    assert "values.yaml:" in said
    assert "--set colour=red" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "Web X"), "lower-case"),
        (("lint", "nowhere"), "there is no chart at this path"),
        (("template", "shop", "nowhere"), "there is no chart at this path"),
    ],
)
def test_what_makes_no_sense_is_said(run, arguments, said):
    answer = run(*arguments)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_chart_is_never_overwritten(run, tmp_path):
    run("create", "web")
    (tmp_path / "web" / "values.yaml").write_text("mine: true\n")
    assert run("create", "web").returncode == 1
    assert (tmp_path / "web" / "values.yaml").read_text() == "mine: true\n"


def test_a_template_is_rendered_for_the_cluster_that_is_named(run, tmp_path):
    run("create", "web")
    template = tmp_path / "web" / "templates" / "seen.yaml"
    template.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\ndata:\n"
        "  version: {{ .Capabilities.KubeVersion.Version | quote }}\n"
        '  has: {{ .Capabilities.APIVersions.Has "shop.example.org/v1" | quote }}\n'
        "  upgrade: {{ .Release.IsUpgrade | quote }}\n  message: {{ .Values.message | quote }}\n"
    )
    (tmp_path / "text").write_text("from a file")
    flags = [
        "--kube-version",
        "1.31.0",
        "-a",
        "shop.example.org/v1",
        "--is-upgrade",
        "--set-file",
        "message=text",
    ]
    seen = run("template", "shop", "web", "-s", "templates/seen.yaml", "--notes", *flags)
    for line in ('version: "v1.31.0"', 'has: "true"', 'upgrade: "true"', 'message: "from a file"', "NOTES:"):
        assert line in seen.stdout, seen.stderr


def test_what_helm_s_users_leave_out_may_be_left_out(chart, tmp_path):
    chart("create", "web")
    assert "name: release-name-web\n" in chart("template", "web")
    schema = tmp_path / "web" / "values.schema.json"
    schema.write_text('{"required": ["licence"]}')
    assert "`(all values)`: missing property 'licence'" in chart("template", "web", code=1)
    hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {helm.sh/hook: pre-install}}\n"
    (tmp_path / "web" / "templates" / "hook.yaml").write_text(hook)
    assert "helm.sh/hook" in chart("template", "web", "--skip-schema-validation")
    without = chart("template", "web", "--skip-schema-validation", "--no-hooks")
    assert "kind: Deployment" in without
    assert "helm.sh/hook" not in without
    said = chart("lint", "web", "--set-string", "licence=1", "--kube-version", "1.31.0", "-n", "shop")
    assert said.endswith("web: nothing to mend\n")
    assert "--set-json replicaCount=3" in chart(
        "explain", "web", "replicaCount", "--set-json", "replicaCount=3"
    )
    assert "name: web\n" in chart("inspect", "chart", "web")


def test_a_chart_is_packaged_under_another_version_with_its_dependencies(chart, tmp_path):
    chart("create", "jam")
    chart("create", "web")
    own = tmp_path / "web" / "Chart.yaml"
    own.write_text(
        f"{own.read_text()}dependencies:\n- {{name: jam, version: 0.x, repository: 'file://../jam'}}\n"
    )
    said = own.read_text()
    made = chart("package", "web", "-u", "--version", "1.2.3-rc.1", "--app-version", "7", "-d", "out")
    assert made.endswith("out/web-1.2.3-rc.1.tgz\n")
    with tarfile.open(tmp_path / "out" / "web-1.2.3-rc.1.tgz") as archive:
        assert "web/charts/jam/Chart.yaml" in archive.getnames()
    assert chart("dep", "ls", "web") == chart("dependency", "list", "web")
    assert chart("dep", "ls", "web").split()[4:] == ["jam", "0.x", "file://../jam", "ok"]
    shown = chart("show", "chart", "out/web-1.2.3-rc.1.tgz")
    assert "version: 1.2.3-rc.1\n" in shown
    assert 'appVersion: "7"\n' in shown
    assert own.read_text() == said
    assert "'soon' is no semantic version" in chart("package", "web", "--version", "soon", code=1)


def test_two_charts_and_two_sets_of_values_are_compared(chart, tmp_path):
    chart("create", "web")
    chart("package", "web")
    (tmp_path / "dev.yaml").write_text("colour: green\n")
    (tmp_path / "live.yaml").write_text("colour: red\n")
    file = tmp_path / "web" / "templates" / "service.yaml"
    file.write_text(file.read_text().replace("name: http", "name: web"))

    def told(*arguments: str) -> list[str]:
        said = chart("diff", *arguments, code=1).splitlines()
        return [line.strip() for line in said if line.startswith(("=", "+", "-")) and "checksum" not in line]

    versions = told("web-0.1.0.tgz", "web", "-f", "live.yaml", "--name", "shop")
    assert versions[0] == "===== Service shop-web changed (templates/service.yaml)"
    assert not [line for line in versions if "COLOUR" in line]
    assert "+  COLOUR: red" in told("web", "-f", "live.yaml")
    both = told("web", "--old-values", "dev.yaml", "-f", "live.yaml")
    assert {"-  COLOUR: green", "+  COLOUR: red"} <= set(both)
    assert chart("diff", "web", "web") == ""
    assert "a difference is between two things" in chart("diff", "web", code=1)
