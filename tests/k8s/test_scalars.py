import pytest

from labkit.k8s.yaml import load

GO = {
    "yes": True, "y": True, "off": False, "N": False, "True": True, "~": None, "Null": None,
    "0777": 511, "0o17": 15, "08": 8, "0x1F": 31, "-0x1F": -31, "0b11": 3, "1_000": 1000, "+1": 1,
    "1e3": 1000, "1.0": 1, "1.": 1, ".5": 0.5, "1.10": 1.1, "685_230.15": 685230.15,
    "1:30": "1:30", "5432:5432": "5432:5432", "2024-01-01": "2024-01-01", "=": "=", "<<": "<<",
    "1.2.3": "1.2.3", "0xg": "0xg", "1e": "1e", "1e999": "1e999", "_1": "_1", "-.": "-.", "0b2": "0b2",
}  # fmt: skip


@pytest.mark.parametrize(("written", "read"), GO.items())
def test_a_plain_scalar_is_what_go_reads(written: str, read: object) -> None:
    value = load(f"a: {written}")["a"]
    assert (value, type(value)) == (read, type(read))


def test_a_quoted_scalar_is_text() -> None:
    assert load("a: 'yes'\nb: \"1.10\"") == {"a": "yes", "b": "1.10"}


def test_a_key_is_text_whatever_it_looks_like() -> None:
    assert load("8080: a\nyes: b") == {"8080": "a", "true": "b"}
