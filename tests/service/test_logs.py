from __future__ import annotations

import logging

import pytest

from labkit.service.logs import Redaction


def formatted(message: str, *args: object) -> str:
    record = logging.LogRecord("labkit.test", logging.INFO, "", 0, message, args, None)
    return Redaction(["s3cret-token"]).format(record)


@pytest.mark.parametrize(
    "message",
    [
        "token is s3cret-token",
        "clone of http://lab:s3cret-token@127.0.0.1:1/git/a.git failed",
        "Authorization: Bearer s3cret-token",
    ],
)
def test_a_known_secret_is_never_in_the_log(message):
    assert "s3cret" not in formatted(message)


def test_a_credential_that_nobody_told_us_of_is_recognised_by_its_place():
    assert formatted("fetch %s", "https://me:hunter2@example.org/x.git").endswith(
        "https://****@example.org/x.git"
    )
    assert "aGk6eW91" not in formatted("sent authorization: Basic aGk6eW91")
