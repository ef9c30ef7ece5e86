"""What ``labkit init`` lays out, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from labkit.lab.layout import lay_out


def test_the_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert lay_out(tmp_path).added
    again = lay_out(tmp_path)
    assert (again.added, again.updated, again.kept) == ([], [], [])


def test_a_file_that_the_trainee_changed_stays_as_it_is(tmp_path: Path) -> None:
    lay_out(tmp_path)
    notebook = tmp_path / "notebooks" / "00-tour.ipynb"
    notebook.write_text("mine", encoding="utf-8")
    assert lay_out(tmp_path).kept == ["notebooks/00-tour.ipynb"]
    assert notebook.read_text(encoding="utf-8") == "mine"


def test_a_file_that_the_trainee_deleted_stays_away(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "charts" / "starter" / "README.md").unlink()
    lay_out(tmp_path)
    assert not (tmp_path / "charts" / "starter" / "README.md").exists()
