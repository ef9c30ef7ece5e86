"""Boxes and arrows: the same facts as SVG and as text."""

from __future__ import annotations

from labkit.views.flow import Arrow, Box, flow

SERVICE = Box("s", "Service web", ("selects app: web",), "good")
PODS = Box("p", "Pods <web>", ("✓ 2 of 2 ready",))
SHOWN = flow("Who selects whom", [[SERVICE], [PODS]], [Arrow("s", "p", "selects")])


def test_the_text_says_what_the_picture_shows():
    assert SHOWN.text.splitlines() == [
        "Who selects whom",
        "  Service web · selects app: web",
        "    ─selects─▶ Pods <web>",
        "  Pods <web> · ✓ 2 of 2 ready",
    ]


def test_the_picture_has_the_text_as_its_alternative_and_escapes_names():
    assert 'role="img" aria-label="Who selects whom' in SHOWN.html
    assert "Pods &lt;web&gt;" in SHOWN.html
    assert "<web>" not in SHOWN.html


def test_boxes_take_their_colours_from_the_page():
    assert "#" not in SHOWN.html.replace("&#", "")


def test_an_empty_picture_is_still_a_picture():
    assert "Nothing here" in flow("Nothing here", [[], []], []).text
