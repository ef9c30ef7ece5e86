"""What is said stands in one catalogue, and a translation may be half done."""

from __future__ import annotations

from labkit.settings.texts import _over, texts


def test_a_room_finds_its_texts():
    assert texts("labkit.views", "lesson")["not-yet"] == "not yet"


def test_a_language_that_nobody_has_written_is_english(monkeypatch):
    monkeypatch.setenv("LABKIT_LANGUAGE", "tlh")
    assert texts("labkit.views", "lesson")["not-yet"] == "not yet"


def test_a_half_done_translation_is_filled_up_and_adds_no_keys():
    english = {"a": "one", "b": {"c": "two", "d": "three"}, "hints": ["x", "y"]}
    german = {"a": "eins", "b": {"c": "zwei"}, "hints": ["z"], "more": "?"}
    assert _over(english, german) == {"a": "eins", "b": {"c": "zwei", "d": "three"}, "hints": ["z"]}
