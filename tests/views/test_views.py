from __future__ import annotations

import pytest

from labkit.errors import RenderError
from labkit.views import View, stack
from labkit.views.diff import Change, diff
from labkit.views.files import files
from labkit.views.lesson import answer, question, verdict
from labkit.views.problem import problem
from labkit.views.stages import Stage, stages
from labkit.views.table import table

HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "view",
    [
        table([HOSTILE], [[HOSTILE]], title=HOSTILE),
        diff([Change(HOSTILE, f"a: {HOSTILE}", "a: 1", (HOSTILE,))]),
        files(HOSTILE, [HOSTILE]),
        stages([Stage(HOSTILE, "Running", HOSTILE)]),
        problem(RenderError(HOSTILE, where=HOSTILE, fix=HOSTILE)),
        question(HOSTILE, {"a": HOSTILE}),
        answer({"a": HOSTILE}, "a", HOSTILE, None),
        verdict(HOSTILE, False, HOSTILE, HOSTILE, HOSTILE),
    ],
)
def test_text_from_a_cluster_or_a_repository_is_never_markup(view: View) -> None:
    assert HOSTILE in view.text or "alert(1)" in view.text
    assert "<script>" not in view.html
    assert "&lt;script&gt;" in view.html


def test_a_table_lines_its_columns_up_and_leaves_no_space_at_the_end() -> None:
    assert table(["NAME", "HEALTH"], [["web", "Healthy"], ["a-longer-name", ""]]).text.splitlines() == [
        "NAME           HEALTH",
        "web            Healthy",
        "a-longer-name",
    ]


def test_an_empty_table_says_so() -> None:
    assert "(none)" in table(["NAME"], []).text
    assert "(none)" in table(["NAME"], []).html


def test_a_difference_shows_live_as_minus_and_git_as_plus() -> None:
    view = diff(
        [Change("Deployment web", "replicas: 1\n", "replicas: 3\n", ("replicas: written by kubectl",))]
    )
    assert "-replicas: 1\n+replicas: 3\nreplicas: written by kubectl" in view.text


def test_resources_without_a_difference_are_left_out() -> None:
    view = diff([Change("a", "x: 1", "x: 1"), Change("b", "", "y: 2")])
    assert "=== a" not in view.text
    assert "=== b" in view.text


def test_no_difference_at_all_is_said_in_words() -> None:
    assert diff([]).text.startswith("Nothing differs")


def test_files_are_drawn_as_a_tree_with_remarks() -> None:
    assert files("web", ["values.yaml", "templates/deployment.yaml"], {"values.yaml": "the knobs"}).text == (
        "web/\n├── templates/\n│   └── deployment.yaml\n└── values.yaml          the knobs"
    )


def test_a_status_always_has_its_sign_and_its_word() -> None:
    view = stages([Stage("healthy", "Degraded", "ImagePullBackOff"), Stage("next")])
    assert view.text == "✖ healthy  ImagePullBackOff\n· next"
    assert "✖ healthy" in view.html


def test_views_stacked_keep_their_order_and_skip_empty_ones() -> None:
    assert stack([View("a", "<i>a</i>"), View("", ""), View("b", "<i>b</i>")]).text == "a\n\nb"


def test_the_same_data_gives_the_same_picture() -> None:
    def draw() -> str:
        return table(["A"], [["Healthy"]])._repr_html_()

    assert draw() == draw()


def test_a_long_message_stands_below_the_stages_where_there_is_room() -> None:
    message = "web/templates/configmap.yaml:10: there is no function 'qoute'\n  line 10: {{ .Values.colour | qoute }}"
    html = stages([Stage("rendered", "Failed", message), Stage("next")])._repr_html_()
    cards, _, below = html.partition("</ol>")
    assert "qoute" not in cards
    assert "line 10" in below
