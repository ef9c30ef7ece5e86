"""Writing the lab's kubeconfig: others' entries stay, the file is private, and it stands alone."""

import stat
import sys
import threading

import pytest
import yaml

from labkit.cluster import Kubeconfig, merge_entries, remove_entries
from labkit.errors import ClusterError
from labkit.settings import FileLock


@pytest.fixture
def lab_file(tmp_path):
    return tmp_path / "lab" / "kubeconfig"


def content(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_a_cluster_is_added_under_the_name_that_is_asked_for(lab_file, write_kubeconfig):
    merge_entries(lab_file, "shop", write_kubeconfig("https://127.0.0.1:1", user={"token": "t"}))
    access = Kubeconfig.load(lab_file).access("shop")
    assert (access.server, access.token) == ("https://127.0.0.1:1", "t")
    assert content(lab_file)["current-context"] == "shop"


def test_a_second_one_does_not_take_the_current_context(lab_file, write_kubeconfig):
    merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
    merge_entries(lab_file, "b", write_kubeconfig("https://127.0.0.1:2"))
    assert Kubeconfig.load(lab_file).current == "a"
    assert Kubeconfig.load(lab_file).contexts == ["a", "b"]


def test_a_cluster_with_a_new_address_replaces_its_entries(lab_file, write_kubeconfig):
    merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
    merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:2"))
    assert Kubeconfig.load(lab_file).access("a").server == "https://127.0.0.1:2"
    assert len(content(lab_file)["clusters"]) == 1


def test_what_else_is_in_the_file_is_kept(lab_file, write_kubeconfig):
    lab_file.parent.mkdir()
    lab_file.write_text(
        "preferences: {colors: true}\nextensions: [{name: x, extension: {}}]\n", encoding="utf-8"
    )
    merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
    assert content(lab_file)["preferences"] == {"colors": True}
    assert content(lab_file)["extensions"] == [{"name": "x", "extension": {}}]


def test_removing_leaves_the_others_and_no_current_context_that_is_gone(lab_file, write_kubeconfig):
    merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
    merge_entries(lab_file, "b", write_kubeconfig("https://127.0.0.1:2"))
    remove_entries(lab_file, "a")
    assert Kubeconfig.load(lab_file).contexts == ["b"]
    assert Kubeconfig.load(lab_file).current == ""


def test_removing_from_a_file_that_is_not_there_is_nothing(lab_file):
    remove_entries(lab_file, "a")
    assert not lab_file.exists()


def test_certificates_in_files_are_written_into_the_file_itself(lab_file, write_kubeconfig, tmp_path):
    (tmp_path / "ca.crt").write_text("PEM", encoding="ascii")
    source = write_kubeconfig("https://127.0.0.1:1", cluster={"certificate-authority": "ca.crt"})
    merge_entries(lab_file, "a", source)
    (tmp_path / "ca.crt").unlink()
    assert Kubeconfig.load(lab_file).access("a").ca == "PEM"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_only_the_owner_can_read_it(lab_file, write_kubeconfig):
    merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
    assert stat.S_IMODE(lab_file.stat().st_mode) == 0o600


def test_many_writers_at_once_lose_nothing(lab_file, write_kubeconfig):
    sources = [write_kubeconfig(f"https://127.0.0.1:{n}", name=f"source{n}") for n in range(1, 9)]
    threads = [
        threading.Thread(target=merge_entries, args=(lab_file, f"c{n}", s)) for n, s in enumerate(sources)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Kubeconfig.load(lab_file).contexts) == [f"c{n}" for n in range(8)]


def test_a_damaged_file_is_an_error_and_stays_as_it_is(lab_file, write_kubeconfig):
    lab_file.parent.mkdir()
    lab_file.write_text("clusters: [", encoding="utf-8")
    with pytest.raises(ClusterError, match="not YAML"):
        merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
    assert lab_file.read_text(encoding="utf-8") == "clusters: ["


def test_a_writer_that_holds_on_for_too_long_is_named(lab_file, write_kubeconfig, monkeypatch):
    monkeypatch.setattr("labkit.cluster.entries._LOCK_SECONDS", 0.05)
    lab_file.parent.mkdir()
    with FileLock(lab_file.with_name(".kubeconfig.lock")) as other:
        other.acquire()
        with pytest.raises(ClusterError, match="another process"):
            merge_entries(lab_file, "a", write_kubeconfig("https://127.0.0.1:1"))
