from __future__ import annotations

import pytest

from labkit.service.address import Address, settle
from labkit.settings import Settings


@pytest.fixture
def lab(tmp_path):
    return Settings.create(tmp_path)


def test_the_first_port_is_kept_without_a_word(lab):
    assert settle(lab, 4711) == (Address(4711), "")
    assert settle(lab, 4711) == (Address(4711), "")
    assert lab.remembered()["port"] == 4711


def test_a_moved_git_host_is_told_and_its_old_urls_stay_good(lab):
    settle(lab, 4711)
    address, notice = settle(lab, 4712)
    assert "4711" in notice
    assert "4712" in notice
    assert address.current("http://127.0.0.1:4711/git/shop.git") == "http://127.0.0.1:4712/git/shop.git"
    assert address.current("http://localhost:4711/git/shop.git") == "http://127.0.0.1:4712/git/shop.git"


def test_a_lab_that_moves_back_forgets_no_address(lab):
    settle(lab, 4711)
    settle(lab, 4712)
    address, _ = settle(lab, 4711)
    assert address.current("http://127.0.0.1:4712/git/a.git") == "http://127.0.0.1:4711/git/a.git"
    assert address.aliases(address.repository("a")) == [
        "http://127.0.0.1:4711/git/a.git",
        "http://127.0.0.1:4712/git/a.git",
    ]


@pytest.mark.parametrize(
    "url",
    ["https://github.com/a/b.git", "http://127.0.0.1:9999/git/a.git", "http://127.0.0.1:4711/other", "", "x"],
)
def test_other_urls_are_left_alone(url):
    assert Address(4712, (4711,)).current(url) == url


def test_working_copies_follow_the_git_host(lab):
    settle(lab, 4711)
    config = lab.work / "shop" / ".git" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(
        '[remote "origin"]\n\turl = http://trainee:t@127.0.0.1:4711/git/shop.git\n', encoding="utf-8"
    )
    settle(lab, 4712)
    assert "url = http://trainee:t@127.0.0.1:4712/git/shop.git\n" in config.read_text(encoding="utf-8")


def test_a_clone_url_carries_the_credential_and_the_url_does_not():
    address = Address(4711)
    assert address.repository("shop") == "http://127.0.0.1:4711/git/shop.git"
    assert address.clone_url("shop", "a/b") == "http://trainee:a%2Fb@127.0.0.1:4711/git/shop.git"
