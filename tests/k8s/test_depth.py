import pytest

from labkit.errors import ManifestError
from labkit.k8s.yaml import MAX_DEPTH, load

DEEP = 100_000


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * DEEP, "{a: " * DEEP, "- " * DEEP + "x", "? " * DEEP + "x", "[\n" * DEEP],
    ids=["brackets", "braces", "dashes", "question marks", "brackets on many lines"],
)
def test_nesting_without_end_is_an_error_and_not_a_crash(text: str) -> None:
    with pytest.raises(ManifestError, match=f"nested deeper than {MAX_DEPTH} levels"):
        load(text, file="deep.yaml")


def test_indentation_without_end_is_an_error_and_not_a_crash() -> None:
    text = "".join(" " * n + "a:\n" for n in range(3000))
    with pytest.raises(ManifestError, match="nested deeper"):
        load(text)


def test_many_short_lists_are_not_deep() -> None:
    assert len(load("\n".join(f"k{n}: [1, [2]]" for n in range(1000)))) == 1000
