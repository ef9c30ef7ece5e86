"""kind, where it is missing: what a trainee without Docker is told. (A real kind needs Docker.)"""

import shutil
import stat
import sys

import pytest

from labkit.cluster import provider
from labkit.errors import ClusterError, ProviderUnavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX scripts")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH with nothing on it but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return install


def test_without_the_kind_command_the_error_says_what_to_install_and_what_needs_neither(programs, tmp_path):
    with pytest.raises(ProviderUnavailable, match="kind command is not installed") as caught:
        provider("kind", tmp_path).create("big")
    assert "kind.sigs.k8s.io" in caught.value.fix
    assert "sandbox needs neither" in caught.value.fix
    assert not (tmp_path / "big").exists()


def test_without_docker_the_error_says_so(programs, tmp_path):
    programs("kind", "exit 1")
    with pytest.raises(ProviderUnavailable, match="no docker command"):
        provider("kind", tmp_path).create("big")


def test_a_docker_that_does_not_run_is_told(programs, tmp_path):
    programs("kind", "exit 1")
    programs("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(ProviderUnavailable, match="does not run"):
        provider("kind", tmp_path).create("big")


def test_a_creation_that_fails_shows_kinds_last_words_and_leaves_nothing(programs, tmp_path):
    programs("kind", 'test "$1" = create && echo "ERROR: failed to pull image" >&2; exit 1')
    programs("docker", "exit 0")
    with pytest.raises(ClusterError, match="failed to pull image"):
        provider("kind", tmp_path).create("big")
    assert not (tmp_path / "big").exists()


def test_without_kind_there_are_none_to_list_and_none_to_delete(programs, tmp_path):
    kind = provider("kind", tmp_path)
    assert kind.list() == []
    kind.delete("big")


@pytest.mark.skipif(not shutil.which("kind"), reason="kind is not installed")
def test_the_kind_that_is_here_lists_its_clusters(tmp_path):
    assert provider("kind", tmp_path).list() == []
