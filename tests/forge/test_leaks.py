"""What looks like a secret in a difference is found; what only talks about one is not."""

from __future__ import annotations

import pytest

from labkit.forge.leaks import leaks


def diff(*lines):
    return "\n".join(["+++ b/values.yaml", "@@ -1,2 +5,3 @@", " kept: 1", *lines])


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "aws: AKIAABCDEFGHIJKLMNOP",
        "token: ghp_" + "a" * 36,
        "url: postgres://shop:pa55word@db/shop",
        "password: hunter2!",
        '  dbPassword: "correct horse"',
        "- api_key=abcdef123",
        "kind: Secret",
    ],
)
def test_an_added_line_that_looks_like_a_secret_is_found(line):
    found = leaks(diff("+" + line))
    assert [(leak.path, leak.line) for leak in found] == [("values.yaml", 6)]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    "line",
    [
        "passwordSecretName: db",
        "password: {{ .Values.password }}",
        "password: changeme",
        "kind: SealedSecret",
        "# the password stands in the vault",
        "url: https://example.org/a@b",
        "secretName: db",
        "password:",
    ],
)
def test_a_line_that_only_names_one_is_not(line):
    assert leaks(diff("+" + line)) == []


def test_a_line_that_is_taken_away_or_stays_is_not_an_addition():
    assert leaks(diff("-password: hunter2!", " password: hunter2!")) == []
