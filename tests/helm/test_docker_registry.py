"""The registry that most others are made of, Debian's ``docker-registry``: charts go there, and come back."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from chart_server import archives

from labkit.errors import ChartNotFound, ChartRepositoryError, LoginRequired
from labkit.helm.repositories import Access, ChartRepository

pytestmark = pytest.mark.skipif(
    shutil.which("docker-registry") is None, reason="no `docker-registry` command here"
)
ADA = Access("ada", "s3cret")
HTPASSWD = "ada:$2b$04$XKY8rTVuKK/llfvKFkEAR.gK9FeBUl40iS9pCm9V98rEbN0rWeWEW\n"
CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "127.0.0.1:{port}", secret: for-tests-only}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""


@pytest.fixture
def host(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    (tmp_path / "config.yml").write_text(CONFIG.format(folder=tmp_path, port=port))
    with subprocess.Popen(
        ["docker-registry", "serve", str(tmp_path / "config.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as process:
        wait_for(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
        process.terminate()


def wait_for(host: str) -> None:
    """Until it listens; the test's own time limit ends what never does."""
    while True:
        try:
            ChartRepository(f"oci://{host}", ADA).check()
        except ChartRepositoryError:
            time.sleep(0.05)
        else:
            return


def test_a_chart_goes_there_and_comes_back(host: str, tmp_path: Path) -> None:
    repository = ChartRepository(f"oci://{host}/team", ADA)
    packed = archives(tmp_path, ["0.1.0", "0.2.0+build.7"])
    for archive in packed:
        assert repository.push(archive)[0].startswith(f"{host}/team/web:")
    repository.push(packed[0])  # again: its blobs are there
    assert repository.versions("web") == ["0.2.0+build.7", "0.1.0"]
    assert repository.fetch("web", "^0.2", tmp_path / "cache").read_bytes() == packed[1].read_bytes()
    with pytest.raises(ChartNotFound):
        repository.fetch("web", "7.0.0", tmp_path / "cache")


def test_it_wants_a_login(host: str) -> None:
    for access in (Access(), Access("ada", "wrong")):
        with pytest.raises(LoginRequired):
            ChartRepository(f"oci://{host}/team", access).versions("web")
