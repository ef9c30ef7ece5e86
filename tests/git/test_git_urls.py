"""An address is checked before git sees it, compared as Argo CD compares it, and shown without its password."""

from __future__ import annotations

import pytest

from labkit.errors import GitError
from labkit.git import Credential, normalise, redact, same_url, with_credential
from labkit.git.urls import check_url, is_ssh_url, split_credential


@pytest.mark.parametrize(
    "url",
    ["https://github.com/argoproj/argo-cd.git", "http://127.0.0.1:8080/git/web.git", "ssh://git@host:2222/a/b.git",
     "git@github.com:argoproj/argo-cd.git", "https://host/with%20blank.git", " https://host/a.git "],
)  # fmt: skip
def test_http_https_and_ssh_are_allowed(url):
    assert check_url(url) == url.strip()


@pytest.mark.parametrize(
    "url",
    ["", " ", "-u", "--upload-pack=touch x", "ext::sh -c id", "git://host/a.git", "file:///etc", "/srv/a.git", "../a",
     "ftp://host/a", "https://", "https:///a", "http://-oProxyCommand=x/a", "https://host:port/a", "https://ho\nst/a",
     "https://host/a b", "fd::17", "-oProxyCommand=x@host:a", "ssh://-x/a", "host:a/b", "javascript:alert(1)", "a\0b",
     "http://[::1/a"],
)  # fmt: skip
def test_everything_else_is_refused_before_git_sees_it(url):
    with pytest.raises(GitError) as failure:
        check_url(url)
    assert failure.value.fix


def test_a_folder_is_allowed_only_where_told():
    assert check_url("/srv/with blank/a.git", allow_files=True)
    assert check_url("file:///srv/a.git", allow_files=True)
    with pytest.raises(GitError):
        check_url("ext::sh", allow_files=True)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://github.com/argoproj/test", "https://GITHUB.com/argoproj/test.git"),
        ("git@github.com:argoproj/test.git", "ssh://git@github.com/argoproj/test"),
        ("\thttps://github.com/foo\n", "https://github.com/FOO"),
    ],
)
def test_one_repository_has_several_addresses(left, right):
    assert same_url(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", ""),
        ("https://a/b", "https://a/c"),
        ("https://a:1/b", "https://a:2/b"),
        ("https://a:x/b", "https://a:x/b"),
    ],
)
def test_other_repositories_and_nonsense_are_not_the_same(left, right):
    assert not same_url(left, right)


def test_normalising_twice_changes_nothing():
    for url in ("git@GITHUB.com:a/b.git", "https://GitHub.com/a/b.git", "ssh://git@host/a"):
        assert normalise(normalise(url)) == normalise(url)


def test_an_ssh_address_is_known():
    assert is_ssh_url("git@github.com:test.git")
    assert is_ssh_url("ssh://git@github.com/test.git")
    assert not is_ssh_url("https://user@github.com/test.git")


def test_a_credential_is_taken_out_of_an_address_and_put_back():
    credential = Credential("lab", "p@ss/word:%")
    url = with_credential("http://127.0.0.1:80/git/web.git", credential)
    assert split_credential(url) == ("http://127.0.0.1:80/git/web.git", credential)
    assert split_credential("https://host/a") == ("https://host/a", None)


def test_no_password_is_ever_shown():
    credential = Credential("lab", "hunter2!")
    text = f"fatal: https://lab:hunter2!@host/a and {credential.header()} and {credential!r}, {credential}"
    shown = redact(text, *credential.secrets())
    assert "hunter2" not in shown
    assert credential.header()[6:] not in shown
    assert "https://host/a" in shown
