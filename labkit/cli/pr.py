"""``labkit pr``: pull requests on the lab's Git host, in the words of GitHub's ``gh pr``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.complete import repositories
from labkit.cli.output import Format, Output, listing, structured
from labkit.cli.session import note, say, session
from labkit.errors import LabError

if TYPE_CHECKING:
    from labkit.lab.repos import Repo

Repository = Annotated[
    str,
    typer.Option(
        "--repo",
        "-R",
        help="The repository; else that of the working copy here.",
        autocompletion=repositories,
    ),
]
Number = Annotated[int, typer.Argument(help="The pull request's number.")]
By = Annotated[str, typer.Option("--by", help="Who does it; else the trainee.")]


def create(
    repo: Repository = "",
    head: Annotated[str, typer.Option(help="The branch; else the one checked out here.")] = "",
    base: Annotated[str, typer.Option(help="Where it is to go; else the default branch.")] = "",
    title: Annotated[str, typer.Option("--title", "-t", help="Else the last commit's.")] = "",
    body: Annotated[str, typer.Option("--body", "-b", help="What it is for.")] = "",
    by: By = "",
    output: Output = Format.TABLE,
) -> None:
    """Open a pull request for a branch that was pushed."""
    found, branch = _here(repo)
    made = found.pulls.open(head or branch, base=base, title=title, body=body, by=by)
    if not structured(made.facts, output):
        say(repr(made))
        say(f"  {made.url}")


def list_(
    repo: Repository = "",
    state: Annotated[str, typer.Option("--state", "-s", help="open, merged, closed or all.")] = "open",
    output: Output = Format.TABLE,
) -> None:
    """List the pull requests of a repository."""
    listing(
        _here(repo)[0].pulls.items(state),
        output,
        {
            "NUMBER": lambda p: f"#{p['number']}",
            "TITLE": lambda p: p["title"],
            "BRANCHES": lambda p: f"{p['head']} → {p['base']}",
            "STATE": lambda p: p["state"],
            "BY": lambda p: p["by"],
        },
        wide={"URL": lambda p: p["url"]},
        empty="None. Push a branch, then: labkit pr create",
    )


def view(number: Number, repo: Repository = "", output: Output = Format.TABLE) -> None:
    """Show a pull request: what is asked, what was said, and what its checks say."""
    pull = _here(repo)[0].pulls[number]
    if not structured(pull.facts, output):
        say(f"{pull!r}\n\n{pull.checks}\n\n{pull.url}")


def diff(
    number: Number,
    repo: Repository = "",
    rendered: Annotated[
        bool, typer.Option("--rendered", help="The manifests of each application that would change.")
    ] = False,
) -> None:
    """Show what it changes: in the sources, or in each application's rendered manifests."""
    pull = _here(repo)[0].pulls[number]
    say(str(pull.rendered if rendered else pull.diff))


def comment(
    number: Number,
    body: Annotated[str, typer.Option("--body", "-b", help="What to say.")],
    repo: Repository = "",
    by: By = "",
) -> None:
    """Say something about it."""
    _here(repo)[0].pulls[number].comment(body, by=by)
    note(f"#{number}: said")


def review(
    number: Number,
    repo: Repository = "",
    approve: Annotated[bool, typer.Option("--approve", "-a", help="Approve of the newest commit.")] = False,
    request_changes: Annotated[
        bool, typer.Option("--request-changes", "-r", help="Say what has to change (--body).")
    ] = False,
    body: Annotated[str, typer.Option("--body", "-b", help="Why.")] = "",
    by: By = "",
) -> None:
    """Approve of it, or ask for changes. Nobody approves of what they opened: see --by."""
    if approve == request_changes:
        raise LabError("is it good or not?", where="labkit pr review", fix="--approve or --request-changes")
    pull = _here(repo)[0].pulls[number]
    if approve:
        pull.approve(by=by, body=body)
    else:
        pull.request_changes(body, by=by)
    note(f"#{number}: {'approved' if approve else 'changes asked for'}")


def merge(
    number: Number,
    repo: Repository = "",
    squash: Annotated[bool, typer.Option("--squash", help="As one commit.")] = False,
    delete_branch: Annotated[bool, typer.Option("--delete-branch", "-d", help="Its branch goes.")] = False,
    by: By = "",
) -> None:
    """Make it part of its base: with a merge commit, or as one commit."""
    pull = _here(repo)[0].pulls[number]
    pull.merge(method="squash" if squash else "merge", delete_branch=delete_branch, by=by)
    say(repr(pull))


def close(number: Number, repo: Repository = "") -> None:
    """Give it up; its branch and its commits stay."""
    _here(repo)[0].pulls[number].close()
    note(f"#{number}: closed")


def _here(name: str) -> tuple[Repo, str]:
    """The repository that is meant, and the branch that is checked out here, if there is a working copy."""
    repos = session.attach().repos
    found, branch = repos.here()
    if name:
        return repos[name], branch if found is not None and found.name == name else ""
    if found is None:
        raise LabError(
            "this is no working copy of one of the lab's repositories",
            where="--repo",
            fix="Name the repository: --repo NAME (labkit repo list)",
        )
    return found, branch
