"""A revision means what it means to Argo CD."""

from __future__ import annotations

import pytest

from labkit.errors import RevisionNotFound
from labkit.git.revisions import (
    Ref,
    check_revision,
    find,
    is_commit_sha,
    is_truncated_commit_sha,
    near,
    parse_ls_remote,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40
LISTING = f"""\
ref: refs/heads/trunk\tHEAD
{A}\tHEAD
{B}\trefs/heads/main
{A}\trefs/heads/trunk
{C}\trefs/heads/v1
{C}\trefs/pull/7/head
{B}\trefs/tags/v1
{B}\trefs/tags/v2
{A}\trefs/tags/v2^{{}}
"""


@pytest.mark.parametrize(
    ("revision", "sha"),
    [
        ("", A),
        ("HEAD", A),
        ("main", B),
        ("refs/heads/main", B),
        ("v1", C),  # a branch wins over a tag of the same name
        ("refs/tags/v1", B),
        ("v2", A),  # an annotated tag means its commit
        ("pull/7/head", C),
    ],
)
def test_a_name_is_found_in_the_hosts_order(revision, sha):
    assert find(parse_ls_remote(LISTING), revision).sha == sha


@pytest.mark.parametrize("revision", ["heads/main", "tags/v1", "MAIN", "refs/heads", "refs/heads/v2", "mai"])
def test_what_is_no_name_is_not_found(revision):
    assert find(parse_ls_remote(LISTING), revision) is None


def test_a_symbolic_reference_knows_its_target():
    assert parse_ls_remote(LISTING)[0] == Ref("HEAD", A, "refs/heads/trunk")


@pytest.mark.parametrize(
    ("text", "whole", "shortened"),
    [
        (A, True, True),
        ("9d921f6", False, True),
        ("9d921f", False, False),
        ("g" * 40, False, False),
        ("main", False, False),
        (A + "\n", False, False),
    ],
)
def test_a_commit_id_is_known_by_its_look(text, whole, shortened):
    assert (is_commit_sha(text), is_truncated_commit_sha(text)) == (whole, shortened)


@pytest.mark.parametrize("revision", ["-x", "--exec=id", "a\nb", "a\0b", "x" * 2000])
def test_what_git_could_misread_is_refused(revision):
    with pytest.raises(RevisionNotFound):
        check_revision(revision)


def test_a_misspelt_name_finds_its_neighbours():
    assert near(parse_ls_remote(LISTING), "mian") == ["main"]
    assert near(parse_ls_remote(LISTING), "zzz") == ["main", "trunk", "v1"]
