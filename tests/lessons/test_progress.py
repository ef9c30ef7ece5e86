from __future__ import annotations

from pathlib import Path

from labkit.lessons.progress import Progress


def test_what_is_noted_is_there_for_the_next_one_who_reads(tmp_path: Path) -> None:
    Progress(tmp_path / "progress.json").note("00", "exercise", "colour", tries=2, done=True)
    assert Progress(tmp_path / "progress.json").rows() == [("00", "colour", 2, True)]


def test_a_damaged_file_is_put_aside_and_progress_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    path.write_text("{half", encoding="utf-8")
    progress = Progress(path)
    progress.note("00", "exercise", "colour", done=False)
    assert progress.of("00", "exercise", "colour") == {"done": False}
    assert (tmp_path / "progress.damaged.json").read_text(encoding="utf-8") == "{half"


def test_forgetting_a_lesson_leaves_the_others(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    progress.note("00", "exercise", "a", tries=1)
    progress.note("01", "exercise", "b", tries=1)
    progress.forget("00")
    assert [row[0] for row in progress.rows()] == ["01"]
