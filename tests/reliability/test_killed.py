"""The service is killed in the middle of syncs: nothing is lost, nothing is done twice, nothing is left over."""

from __future__ import annotations

import sys

import pytest
from killing import trial


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_service_that_is_killed_at_any_moment_of_a_sync_ends_it_all_the_same(tmp_path):
    outcome = trial(tmp_path / "lab", kills=6, seed=20)
    assert (outcome.sync, outcome.health) == ("Synced", "Healthy"), outcome
    assert set(outcome.data.values()) == {"end"}
    assert outcome.twice == []
    assert outcome.held == []
    assert outcome.interrupted > 0, "no sync was interrupted: this said nothing"
