"""Git's graph: lanes, order, the branches' names, and the same facts as text."""

from __future__ import annotations

from labkit.views.commits import Dot, commits

FIRST, BRANCH, MAIN = Dot("1", (), "first"), Dot("2", ("1",), "on <a> branch"), Dot("3", ("1",), "on main")
MERGE = Dot("4", ("3", "2"), "merge")


def test_a_branch_that_is_ahead_stands_above_main_in_a_lane_of_its_own():
    shown = commits("Ahead", [FIRST, BRANCH], {"main": "1", "three": "2"})
    assert shown.text.splitlines() == ["Ahead", "| *  [three] on <a> branch", "*    [main] first"]


def test_what_was_merged_lies_between_the_merge_and_where_it_began():
    shown = commits("Merged", [FIRST, MAIN, BRANCH, MERGE], {"main": "4", "origin/main": "4"})
    assert shown.text.splitlines() == [
        "Merged",
        "*    [main, origin/main] merge",
        "| *  on <a> branch",
        "*    on main",
        "*    first",
    ]
    assert shown.html.count("<path") == 4


def test_what_no_branch_leads_to_is_not_drawn_and_a_parent_out_of_sight_ends_the_line():
    shown = commits("Cut", [BRANCH, MAIN], {"three": "2"})
    assert shown.text.splitlines() == ["Cut", "*  [three] on <a> branch"]
    assert "<path" not in shown.html


def test_the_picture_has_the_text_as_its_alternative_and_escapes_messages():
    shown = commits("Git", [FIRST, BRANCH], {"main": "2"})
    assert 'role="img" aria-label="Git' in shown.html
    assert "on &lt;a&gt; branch" in shown.html
    assert "<a>" not in shown.html


def test_no_commits_are_still_a_picture():
    assert commits("Nothing yet", [], {}).text == "Nothing yet"
