from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from labkit.lessons import standing
from labkit.lessons.progress import Progress


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def test_what_is_noted_is_there_for_the_next_one_who_reads(tmp_path: Path) -> None:
    Progress(tmp_path / "progress.json").note("00", "exercise", "purple", tries=2, done=True)
    row = standing(Progress(tmp_path / "progress.json"))[0]
    assert (row["lesson"], row["exercise"], row["tries"], row["done"]) == ("00", "purple", 2, True)


def test_exercises_that_nobody_tried_are_shown_as_not_yet_done(tmp_path: Path) -> None:
    rows = standing(Progress(tmp_path / "progress.json"))
    assert {row["lesson"] for row in rows} >= {"00", "01"}
    assert [row for row in rows if row["done"] or row["tries"]] == []


def test_minutes_count_from_the_lessons_start(tmp_path: Path) -> None:
    clock = Clock()
    progress = Progress(tmp_path / "progress.json", clock)
    assert progress.minutes("01") is None
    progress.begin("01")
    clock.time += timedelta(minutes=7, seconds=1)
    assert progress.minutes("01") == 8


def test_a_damaged_file_is_put_aside_and_progress_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    path.write_text("{half", encoding="utf-8")
    progress = Progress(path)
    progress.note("00", "exercise", "colour", done=False)
    assert progress.of("00", "exercise", "colour") == {"done": False}
    assert (tmp_path / "progress.damaged.json").read_text(encoding="utf-8") == "{half"


def test_forgetting_a_lesson_leaves_the_others(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    progress.note("00", "exercise", "purple", tries=1)
    progress.note("01", "exercise", "reach", tries=1)
    progress.forget("00")
    assert [row["lesson"] for row in standing(progress) if row["tries"]] == ["01"]
