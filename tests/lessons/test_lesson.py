"""What every lesson does: it begins anew, keeps what was there, and its solution passes its checks."""

from __future__ import annotations

import pytest

from labkit.errors import LessonError
from labkit.lessons import lessons
from labkit.lessons.exercise import Exercise, Task
from labkit.lessons.progress import Progress

each_lesson = pytest.mark.parametrize("script", lessons(), ids=lambda script: script.number)


@each_lesson
def test_at_the_start_no_exercise_is_done_and_the_solution_does_them_all_twice_over(lab, script):
    lesson = lab.lesson(script.number).reset()
    assert [key for key in script.tasks if lesson.exercise(key).look().done] == []
    for _ in range(2):
        lesson.start().solution()
        for key in script.tasks:
            lesson.exercise(key).check(strict=True)


@each_lesson
def test_a_start_keeps_earlier_work_in_the_archive_and_lays_the_same_files(lab, script):
    lesson = lab.lesson(script.number).start()
    laid = files(lesson.folder)
    lesson.write("mine.txt", "my own work")
    lesson.start()
    kept = sorted((lab.home / ".lab" / "archive").glob(f"{script.names[0]}.*/mine.txt"))
    assert kept[-1].read_text(encoding="utf-8") == "my own work\n"
    assert files(lesson.folder) == laid


def files(folder):
    """What lies there, without what Git keeps of it."""
    return sorted(p.name for p in folder.rglob("*") if ".git" not in p.relative_to(folder).parts)


@each_lesson
def test_a_lesson_has_hints_of_three_rungs_and_a_quiz_of_three(script):
    assert {key: len(task.hints) for key, task in script.tasks.items() if len(task.hints) != 3} == {}
    assert len(script.quiz) == 3
    for asked in (*script.quiz, *script.questions.values()):
        assert asked.right in asked.options
        assert len(asked.because.split()) > 8


@each_lesson
def test_right_answers_are_not_always_the_same_letter(script):
    quiz = {asked.right for asked in script.quiz}
    assert len(quiz) > 1
    assert quiz | {asked.right for asked in script.questions.values()} == {"a", "b", "c"}


def broken(bench):
    raise KeyError("spec")


def test_a_check_never_raises_in_a_notebook_and_says_why_it_could_not_look(tmp_path):
    exercise = Exercise(
        "99", "x", Task("Anything", broken, ["a"], broken), None, Progress(tmp_path / "p.json")
    )
    assert "KeyError: 'spec'" in exercise.check().text
    with pytest.raises(LessonError):
        exercise.check(strict=True)


def test_hints_come_one_at_a_time_and_the_last_one_stays(tmp_path):
    exercise = Exercise(
        "99", "x", Task("Anything", broken, ["a", "b"], broken), None, Progress(tmp_path / "p.json")
    )
    assert [exercise.hint().text for _ in range(3)] == ["hint 1 of 2: a", "hint 2 of 2: b", "hint 2 of 2: b"]


def test_a_question_outside_of_a_notebook_is_text_and_takes_an_answer(lab):
    asked = lab.lesson("01").reset().predict("again")
    assert asked.ask().text.startswith("? The same file")
    asked.choose("a")
    assert "You said a) two more Pods start" in asked.reveal().text
    with pytest.raises(ValueError, match="choose one of a, b, c"):
        asked.choose("z")


def test_a_quiz_asks_three_questions_and_explains_all_of_them(lab):
    quiz = lab.lesson("01").quiz()
    assert "Question 3 of 3" in quiz.ask().text
    assert quiz.reveal().text.count("!") == 3
