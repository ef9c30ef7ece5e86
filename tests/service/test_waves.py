"""The pause between two waves, as the environment says it."""

from __future__ import annotations

import pytest

from labkit.errors import SettingsError
from labkit.service.engine import wave_seconds


@pytest.mark.parametrize(("said", "seconds"), [("", 2.0), ("0", 0.0), ("0.5", 0.5)])
def test_the_pause_is_argo_cds_unless_another_is_said(said, seconds):
    assert wave_seconds(said) == seconds


@pytest.mark.parametrize("said", ["soon", "-1", "nan", "inf"])
def test_what_is_no_number_of_seconds_is_refused_by_its_name(said):
    with pytest.raises(SettingsError, match="no number of seconds") as caught:
        wave_seconds(said)
    assert caught.value.where == "LABKIT_WAVE_SECONDS"
