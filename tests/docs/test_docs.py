"""What the pages say is true: their links lead somewhere, their commands exist, their tables are complete."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click import Command

from labkit.cli.frame import COMMANDS, GROUPS, load
from labkit.sandbox.images import listing

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()
PAGES = [ROOT / name for name in TRACKED]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?<![\w/.-])(?<!from )(?:\.venv/bin/)?labkit ((?:[a-z][\w-]*)(?: [^#`\n|)]*)?)")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> list[tuple[Path, str, str, str]]:
    return [
        (page, *found)
        for page in PAGES
        for found in LINK.findall(page.read_text(encoding="utf-8"))
        if not found[2].startswith(("http://", "https://", "mailto:"))
    ]


@pytest.mark.parametrize(("page", "image", "text", "target"), links(), ids=lambda x: getattr(x, "name", x))
def test_a_link_leads_somewhere_and_a_picture_says_what_it_shows(page, image, text, target):
    name, _, anchor = target.partition("#")
    file = (page.parent / name) if name else page
    assert file.exists(), f"{page.name}: {target}"
    if anchor:
        assert anchor in anchors(file), f"{page.name}: {target}"
    if image:
        assert len(text.split()) > 5, f"{page.name}: {target} needs alternative text"


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            found += [(page.name, text.strip()) for text in COMMAND.findall(line)]
    return found


@pytest.mark.parametrize(("page", "text"), commands())
def test_a_command_in_the_documentation_is_one_that_the_lab_has(page, text):
    words = [word for word in shlex.split(text.split("&&")[0].rstrip(",.;:")) if word]
    command: Command = _command(words, f"{page}: labkit {text}")
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        flag = word.partition("=")[0]
        if flag.startswith("-"):
            assert flag in options | {"--lab", "--auth-token", "--server", "--help", "-h"}, (
                f"{page}: labkit {text} has no {flag}"
            )


def _command(words: list[str], where: str) -> Command:
    known = COMMANDS
    assert words[0] in known, f"{where}: there is no such command"
    for word, following in zip(words, [*words[1:], "-"], strict=True):
        entry = known[word]
        group = GROUPS.get(entry.target.rstrip(":")) if entry.target.endswith(":") else None
        if group is None or not re.fullmatch(r"[a-z][a-z-]*", following):
            return load(word, entry)
        assert following in group, f"{where}: there is no such command"
        known = group
    raise AssertionError(where)


def test_the_commands_of_the_readme_are_seen_by_this_test():
    found = {text.split()[0] for page, text in commands() if page == "README.md"}
    assert {"up", "repo", "app", "chart", "demo", "init", "lab", "doctor"} <= found


def test_the_page_on_the_sandbox_names_each_image():
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", text, re.MULTILINE))
    assert shown == {name: entry.about for name, entry in listing()}


def test_the_readme_begins_with_what_it_is_a_picture_and_the_two_commands():
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:14]
    text = "\n".join(first)
    assert "make lab" in text
    assert "make demo" in text
    assert "](docs/pictures/" in text
