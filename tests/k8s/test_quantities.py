from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.k8s.quantities import canonical, parse

few = settings(max_examples=100, deadline=None)
suffixes = st.sampled_from(["", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2"])
written = st.builds(
    lambda whole, fraction, suffix: f"{whole}{fraction}{suffix}",
    st.integers(-(10**6), 10**6),
    st.sampled_from(["", ".5", ".25", ".125"]),
    suffixes,
)


@pytest.mark.parametrize(
    ("text", "value", "form"),
    [
        ("250m", "0.25", "250m"),
        ("1000m", "1", "1"),
        ("0.5", "0.5", "500m"),
        ("1.50", "1.5", "1500m"),
        ("64Mi", "67108864", "64Mi"),
        ("1024Ki", "1048576", "1Mi"),
        ("0.5Gi", "536870912", "512Mi"),
        ("0.1Ki", "102.4", "102400m"),
        ("1e3", "1000", "1e3"),
        ("1500000", "1500000", "1500k"),
        ("0Ki", "0", "0"),
        ("-1Gi", "-1073741824", "-1Gi"),
        (2, "2", "2"),
        (0.1, "0.1", "100m"),
    ],
)
def test_a_quantity_has_a_value_and_one_canonical_form(text: str | float, value: str, form: str) -> None:
    assert parse(text) == Decimal(value)
    assert canonical(text) == form


@pytest.mark.parametrize("text", ["", "ten", "1 Gi", "1gi", "--1", "1.2.3", ".", "1e", "٣", "1e" + "9" * 30])
def test_what_is_no_quantity_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="quantit"):
        parse(text)


@pytest.mark.parametrize("text", ["1e30", "9Ei", "9" * 400, "1e1000000", "1e999999999999"])
def test_nothing_is_larger_than_the_largest(text: str) -> None:
    assert parse(text) == 2**63 - 1
    assert parse("-" + text) == -(2**63 - 1)


@pytest.mark.parametrize("text", ["0.0000000001", "1e-400", "1e-1000000"])
def test_nothing_is_finer_than_a_nano(text: str) -> None:
    assert parse(text) == Decimal("1e-9")


@few
@given(written)
def test_the_canonical_form_has_the_same_value_and_is_its_own_canonical_form(text: str) -> None:
    form = canonical(text)
    assert canonical(form) == form
    assert abs(parse(form) - parse(text)) < 1  # bytes are rounded up to whole ones
