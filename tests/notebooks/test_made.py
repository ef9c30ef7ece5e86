"""A lesson's text becomes notebooks, and the structure's rules see what breaks them."""

from __future__ import annotations

import json

import pytest

from labkit.lessons.notebooks import Reader, cells, notebook
from labkit.lessons.structure import complaints

TEXT = """\
# 07 · A lesson

You will be able to … You need … Minutes … Runs on … the [glossary](glossary.md#pod).

```instructor
Wait here.
```

## A part

```yaml
## this is no heading
```

```python
exercise.check()
```

```python trainee
# your turn
```

```python solution
work()
```

## Five lines to remember

1. a
2. b
3. c
4. d
5. e

[More](https://kubernetes.io/)
"""


def sources(reader):
    return ["".join(cell["source"]) for cell in notebook(TEXT, reader)["cells"]]


def test_text_is_cut_into_cells_at_code_and_at_headings_of_the_second_level():
    kinds = [(cell.kind, cell.whose) for cell in cells(TEXT)]
    assert kinds == [
        ("markdown", ""), ("instructor", ""), ("markdown", ""), ("python", ""), ("python", "trainee"),
        ("python", "solution"), ("markdown", ""),
    ]  # fmt: skip


def test_the_trainee_gets_no_solution_and_no_note():
    assert "work()" not in sources(Reader.TRAINEE)
    assert "# your turn" in sources(Reader.TRAINEE)
    assert "Wait here" not in str(sources(Reader.TRAINEE))


def test_the_solution_checks_strictly():
    assert "exercise.check(strict=True)" in sources(Reader.SOLUTION)
    assert "# your turn" not in sources(Reader.SOLUTION)


def test_the_instructor_gets_everything():
    shown = sources(Reader.INSTRUCTOR)
    assert {"work()", "# your turn", "exercise.check()"} <= set(shown)
    assert shown[1].startswith("> **For the instructor**")


def test_links_to_the_glossary_lead_to_its_notebook_from_every_folder():
    assert "(glossary.ipynb#pod)" in sources(Reader.TRAINEE)[0]
    assert "(../glossary.ipynb#pod)" in sources(Reader.SOLUTION)[0]


def test_a_good_notebook_has_no_complaints():
    assert complaints(notebook(TEXT, Reader.TRAINEE)) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# 07", "## 07", "one # heading"),
        ("## A part", "# A part", "one # heading"),
        ("## A part", "### A part", "level 3 after one of level 1"),
        ("Minutes …", "", "does not say 'Minutes'"),
        ("5. e\n", "", "five numbered lines"),
        ("https://kubernetes.io/", "more.md", "documentation"),
        ("glossary.md#pod", "other.md", "glossary"),
        ("## A part", "## A part\n\n![](a.png)", "a picture without words"),
        ("## A part", "## A part\n\nIn /tmp/ana/lab", "an absolute path"),
    ],
)
def test_a_text_that_breaks_a_rule_is_told(old, new, complaint):
    assert old in TEXT
    assert complaint in str(complaints(notebook(TEXT.replace(old, new, 1), Reader.TRAINEE)))


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ({"text": ["line\n"] * 41}, "more than 40 lines"),
        ({"text": "at 2026-01-01T10:00:00Z"}, "a time"),
        ({"text": "pod web-5d8f7c9bd4-x2x9z"}, "a generated name"),
        ({"text": "http://127.0.0.1:41234"}, "a port"),
        ({"data": {"text/plain": "<X at 0x7f0000000000>"}}, "a Python object's address"),
        ({"data": {"text/html": "<svg></svg>", "text/plain": "x"}}, "a picture without words"),
        ({"data": {"text/html": "<b>red</b>"}}, "without a text form"),
    ],
)
def test_an_output_that_breaks_a_rule_is_told(output, complaint):
    made = json.loads(json.dumps(notebook(TEXT, Reader.TRAINEE)))
    next(cell for cell in made["cells"] if cell["cell_type"] == "code")["outputs"] = [output]
    assert complaint in str(complaints(made))
