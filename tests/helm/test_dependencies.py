"""Dependencies: the lock and ``charts/`` are what the ``helm`` command makes of the same chart."""

import datetime
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from chart_server import USER, ChartServer, archives
from serving import run_server

from labkit.errors import ChartError, ChartNotFound, ChartRepositoryError, LoginRequired
from labkit.helm import Chart
from labkit.helm.dependencies import Dependencies
from labkit.helm.repositories import Access, ChartRepository, RepositoryBook
from labkit.k8s import yaml

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
needs_helm = pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")

PARENT = """\
apiVersion: v2
name: shop
version: 0.1.0
dependencies:
  - name: cache
    version: ^0.2
    repository: {url}
    condition: cache.enabled
    tags: [extras, "a<b"]
    import-values: [{{child: default.data, parent: my}}, exported]
  - {{name: cache, version: 0.1.0, repository: "{url}", alias: old}}
  - {{name: common, version: ">=1.0.0-0", repository: "file://../common"}}
  - {{name: own, version: 2.x}}
"""


@pytest.fixture
def server(tmp_path: Path):
    made = ChartServer()
    made.port, stop = run_server(made)
    made.publish(archives(tmp_path / "made", ["0.1.0", "0.2.0", "0.2.5", "0.3.0"], "cache"))
    yield made
    stop()


@pytest.fixture
def shop(tmp_path: Path, server: ChartServer) -> Path:
    return write_shop(tmp_path / "one", server)


def write_shop(root: Path, server: ChartServer, metadata: str = PARENT) -> Path:
    write(root / "shop", metadata.format(url=server.url))
    write(root / "common", "apiVersion: v2\nname: common\nversion: 1.2.0-rc.1\ntype: library\n")
    write(root / "shop" / "charts" / "own", "apiVersion: v2\nname: own\nversion: 2.1.0\n")
    return root / "shop"


def write(folder: Path, metadata: str) -> None:
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(metadata)


def dependencies(folder: Path, access=None) -> Dependencies:
    def open_(url: str) -> ChartRepository:
        return ChartRepository(url, access) if access else ChartRepository(url)

    return Dependencies(folder, open_, cache=folder.parent / "cache")


def lock(folder: Path) -> dict:
    found = yaml.load((folder / "Chart.lock").read_text())
    found.pop("generated")
    return found


def charts(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "charts").iterdir())


def test_update_locks_the_newest_in_each_range_and_fetches_it(shop: Path) -> None:
    locked = dependencies(shop).update(NOON)
    assert [(each.name, each.version) for each in locked] == [
        ("cache", "0.2.5"), ("cache", "0.1.0"), ("common", "1.2.0-rc.1"), ("own", "2.x"),
    ]  # fmt: skip
    assert charts(shop) == ["cache-0.1.0.tgz", "cache-0.2.5.tgz", "common-1.2.0-rc.1.tgz", "own"]
    assert "generated: '2026-01-02T12:00:00+00:00'" in (shop / "Chart.lock").read_text()


@needs_helm
def test_helm_makes_the_same_lock_and_the_same_charts(shop: Path, server, tmp_path: Path) -> None:
    dependencies(shop).update(NOON)
    theirs = write_shop(tmp_path / "two", server)
    subprocess.run(["helm", "dependency", "update", str(theirs)], check=True, capture_output=True, timeout=60)
    assert lock(shop) == lock(theirs)
    assert charts(shop) == charts(theirs)
    printed = subprocess.run(
        ["helm", "dependency", "list", str(theirs)], capture_output=True, text=True, timeout=60
    )
    rows = [
        line.split("\t") for line in printed.stdout.splitlines()[1:] if line.strip() and "WARNING" not in line
    ]
    assert [(row[0].strip(), row[-1].strip()) for row in rows] == [
        (each.name, each.status) for each in dependencies(shop).standing()
    ]


@needs_helm
def test_each_builds_from_the_others_lock(shop: Path, server: ChartServer, tmp_path: Path) -> None:
    dependencies(shop).update(NOON)
    wanted = charts(shop)
    for name in wanted[:3]:
        (shop / "charts" / name).unlink()
    home = os.environ | {
        "HELM_REPOSITORY_CONFIG": str(tmp_path / "r.yaml"),
        "HELM_CACHE_HOME": str(tmp_path / "c"),
    }
    for helm in (["repo", "add", "here", server.url], ["dependency", "build", str(shop)]):
        subprocess.run(["helm", *helm], env=home, check=True, capture_output=True, timeout=60)
    assert charts(shop) == wanted
    theirs = write_shop(tmp_path / "two", server)
    subprocess.run(["helm", "dependency", "update", str(theirs)], check=True, capture_output=True, timeout=60)
    for name in wanted[:3]:
        (theirs / "charts" / name).unlink()
    dependencies(theirs).build(NOON)
    assert charts(theirs) == wanted


def named(name: str, url: str, folder: Path) -> Dependencies:
    """The same, where a repository has a name."""
    book = RepositoryBook(folder.parent / "names.yaml", folder.parent / "logins.json")
    book.add(name, url, Access())
    return Dependencies(folder, book.open, cache=folder.parent / "cache")


@needs_helm
@pytest.mark.parametrize("form", ["@team", "alias:team"])
def test_a_repository_s_name_stands_for_its_address(server: ChartServer, tmp_path: Path, form: str) -> None:
    metadata = PARENT.replace("{url}", f'"{form}"', 1).replace('"{url}"', f'"{form}"')
    ours, theirs = (
        write_shop(tmp_path / "one", server, metadata),
        write_shop(tmp_path / "two", server, metadata),
    )
    named("team", server.url, ours).update(NOON)
    home = os.environ | {
        "HELM_REPOSITORY_CONFIG": str(tmp_path / "r.yaml"),
        "HELM_CACHE_HOME": str(tmp_path / "c"),
    }
    for helm in (["repo", "add", "team", server.url], ["dependency", "update", str(theirs)]):
        subprocess.run(["helm", *helm], env=home, check=True, capture_output=True, timeout=60)
    assert lock(ours) == lock(theirs)
    assert lock(ours)["dependencies"][0]["repository"] == server.url


def test_a_name_that_nobody_gave_is_said(server: ChartServer, tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "one", server, PARENT.replace("{url}", '"@elsewhere"', 1))
    with pytest.raises(ChartRepositoryError, match=r"named 'elsewhere'.*\n.*There are: team"):
        named("team", server.url, shop)


def test_build_gives_what_was_locked_also_when_there_is_something_newer(shop, server, tmp_path) -> None:
    dependencies(shop).update(NOON)
    before = (shop / "Chart.lock").read_text()
    server.publish(archives(tmp_path / "newer", ["0.1.0", "0.2.5", "0.2.9"], "cache"))
    shutil.rmtree(shop / "charts")
    write(shop / "charts" / "own", "apiVersion: v2\nname: own\nversion: 2.1.0\n")
    dependencies(shop).build(NOON)
    assert "cache-0.2.5.tgz" in charts(shop)
    assert (shop / "Chart.lock").read_text() == before
    dependencies(shop).update(NOON)
    assert charts(shop) == ["cache-0.1.0.tgz", "cache-0.2.9.tgz", "common-1.2.0-rc.1.tgz", "own"]


def test_a_lock_that_is_out_of_date_is_not_built_from(shop: Path) -> None:
    dependencies(shop).update(NOON)
    chart = shop / "Chart.yaml"
    chart.write_text(chart.read_text().replace("^0.2", "^0.3"))
    with pytest.raises(ChartError, match="does not belong to") as refused:
        dependencies(shop).build(NOON)
    assert refused.value.where.endswith("Chart.lock")
    assert "dependency update" in refused.value.fix


def test_without_a_lock_build_is_update(shop: Path) -> None:
    assert dependencies(shop).build(NOON)[0].version == "0.2.5"
    assert (shop / "Chart.lock").exists()


@pytest.mark.parametrize(
    ("before", "after", "error", "said"),
    [
        ("^0.2", "^7", ChartNotFound, r"\^7.*\n.*0.3.0, 0.2.5"),
        ("^0.2", "=>x<", ChartError, "shop/Chart.yaml:5.* is not a range"),
        ("../common", "../nowhere", ChartError, "no chart at this path"),
        (">=1.0.0-0", "^9", ChartError, "has version 1.2.0-rc.1, which is not in the range"),
        ("name: own", "name: owl", ChartError, "has no repository, and is not in charts/"),
        ("name: common", "name: commons", ChartError, "is the chart 'common'"),
    ],
)
def test_what_cannot_be_had_is_said_and_nothing_is_changed(shop, before, after, error, said) -> None:
    chart = shop / "Chart.yaml"
    chart.write_text(chart.read_text().replace(before, after, 1))
    with pytest.raises(error, match=said):
        dependencies(shop).update(NOON)
    assert charts(shop) == ["own"]
    assert not (shop / "Chart.lock").exists()


def test_a_private_repository_wants_its_login(shop: Path, server: ChartServer) -> None:
    server.login = USER
    with pytest.raises(LoginRequired):
        dependencies(shop).update(NOON)
    assert len(dependencies(shop, USER).update(NOON)) == 4


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda charts: None, "ok"),
        (lambda charts: (charts / "db-1.2.0.tgz").unlink(), "missing"),
        (lambda charts: (charts / "db-1.2.0.tgz").write_bytes(b"?"), "corrupt"),
        (lambda charts: shutil.copy(charts / "db-1.2.0.tgz", charts / "db-1.3.0.tgz"), "too many matches"),
        (lambda charts: shutil.copy(charts / "db-1.2.0.tgz", charts / "db-extra.tgz"), "ok"),
        (lambda charts: (charts / "db-1.2.0.tgz").replace(charts / "db-2.tgz"), "ok"),
        (lambda charts: put(charts, "db", "2.0.0"), "wrong version"),
        (lambda charts: put(charts, "other", "1.2.0"), "misnamed"),
    ],
)
def test_a_dependencys_standing_is_said_as_helm_says_it(tmp_path: Path, change, status: str) -> None:
    needs = "dependencies: [{name: db, version: 1.x, repository: 'https://example.org'}]\n"
    write(tmp_path / "shop", f"apiVersion: v2\nname: shop\nversion: 0.1.0\n{needs}")
    put(tmp_path / "shop" / "charts", "db", "1.2.0")
    change(tmp_path / "shop" / "charts")
    (found,) = dependencies(tmp_path / "shop").standing()
    assert found.status == status
    if shutil.which("helm") and status != "corrupt":  # there helm itself stops, and lists nothing
        helm = ["helm", "dependency", "list", str(tmp_path / "shop")]
        printed = subprocess.run(helm, capture_output=True, text=True, timeout=60).stdout
        assert printed.splitlines()[1].split("\t")[-1].strip() == status


def put(charts: Path, name: str, version: str) -> None:
    """That chart, packed, as ``db-1.2.0.tgz``."""
    (made,) = archives(charts.parent.parent / f"{name}-{version}", [version], name)
    charts.mkdir(exist_ok=True)
    shutil.copy(made, charts / "db-1.2.0.tgz")


def test_an_unpacked_and_an_undeclared_chart_are_told(shop: Path) -> None:
    write(shop / "charts" / "extra", "apiVersion: v2\nname: extra\nversion: 1.0.0\n")
    found = dependencies(shop)
    assert [each.status for each in found.standing()] == ["missing", "missing", "missing", "unpacked"]
    assert found.undeclared() == ["charts/extra"]


def test_the_updated_chart_renders_with_its_dependencies(shop: Path) -> None:
    dependencies(shop).update(NOON)
    (found,) = Chart(shop).render("demo", values={"cache": {"enabled": False}}).objects
    assert found.obj["data"] == {"it": "0.1.0"}
