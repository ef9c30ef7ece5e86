from __future__ import annotations

import json

from labkit.lessons.progress import Progress


def test_progress_shows_every_exercise_and_needs_no_running_lab(labkit, tmp_path):
    labkit("init", str(tmp_path / "lab"))
    Progress(tmp_path / "lab" / ".lab" / "progress.json").note("01", "exercise", "reach", tries=3, done=True)
    shown = labkit("progress", cwd=tmp_path / "lab").stdout
    assert "01 Manifests by hand" in shown
    assert "✓ done" in shown
    rows = json.loads(labkit("progress", "-o", "json", cwd=tmp_path / "lab").stdout)
    assert {row["exercise"]: row["tries"] for row in rows if row["lesson"] == "01"} == {
        "reach": 3,
        "cherries": 0,
    }
