"""Folders served as chart repositories: public and private, and nothing but charts and their index."""

import shutil
import subprocess
from pathlib import Path

import pytest
import urllib3
from chart_server import archives

from labkit.errors import ChartNotFound, LoginRequired
from labkit.forge.chartrepo import chart_repositories
from labkit.git import Credential
from labkit.helm.repositories import Access, ChartRepository, write_index

LOGIN = Credential("trainee", "s3cret")
ACCESS = Access(LOGIN.username, LOGIN.password)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "chart-repos"


@pytest.fixture
def url(root: Path, tmp_path: Path, serve) -> str:
    for name, version in (("public", "0.1.0"), ("team", "0.2.0")):
        (root / name).mkdir(parents=True)
        for archive in archives(tmp_path / name, [version]):
            shutil.copy(archive, root / name)
        write_index(root / name)
    return f"http://127.0.0.1:{serve(chart_repositories(root, credentials=[LOGIN]))}"


def test_a_public_repository_is_everybodys_and_a_private_one_wants_the_login(url: str, tmp_path) -> None:
    assert ChartRepository(f"{url}/public").fetch("web", "", tmp_path / "c").name == "web-0.1.0.tgz"
    with pytest.raises(LoginRequired, match="wants a login"):
        ChartRepository(f"{url}/team").resolve("web")
    assert ChartRepository(f"{url}/team", ACCESS).fetch("web", "", tmp_path / "c").name == "web-0.2.0.tgz"


def test_a_chart_put_there_is_there_once_the_index_says_so(url: str, root: Path, tmp_path) -> None:
    repository = ChartRepository(f"{url}/public")
    assert repository.versions("web") == ["0.1.0"]
    shutil.copy(archives(tmp_path / "new", ["0.3.0"])[0], root / "public")
    assert repository.versions("web") == ["0.1.0"]
    write_index(root / "public")
    assert repository.versions("web") == ["0.3.0", "0.1.0"]


@pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")
def test_helm_pulls_from_it(url: str, tmp_path: Path) -> None:
    (tmp_path / "got").mkdir()
    helm = [shutil.which("helm"), "pull", "web", "--repo", f"{url}/team", "-d", str(tmp_path / "got")]
    home = {"HOME": str(tmp_path), "HELM_CACHE_HOME": str(tmp_path / "cache")}
    refused = subprocess.run(helm, env=home, capture_output=True, text=True, timeout=60)
    assert "401" in refused.stderr
    login = ["--username", LOGIN.username, "--password", LOGIN.password]
    done = subprocess.run([*helm, *login], env=home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "got" / "web-0.2.0.tgz").is_file()


def test_nothing_else_of_the_folder_is_served(url: str, root: Path) -> None:
    (root / "public" / "notes.txt").write_text("mine")
    (root / "secret.tgz").write_text("mine")
    (root / "public" / "link-0.1.0.tgz").symlink_to(root / "secret.tgz")
    for path in (
        "public/notes.txt",
        "public/link-0.1.0.tgz",
        "public/%2e%2e%2fsecret.tgz",
        "public/.tgz",
        "public/",
    ):
        answer = urllib3.request("GET", f"{url}/{path}", retries=False)
        assert answer.status == 404, path
    link = root / "public" / "link-0.1.0.tgz"
    assert link.read_text() == "mine"  # it leads there, and is not followed for others


def test_a_repository_without_an_index_says_how_to_make_one(url: str, root: Path) -> None:
    (root / "public" / "index.yaml").unlink()
    answer = urllib3.request("GET", f"{url}/public/index.yaml")
    assert "labkit chart repo index chart-repos/public" in answer.data.decode()
    with pytest.raises(ChartNotFound):
        ChartRepository(f"{url}/public").resolve("web")
