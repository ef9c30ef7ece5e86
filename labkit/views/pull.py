"""A pull request as people read it: what is asked, what it changes in the sources and in each application, checks.

The facts are the service's JSON. What a page shows comes from commits and comments of others; the templates escape it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.views.diff import Change, diff
from labkit.views.table import table
from labkit.views.view import View, render, stack, style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JSON = dict[str, Any]
SIGNS = {"open": "○ open", "merged": "✓ merged", "closed": "✖ closed"}
SHORT = 7


class Form(NamedTuple):
    """What a page's form needs: the token that says that it is our page's, and who acts unless they say otherwise."""

    token: str
    by: str


def pull(facts: Mapping[str, Any]) -> View:
    """What is asked: title, branches, state, reviews and what was said."""
    head = f"#{facts['number']} {facts['title']}"
    asks = f"{facts['head']} → {facts['base']}, asked by {facts['by']}"
    said = [*_verdicts(facts), *_comments(facts)]
    lines = [head, f"  {SIGNS[facts['state']]}   {asks}", *(["  " + facts["body"]] if facts["body"] else [])]
    lines += [f"  {line}" for line in (*_merge(facts), *said)]
    html = render(
        "pull.html", head=head, state=SIGNS[facts["state"]], asks=asks, body=facts["body"],
        said=[*_merge(facts), *said],
    )  # fmt: skip
    return View("\n".join(lines), html)


def pulls(items: Sequence[Mapping[str, Any]]) -> View:
    """Several as a table."""
    rows = [
        (f"#{p['number']}", p["title"], f"{p['head']} → {p['base']}", SIGNS[p["state"]], p["by"])
        for p in items
    ]
    return table(["NUMBER", "TITLE", "BRANCHES", "STATE", "BY"], rows, plain=True)


def checks(items: Sequence[Mapping[str, Any]], obstacles: Sequence[str]) -> View:
    """What machines looked at, and what stands against a merge."""
    rows = []
    for each in items:
        rows.append(
            ("✓ passed" if each["passed"] else "✖ failed", each["name"], each["says"].partition("\n")[0])
        )
        rows += [("", "", line) for line in (*each["says"].splitlines()[1:], *each["details"])]
    shown = table(["CHECK", "NAME", "SAYS"], rows, plain=True)
    if not obstacles:
        return shown
    return stack([shown, table(["WHAT STANDS AGAINST A MERGE"], [[each] for each in obstacles], plain=True)])


def source_diff(text: str) -> View:
    """The difference of the sources, as Git prints it."""
    if not text:
        return View("(no difference)", render("message.html", tone="", text="(no difference)"))
    lines = [(_tone(line), line) for line in text.splitlines()]
    return View(text.rstrip("\n"), render("patch.html", lines=lines))


def rendered_diff(applications: Sequence[Mapping[str, Any]]) -> View:
    """What a merge would change in each application: the rendered objects, before and after."""
    if not applications:
        text = "No application follows this branch."
        return View(text, render("message.html", tone="", text=text))
    return stack(_application(each) for each in applications)


def page(
    facts: Mapping[str, Any], *, diff: JSON, rendered: JSON, checks: JSON, form: Form, problem: str = ""
) -> str:
    """One pull request as a whole HTML page, with what can be done with it; ``problem``: why it was not done."""
    parts = [
        *_problem(problem),
        ("", pull(facts).html),
        ("Checks", _checks(checks["items"], checks["obstacles"]).html),
        ("What changes in the cluster", rendered_diff(rendered["applications"]).html),
        ("What changes in the sources", source_diff(diff["text"]).html),
    ]
    if facts["state"] == "open":
        held = "; ".join(checks["obstacles"])
        shown = render("pull_forms.html", token=form.token, by=form.by, obstacles=held, head=facts["head"])
        parts.append(("Your part", shown))
    title = f"#{facts['number']} {facts['title']} · {facts['repository']}"
    return _page(title, parts)


def page_of_all(
    repository: str,
    items: Sequence[Mapping[str, Any]],
    *,
    branches: Sequence[str],
    form: Form,
    problem: str = "",
) -> str:
    """All pull requests of a repository as a whole HTML page; ``branches``, the default one first, can be asked for."""
    links = [(f"pulls/{p['number']}", f"#{p['number']} {p['title']}", SIGNS[p["state"]]) for p in items]
    asked = {p["head"] for p in items if p["state"] == "open"}
    heads = [name for name in branches[1:] if name not in asked]
    new = render("pull_open.html", token=form.token, by=form.by, branches=heads, bases=branches)
    parts = [*_problem(problem), ("", render("pull_list.html", links=links)), ("Ask for a branch", new)]
    return _page(f"Pull requests · {repository}", parts)


def _problem(text: str) -> list[tuple[str, str]]:
    return [("", render("message.html", tone="bad", text=text))] if text else []


_checks = checks


def _page(title: str, parts: Sequence[tuple[str, str]]) -> str:
    from markupsafe import Markup

    shown = [(name, Markup(html)) for name, html in parts]  # noqa: S704  # our own templates made it
    return render("page.html", title=title, style=Markup(style()), parts=shown)  # noqa: S704  # our own sheet


def _application(each: Mapping[str, Any]) -> View:
    name = f"{each['application']} (namespace {each['namespace']})"
    if each["problem"]:
        text = f"{name}: it would not render: {each['problem']}"
        return View(text, render("message.html", tone="bad", text=text))
    changes = [
        Change(f"{name}: {o['change']} {o['kind']} {o['name']}", o["before"], o["after"])
        for o in each["objects"]
    ]
    return diff(changes, same=f"{name}: nothing would change", legend="− now   + after the merge")


def _verdicts(facts: Mapping[str, Any]) -> list[str]:
    last = {review["by"]: review for review in facts["reviews"]}
    shown = []
    for who, review in last.items():
        word = "✓ approved by" if review["verdict"] == "approved" else "✖ changes asked for by"
        old = "" if review["sha"] == facts["head_sha"] else ", of an earlier commit"
        shown.append(f"{word} {who}{old}" + (f": {review['body']}" if review["body"] else ""))
    return shown


def _comments(facts: Mapping[str, Any]) -> list[str]:
    return [
        f"{c['by']}: {c['body']}" + (f" ({c['path']}:{c['line']})" if c["path"] else "")
        for c in facts["comments"]
    ]


def _merge(facts: Mapping[str, Any]) -> list[str]:
    done = facts["merged"]
    if facts["state"] != "merged" or not done:
        return []
    return [f"merged by {done['by']} ({done['method']}) as {done['sha'][:SHORT]}"]


def _tone(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return ""
    return {"+": "add", "-": "del", "@": "at"}.get(line[:1], "")
