from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from labkit.errors import SettingsError
from labkit.settings import (
    FORMAT,
    ServiceRecord,
    Settings,
    child_environment,
    explained,
    share,
    user_kubeconfig,
    write_private,
)


@pytest.fixture(autouse=True)
def _no_lab_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABKIT_HOME", raising=False)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_named_folder_wins_over_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "other"))
    assert Settings.find(tmp_path / "mine").home == tmp_path / "mine"
    assert Settings.find().home == tmp_path / "other"


def test_the_nearest_lab_folder_upwards_is_found(tmp_path, monkeypatch):
    Settings.create(tmp_path)
    below = tmp_path / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Settings.find().home == tmp_path


def test_the_folder_that_init_makes_is_found_from_beside_it(tmp_path, monkeypatch):
    Settings.create(tmp_path / "workspace")
    monkeypatch.chdir(tmp_path)
    assert Settings.find().home == tmp_path / "workspace"


def test_without_any_lab_folder_it_is_the_current_one_which_does_not_exist_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Settings.find()
    assert (found.home, found.exists) == (tmp_path, False)


def test_creating_twice_keeps_what_was_remembered(tmp_path):
    Settings.create(tmp_path).remember(port=4711)
    assert Settings.create(tmp_path).remembered() == {"format": FORMAT, "port": 4711}


def test_a_lab_folder_of_a_newer_version_is_refused(tmp_path):
    lab = Settings.create(tmp_path)
    (lab.state / "lab.json").write_text(json.dumps({"format": FORMAT + 1}), encoding="utf-8")
    with pytest.raises(SettingsError, match="newer labkit") as caught:
        Settings.find(tmp_path)
    assert caught.value.where.endswith("lab.json")
    assert "Update labkit" in caught.value.fix


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "x"}', "{}"])
def test_a_damaged_lab_json_is_named_with_its_fix(tmp_path, text):
    lab = Settings.create(tmp_path)
    (lab.state / "lab.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Settings.find(tmp_path)
    assert caught.value.where.endswith("lab.json")
    assert caught.value.fix


def test_a_token_is_made_once_and_readable_by_its_owner_only(tmp_path):
    lab = Settings.create(tmp_path)
    first = lab.token()
    assert len(first) >= 32
    assert lab.token() == first
    assert lab.token("controller-token") != first
    if os.name == "posix":
        assert mode(lab.state / "token") == 0o600
        assert mode(lab.state) == 0o700


def test_two_first_starts_agree_on_one_token(tmp_path):
    lab = Settings.create(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: lab.token(), range(32)))) == 1


def test_a_private_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    write_private(tmp_path / "a", "one\n")
    write_private(tmp_path / "a", "two\n")
    assert (tmp_path / "a").read_bytes() == b"two\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_is_said_in_words(tmp_path):
    with pytest.raises(SettingsError, match="the disk is full") as caught, explained(tmp_path / "x"):
        raise OSError(28, "No space left on device", str(tmp_path / "x"))
    assert "Free some space" in caught.value.fix


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_really_full_device_is_said_in_words():
    with (
        pytest.raises(SettingsError, match="the disk is full"),
        explained(Path("/dev/full")),
        Path("/dev/full").open("w", buffering=1) as full,
    ):
        full.write("x\n")


def test_a_file_where_a_folder_is_needed_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Settings.create(tmp_path / "file" / "lab")
    assert "labkit --lab DIR" in caught.value.fix


def test_the_service_record_goes_round(tmp_path):
    lab = Settings.create(tmp_path)
    assert lab.service() is None
    record = ServiceRecord(12, 4711, "http://127.0.0.1:4711", "2026-01-01T00:00:00Z", "0.1.0")
    lab.write_service(record)
    assert lab.service() == record
    lab.forget_service()
    lab.forget_service()
    assert lab.service() is None


def test_half_a_service_record_means_that_none_runs(tmp_path):
    lab = Settings.create(tmp_path)
    (lab.state / "service.json").write_text('{"pid": 1', encoding="utf-8")
    assert lab.service() is None


def test_charts_and_notebooks_come_from_the_checkout():
    assert share("charts").is_dir()
    assert share("notebooks").is_dir()
    with pytest.raises(SettingsError):
        share("nonsense")


def test_a_child_never_asks_a_proxy_for_loopback(monkeypatch):
    monkeypatch.setenv("no_proxy", "example.org")
    assert child_environment()["no_proxy"] == "example.org,127.0.0.1,localhost"


def test_the_users_kubeconfig_is_the_first_that_kubectl_reads(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}")
    assert user_kubeconfig() == tmp_path / "a"
    monkeypatch.delenv("KUBECONFIG")
    assert user_kubeconfig().parts[-2:] == (".kube", "config")
