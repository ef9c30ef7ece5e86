from collections.abc import Callable

import pytest

from labkit.k8s import names

Rule = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (
            names.dns1123_label,
            ["a", "web-1", "1a", "a" * 63],
            ["", "A", "-a", "a-", "a.b", "a_b", "a" * 64, "a\n", "ä"],
        ),
        (
            names.dns1123_subdomain,
            ["a", "a.b-c.d", "1.2"],
            ["", ".a", "a.", "a..b", "A.b", "a" * 254, "a.b\n"],
        ),
        (names.dns1035_label, ["a", "web-1"], ["1a", "", "-a", "a" * 64, "A"]),
        (
            names.label_key,
            ["a", "A_b.c", "example.com/Name", "a" * 63],
            ["", "/a", "a/", "a/b/c", "-a", "A.com/x/", "a" * 64],
        ),
        (names.label_value, ["", "a", "A_b.c-1"], ["-", "a b", "a" * 64, "ä", "a\n"]),
        (names.config_key, ["a.b_c-D", ".hidden"], ["", ".", "..", "..a", "a b", "a" * 254]),
    ],
)
def test_a_rule_takes_what_is_good_and_says_what_is_wrong_with_the_rest(
    rule: Rule, good: list[str], bad: list[str]
) -> None:
    assert [text for text in good if rule(text)] == []
    assert [text for text in bad if not rule(text)] == []


def test_what_is_wrong_is_said_in_the_apis_words() -> None:
    (problem,) = names.dns1123_label("My_App")
    assert problem.startswith(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    )
    assert problem.endswith("regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
    assert names.dns1123_label("a" * 64) == ["must be no more than 63 bytes"]
    assert names.dns1123_label("a.b") == ["must not contain dots"]
