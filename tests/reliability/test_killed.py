"""The service is killed in the middle of syncs: nothing is lost, nothing is done twice, nothing is left over."""

from __future__ import annotations

import sys

import pytest
from killing import trial
from scale import LONG, figures, so_many


@pytest.mark.timeout(3600 if LONG else 300)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_service_that_is_killed_at_any_moment_of_a_sync_ends_it_all_the_same(tmp_path):
    outcome = trial(tmp_path / "lab", kills=so_many(6, 100), seed=20)
    restarts = sorted(outcome.restarts)
    figures(
        kills=outcome.kills,
        in_the_middle_of_a_sync=outcome.interrupted,
        hooks=sum(outcome.ran.values()),
        twice=len(outcome.twice),
        seconds_to_be_back=restarts[len(restarts) // 2],
    )
    assert (outcome.sync, outcome.health) == ("Synced", "Healthy"), outcome
    assert set(outcome.data.values()) == {"end"}
    assert outcome.twice == []
    assert outcome.held == []
    assert outcome.interrupted > 0, "no sync was interrupted: this said nothing"
