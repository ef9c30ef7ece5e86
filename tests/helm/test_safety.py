"""No file outside of a chart is read, whatever the chart says."""

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from labkit.errors import ChartError, HelmError, ValuesError
from labkit.helm import Chart, reading

from .conftest import CHART_YAML, CONFIG_MAP, MakeChart

SECRET = "password: hunter2\n"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "outside" / "secret.yaml"
    file.parent.mkdir()
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize(
    "link", ["templates/a.yaml", "values.yaml", "files/deep/er/x", ".helmignore", "charts/sub", "README.md"]
)
def test_a_link_that_leads_out_is_refused(make_chart: MakeChart, secret: Path, link: str) -> None:
    root = make_chart({"templates/ok.yaml": CONFIG_MAP})
    path = root / link
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(secret.parent if link == "charts/sub" else secret)
    with pytest.raises(ChartError, match="leads out of the chart") as caught:
        Chart.load(root)
    assert caught.value.where == f"{root}/{link}"
    assert "hunter2" not in str(caught.value)


def test_a_link_that_leads_out_by_dots_is_refused(make_chart: MakeChart, secret: Path) -> None:
    root = make_chart({"templates/ok.yaml": CONFIG_MAP})
    (root / "files").mkdir()
    (root / "files" / "x").symlink_to(Path("../../outside/secret.yaml"))
    with pytest.raises(ChartError, match="leads out"):
        Chart(root).render()


def test_a_link_through_a_link_that_leads_out_is_refused(make_chart: MakeChart, secret: Path) -> None:
    root = make_chart({"templates/ok.yaml": CONFIG_MAP})
    (root / "one").symlink_to("two")
    (root / "two").symlink_to(secret)
    with pytest.raises(ChartError, match="leads out"):
        Chart(root).render()


def test_a_link_in_an_ignored_file_s_place_is_refused(make_chart: MakeChart, secret: Path) -> None:
    root = make_chart({"templates/ok.yaml": CONFIG_MAP, ".helmignore": "ignored\n"})
    (root / "ignored").symlink_to(secret)
    with pytest.raises(ChartError, match="leads out"):
        Chart(root).render()


def test_a_chart_that_is_itself_a_link_is_refused(make_chart: MakeChart, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(make_chart())
    with pytest.raises(ChartError, match="the chart's own folder is a symbolic link"):
        Chart.load(link)


def test_a_link_within_the_chart_is_followed(make_chart: MakeChart) -> None:
    root = make_chart(
        {"files/text": "hello", "templates/a.yaml": CONFIG_MAP + 'data: {x: {{ .Files.Get "copy" }}}\n'}
    )
    (root / "copy").symlink_to("files/text")
    assert Chart(root).render().objects[0].obj["data"] == {"x": "hello"}


def test_a_link_within_the_repository_is_followed_where_the_caller_says_so(
    make_chart: MakeChart, tmp_path: Path
) -> None:
    root = make_chart({"templates/a.yaml": CONFIG_MAP}, folder="repo/charts/web")
    (tmp_path / "repo" / "shared.txt").write_text("x")
    (root / "shared.txt").symlink_to("../../shared.txt")
    assert Chart.load(root, inside=tmp_path / "repo").render().objects
    with pytest.raises(ChartError, match="leads out"):
        Chart.load(root)


@pytest.mark.parametrize(
    ("target", "problem"),
    [("loop", "leads nowhere|back to a folder"), (".", "back to a folder"), ("gone", "nowhere")],
)
def test_a_link_that_leads_nowhere_or_in_circles_is_refused(
    make_chart: MakeChart, target: str, problem: str
) -> None:
    root = make_chart()
    (root / "loop").symlink_to(target)
    with pytest.raises(ChartError, match=problem):
        Chart.load(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(make_chart: MakeChart) -> None:
    root = make_chart()
    os.mkfifo(root / "values.yaml")
    with pytest.raises(ChartError, match="neither a file nor a folder"):
        Chart.load(root)


def archive(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            entry = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = b"" if isinstance(content, tarfile.TarInfo) else content
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def link_member(kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo("web/values.yaml")
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry


BAD_ARCHIVES = {
    "dots": archive({"web/Chart.yaml": CHART_YAML.encode(), "web/../../x": b""}),
    "absolute": archive({"web/Chart.yaml": CHART_YAML.encode(), "/etc/x": b""}),
    "backslash": archive({"web/Chart.yaml": CHART_YAML.encode(), "web\\..\\x": b""}),
    "drive": archive({"web/Chart.yaml": CHART_YAML.encode(), "C:/x": b""}),
    "symbolic link": archive({"web/Chart.yaml": CHART_YAML.encode(), "l": link_member(tarfile.SYMTYPE)}),
    "hard link": archive({"web/Chart.yaml": CHART_YAML.encode(), "l": link_member(tarfile.LNKTYPE)}),
    "not an archive": b"PK\x03\x04",
    "cut off": archive({"web/Chart.yaml": CHART_YAML.encode() * 500})[:60],
}


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_an_archive_that_leads_out_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "web-0.1.0.tgz"
    file.write_bytes(BAD_ARCHIVES[kind])
    with pytest.raises(ChartError) as caught:
        Chart.load(file)
    assert str(file) in caught.value.where


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_a_packed_subchart_that_leads_out_is_refused(make_chart: MakeChart, kind: str) -> None:
    root = make_chart({"charts/sub-0.1.0.tgz": BAD_ARCHIVES[kind]})
    with pytest.raises(ChartError) as caught:
        Chart(root).render()
    assert caught.value.where.startswith(f"{root}/charts/sub-0.1.0.tgz")


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 100_000)
    file = tmp_path / "web-0.1.0.tgz"
    file.write_bytes(archive({"web/Chart.yaml": CHART_YAML.encode(), "web/big": bytes(400_000)}))
    with pytest.raises(ChartError, match="unpacks to more than"):
        Chart.load(file)


def test_a_chart_of_too_many_files_is_refused(make_chart: MakeChart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", 10)
    root = make_chart({f"files/{n}": "" for n in range(12)})
    with pytest.raises(ChartError, match="more than 10 files"):
        Chart.load(root)


def test_a_chart_that_is_too_large_is_refused(make_chart: MakeChart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    with pytest.raises(ChartError, match="larger than"):
        Chart.load(make_chart({"files/big": "x" * 2000}))


def test_a_chart_that_is_too_deep_is_refused(make_chart: MakeChart) -> None:
    with pytest.raises(ChartError, match="nested more than"):
        Chart.load(make_chart({"/".join(["d"] * 40) + "/x": ""}))


@pytest.mark.parametrize(
    "reference", ["file:///etc/passwd", "/etc/passwd", "../secret.json", "other.json#/a"]
)
@pytest.mark.parametrize("where", ["values.schema.json", "charts/sub/values.schema.json"])
def test_a_schema_that_refers_to_another_file_is_refused(
    make_chart: MakeChart, where: str, reference: str
) -> None:
    schema = json.dumps({"properties": {"a": {"anyOf": [{"$ref": reference}]}}})
    sub = {"charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 0.1.0\n"}
    root = make_chart({where: schema, "templates/a.yaml": CONFIG_MAP} | sub)
    with pytest.raises(ChartError, match="refers to another file") as caught:
        Chart(root).render()
    assert caught.value.where == f"{root}/{where}"


def test_a_schema_that_needs_the_web_is_left_out_with_a_warning(make_chart: MakeChart) -> None:
    root = make_chart(
        {"values.schema.json": '{"$ref": "http://127.0.0.1:9/x"}', "templates/a.yaml": CONFIG_MAP}
    )
    rendered = Chart(root).render()
    assert rendered.objects
    assert "http://127.0.0.1:9/x" in rendered.warnings[0]


@pytest.mark.parametrize(
    "call",
    [
        '.Files.Get "/etc/passwd"',
        '.Files.Get "../outside/secret.yaml"',
        '(.Files.Glob "../**").AsConfig | quote',
    ],
)
def test_a_template_cannot_read_outside_files(chart: Callable[..., Chart], secret: Path, call: str) -> None:
    rendered = chart(CONFIG_MAP + "data:\n  x: {{ " + call + " }}\n").render()
    assert rendered.objects[0].obj["data"]["x"] in (None, "{}")


def test_a_template_learns_nothing_of_the_environment(chart: Callable[..., Chart]) -> None:
    with pytest.raises(HelmError, match="no function 'env'"):
        chart('a: {{ env "HOME" }}').render()


def test_a_template_asks_no_name_server_and_no_cluster(chart: Callable[..., Chart]) -> None:
    text = 'data:\n  host: "{{ getHostByName "localhost" }}"\n  found: "{{ lookup "v1" "Secret" "" "" }}"\n'
    found = chart(CONFIG_MAP + text).render().objects[0].obj["data"]
    assert found == {"host": "", "found": "map[]"}


@pytest.mark.parametrize("name", [".", "..", "../evil", "a/b", "a\\b", "/abs", "a\nb"])
def test_a_chart_s_name_is_no_path(make_chart: MakeChart, tmp_path: Path, name: str) -> None:
    root = make_chart({"Chart.yaml": f"apiVersion: v2\nname: {json.dumps(name)}\nversion: 0.1.0\n"})
    with pytest.raises(HelmError):
        Chart.load(root).render()
    with pytest.raises(HelmError):
        Chart.load(root).package(tmp_path / "out")
    assert not list((tmp_path / "out").glob("**/*"))


@pytest.mark.parametrize(
    "schema", ['{"$ref": "#"}', '{"allOf": [{"$ref": "#"}]}', '{"not": ' * 9000 + "{}" + "}" * 9000]
)
def test_a_schema_without_an_end_is_refused(make_chart: MakeChart, schema: str) -> None:
    root = make_chart({"values.schema.json": schema, "templates/a.yaml": CONFIG_MAP})
    with pytest.raises(HelmError, match=r"reference cycle|too deeply"):
        Chart(root).render()


def test_a_values_file_outside_of_the_repository_is_refused(
    make_chart: MakeChart, secret: Path, tmp_path: Path
) -> None:
    root = make_chart({"templates/a.yaml": CONFIG_MAP}, folder="repo/web")
    loaded = Chart.load(root, inside=tmp_path / "repo")
    link = tmp_path / "repo" / "values-link.yaml"
    link.symlink_to(secret)
    for file in (secret, root / ".." / ".." / "outside" / "secret.yaml", link):
        with pytest.raises(ValuesError, match="outside of the repository"):
            loaded.render(value_files=[file])
    with pytest.raises(ValuesError, match="outside of the repository"):
        loaded.render(set_file=[f"a={secret}"])


def test_a_values_file_is_read_wherever_it_is_if_the_caller_names_it(
    make_chart: MakeChart, secret: Path
) -> None:
    root = make_chart({"templates/a.yaml": CONFIG_MAP + "data: {x: {{ .Values.password }}}\n"})
    assert Chart(root).render(value_files=[secret]).objects[0].obj["data"] == {"x": "hunter2"}
