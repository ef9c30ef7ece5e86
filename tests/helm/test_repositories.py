"""Charts come from an HTTP repository: by range, checked, kept, and without handing the credential around."""

import io
import tarfile
from pathlib import Path

import pytest
from chart_server import USER, ChartServer, archives
from serving import run_server

from labkit.errors import ChartError, ChartNotFound, ChartRepositoryError, LoginRequired
from labkit.helm import Chart
from labkit.helm.repositories import Access, ChartRepository, unpack
from labkit.helm.repositories.access import locate
from labkit.helm.repositories.index import LARGE, Index, read_index

VERSIONS = ["0.1.0", "0.2.0", "0.2.1", "1.0.0-rc.1"]


@pytest.fixture
def start():
    stops = []

    def serve(server: ChartServer) -> ChartServer:
        server.port, stop = run_server(server)
        stops.append(stop)
        return server

    yield serve
    for stop in stops:
        stop()


@pytest.fixture
def server(start, tmp_path: Path) -> ChartServer:
    made: ChartServer = start(ChartServer())
    made.publish(archives(tmp_path, VERSIONS))
    return made


@pytest.mark.parametrize(
    ("wanted", "version"),
    [("", "0.2.1"), ("0.1.x", "0.1.0"), ("0.2.0", "0.2.0"), (">0.0.0-0", "1.0.0-rc.1"), ("^0.2", "0.2.1")],
)
def test_a_range_means_the_highest_version_in_it(server: ChartServer, wanted: str, version: str) -> None:
    assert ChartRepository(server.url).resolve("web", wanted) == version


def test_all_versions_are_listed_the_highest_first(server: ChartServer) -> None:
    repository = ChartRepository(server.url)
    assert repository.versions("web") == VERSIONS[::-1]
    assert [(each.version, each.app_version) for each in repository.charts()["web"]][1] == ("0.2.1", "7")


def test_a_fetched_chart_is_kept_and_renders(server: ChartServer, tmp_path: Path) -> None:
    repository = ChartRepository(server.url)
    archive = repository.fetch("web", "^0.2", tmp_path / "cache")
    assert archive.name == "web-0.2.1.tgz"
    assert Chart.load(archive).render("demo").objects[0].obj["data"] == {"it": "0.2.1"}
    assert repository.fetch("web", "^0.2", tmp_path / "cache") == archive
    assert [path for path, _ in server.asked].count("/web-0.2.1.tgz") == 1


def test_an_archive_damaged_in_the_cache_is_fetched_again(server: ChartServer, tmp_path: Path) -> None:
    archive = ChartRepository(server.url).fetch("web", "0.2.0", tmp_path)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:100])
    assert ChartRepository(server.url).fetch("web", "0.2.0", tmp_path).read_bytes() == whole


def test_a_new_version_is_seen_and_an_unchanged_index_is_not_sent_again(server, tmp_path: Path) -> None:
    repository = ChartRepository(server.url)
    assert repository.resolve("web", "^0.2") == repository.resolve("web", "^0.2") == "0.2.1"
    server.publish(archives(tmp_path / "more", ["0.2.9"]))
    assert repository.resolve("web", "^0.2") == "0.2.9"


@pytest.mark.parametrize(
    ("chart", "wanted", "said"),
    [
        ("wbe", "", "no chart 'wbe'.*\n.*There are: web"),
        ("web", "^7", "in the range '\\^7'.*\n.*0.2.1, 0.2.0"),
        ("web", "1.x", "in the range '1.x'.*\n.*Pre-releases count only"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(server: ChartServer, chart, wanted, said) -> None:
    with pytest.raises(ChartNotFound, match=said):
        ChartRepository(server.url).resolve(chart, wanted)


def test_a_private_repository_wants_a_login(server: ChartServer, tmp_path: Path) -> None:
    server.login = USER
    with pytest.raises(LoginRequired, match="wants a login"):
        ChartRepository(server.url).resolve("web")
    wrong = Access("ada", "wr0ng-one")
    with pytest.raises(LoginRequired, match="does not accept") as refused:
        ChartRepository(server.url, wrong).resolve("web")
    assert "wr0ng-one" not in str(refused.value)
    assert ChartRepository(server.url, USER).fetch("web", "", tmp_path).name == "web-0.2.1.tgz"


def test_a_credential_in_the_address_is_used_and_never_shown(server: ChartServer) -> None:
    server.login = Access("ada", "w0rd")
    repository = ChartRepository(server.url.replace("://", "://ada:w0rd@"))
    assert repository.resolve("web") == "0.2.1"
    assert "w0rd" not in repr(repository) + repository.url + repr(server.login)
    with pytest.raises(ChartNotFound) as missing:
        repository.resolve("nothing")
    assert "w0rd" not in str(missing.value)


def test_a_redirect_to_another_host_does_not_carry_the_credential(start, server, tmp_path: Path) -> None:
    server.login = USER
    elsewhere = start(ChartServer(files=dict(server.files)))
    server.redirects["/web-0.2.1.tgz"] = f"{elsewhere.url}/web-0.2.1.tgz"
    assert ChartRepository(server.url, USER).fetch("web", "", tmp_path).exists()
    assert elsewhere.asked == [("/web-0.2.1.tgz", "")]


def test_a_redirect_on_the_same_host_keeps_the_credential(server: ChartServer) -> None:
    server.login = USER
    server.redirects["/charts/index.yaml"] = "/index.yaml"
    assert ChartRepository(f"{server.url}/charts/", USER).resolve("web") == "0.2.1"
    assert server.asked[-1] == ("/index.yaml", USER.authorization)


@pytest.mark.parametrize("passed", [False, True])
def test_an_index_that_names_another_host_gets_the_credential_only_if_asked(
    start, server, tmp_path: Path, passed: bool
) -> None:
    elsewhere = start(ChartServer(files=dict(server.files)))
    server.publish(archives(tmp_path / "o", ["3.0.0"]), urls=[f"{elsewhere.url}/web-0.2.1.tgz"], digest="")
    access = Access("ada", "pass", pass_credentials=passed)
    ChartRepository(server.url, access).fetch("web", "", tmp_path)
    assert elsewhere.asked == [("/web-0.2.1.tgz", access.authorization if passed else "")]


def test_redirects_end(server: ChartServer) -> None:
    server.redirects["/index.yaml"] = "/index.yaml"
    with pytest.raises(ChartRepositoryError, match="redirects more than 5 times"):
        ChartRepository(server.url).resolve("web")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_http_is_not_followed(server: ChartServer, target: str) -> None:
    server.redirects["/index.yaml"] = target
    with pytest.raises(ChartRepositoryError, match="which is not followed"):
        ChartRepository(server.url).resolve("web")


def test_an_archive_other_than_the_index_promises_is_refused(server: ChartServer, tmp_path: Path) -> None:
    server.files["/web-0.2.1.tgz"] = server.files["/web-0.1.0.tgz"]
    with pytest.raises(ChartRepositoryError, match="another digest"):
        ChartRepository(server.url).fetch("web", "", tmp_path)
    assert not list(tmp_path.rglob("cache/**/*.tgz"))


def test_a_provenance_file_is_fetched_where_there_is_one(server: ChartServer) -> None:
    server.files["/web-0.2.1.tgz.prov"] = b"signed"
    repository = ChartRepository(server.url)
    assert repository.provenance("web", "") == b"signed"
    assert repository.provenance("web", "0.1.0") is None


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"{", b"entries: [", b"- a", b""])
def test_what_is_no_index_is_said_to_be_none(server: ChartServer, body: bytes) -> None:
    server.files["/index.yaml"] = body
    with pytest.raises(ChartRepositoryError, match="index"):
        ChartRepository(server.url).resolve("web")


def test_an_entry_that_makes_no_sense_does_not_hide_the_others(server: ChartServer) -> None:
    entries = "entries: {web: [{version: 1.x}, 7, {version: 0.3.0, urls: [a.tgz]}], b: 3}"
    server.files["/index.yaml"] = f"apiVersion: v1\n{entries}".encode()
    assert ChartRepository(server.url).versions("web") == ["0.3.0"]


def archive_with(member: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(member)
    return buffer.getvalue()


def test_an_archive_that_leads_out_is_refused_before_it_is_kept(server: ChartServer, tmp_path: Path) -> None:
    link = tarfile.TarInfo("web/values.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for member, said in ((tarfile.TarInfo("../../evil"), "leads out"), (link, "a link among its members")):
        server.publish(archives(tmp_path / said.replace(" ", "-"), ["0.5.0"]), digest="")
        server.files["/web-0.5.0.tgz"] = archive_with(member)
        with pytest.raises(ChartError, match=said):
            ChartRepository(server.url).fetch("web", "", tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.tgz"))


def test_a_chart_is_unpacked_into_a_folder_of_its_name(server: ChartServer, tmp_path: Path) -> None:
    archive = ChartRepository(server.url).fetch("web", "1.0.0-rc.1", tmp_path / "cache")
    folder = unpack(archive, tmp_path / "here")
    assert folder == tmp_path / "here" / "web"
    assert Chart.load(folder).version == "1.0.0-rc.1"
    with pytest.raises(ChartError, match="already there"):
        unpack(archive, tmp_path / "here")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://charts.example.org", "plain http would"),
        ("ftp://charts.example.org", "not by 'ftp'"),
        ("file:///charts", "not by 'file'"),
        ("https://", "names no host"),
        ("https://host:99999/", "the port is no number"),
        ("oci://host/../x", "no path in a registry"),
        ("oci://host/Über", "no path in a registry"),
        ("oci://host/team/web:1.2.3", "no path in a registry\n.*--version 1.2.3"),
        ("https://[::1", "not an address"),
    ],
)
def test_an_address_that_will_not_do_is_refused_with_the_reason(url: str, said: str) -> None:
    with pytest.raises(ChartRepositoryError, match=said):
        ChartRepository(url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("registry.example.org/charts", "oci://registry.example.org/charts"),
        ("oci://127.0.0.1:5000/charts/", "oci://127.0.0.1:5000/charts"),
        ("https://ada:pass@example.org/a/b/?token=x", "https://example.org/a/b"),
    ],
)
def test_both_forms_of_a_registry_are_understood(url: str, place: str) -> None:
    assert str(locate(url, Access())[0]) == place


def test_a_repository_that_is_not_there_is_said_with_its_address() -> None:
    with pytest.raises(ChartRepositoryError, match=r"http://127.0.0.1:9/index.yaml: .* cannot be reached"):
        ChartRepository("http://u:secret@127.0.0.1:9").resolve("web")


def large(charts: int, versions: int, indent: str = "  ") -> str:
    """An index as Helm writes it."""
    entry = """\
- annotations:
    images: |
      - name: it
    artifact: "a: b"
  apiVersion: v2
  description: "entries: of chart{c}"
  digest: {digest}
  keywords:
  - chart1
  name: chart{c}
  urls:
  - chart{c}-{v}.0.0.tgz
  version: {v}.0.0
"""
    lines = ["apiVersion: v1", "entries:"]
    for c in range(charts):
        lines.append(f"{indent}chart{c}:")
        for v in range(versions):
            body = entry.format(c=c, v=v, digest=f"{c:032x}{v:032x}").splitlines()
            lines += [f"{indent}{line}" for line in body]
    return "\n".join([*lines, "generated: '2026-01-01T00:00:00Z'", ""])


@pytest.mark.parametrize("indent", ["  ", "    "])
def test_a_large_index_says_the_same_as_a_small_one(indent: str) -> None:
    text = large(40, 30, indent)
    assert len(text) > LARGE
    index, whole = Index.parse(text, "x"), Index(read_index(text, "x"), "x")
    assert index.find("chart7", "^3", "x") == whole.find("chart7", "^3", "x")
    assert index.charts == whole.charts
    assert len(index.charts) == 40
    with pytest.raises(ChartNotFound, match="There are: chart0"):
        Index.parse(text, "x").find("chart99", "", "x")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  chart3:\n", "  chart3: &shared\n"),
        ("  chart3:\n", '  "chart3":\n'),
        ("  chart3:\n", "  chart2:\n"),
        ("entries:\n", "entries: # all\n"),
        ("  chart3:\n", "  # a remark\n  chart3:\n"),
    ],
)
def test_an_index_in_another_form_is_read_all_the_same(before: str, after: str) -> None:
    text = large(40, 30).replace(before, after, 1)
    index, whole = Index.parse(text, "x"), Index(read_index(text, "x"), "x")
    assert index.find("chart5", "", "x") == whole.find("chart5", "", "x")
    assert index.charts == whole.charts


def test_a_part_of_a_large_index_that_is_not_yaml_is_named() -> None:
    text = large(40, 30).replace('  description: "entries: of chart9"', "  description: [", 1)
    assert Index.parse(text, "x").find("chart8", "", "x").version == "29.0.0"
    with pytest.raises(ChartRepositoryError, match=r"chart chart9"):
        Index.parse(text, "x").find("chart9", "", "x")
