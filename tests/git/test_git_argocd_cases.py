"""Argo CD's own cases for addresses and revisions (util/git/git_test.go)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labkit.git.revisions import is_commit_sha, is_short_ref, is_truncated_commit_sha
from labkit.git.urls import is_ssh_url, same_url

CASES = Path(__file__).parents[3] / "shared" / "cases" / "argocd" / "git.json"

if not CASES.is_file():
    pytest.skip(f"Argo CD's cases are not beside this checkout ({CASES})", allow_module_level=True)


def refers_to_a_variable(value):
    """Cases whose input is a variable of the Go test (``{"$id": …}``), of which the value is not recorded."""
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)


FUNCTIONS = {
    "git.is_short_ref": lambda given: is_short_ref(given["revision"]),
    "git.IsCommitSHA": lambda given: is_commit_sha(given[0]),
    "git.IsTruncatedCommitSHA": lambda given: is_truncated_commit_sha(given[0]),
    "git.IsSSHURL": is_ssh_url,
}


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in json.loads(CASES.read_text(encoding="utf-8"))
        if not refers_to_a_variable(case["input"])
    ],
    ids=lambda case: case["id"],
)
def test_as_argocd(case):
    if case["category"] == "git.SameURL":  # input and expected are two addresses of one repository
        assert same_url(case["input"], case["expected"])
    else:
        assert FUNCTIONS[case["category"]](case["input"]) is case["expected"]
