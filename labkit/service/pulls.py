"""Pull requests over HTTP: the forge's, with what the controller would render of them.

The forge knows Git, the controller knows what applications make of it; here they meet. The paths are close to
GitHub's, ``/api/v1/repositories/{name}/pulls/{number}/{part}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import BadRequest, NotFound
from labkit.forge import Check, Pulls
from labkit.runtime.clock import SystemClock
from labkit.service.address import TRAINEE
from labkit.views.pull import Form, page, page_of_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.forge import Forge, PullRequest, Repo
    from labkit.service.engine import Engine

JSON = dict[str, Any]

_FORM: dict[str, tuple[str, JSON]] = {
    "comment": ("comments", {}),
    "approve": ("reviews", {"verdict": "approved"}),
    "request-changes": ("reviews", {"verdict": "changes-requested"}),
    "merge": ("merge", {"method": "merge"}),
    "squash": ("merge", {"method": "squash"}),
    "close": ("close", {}),
}
"""The buttons of a pull request's page: which part of the API each asks, and what it adds."""


class PullDesk:
    """Answers what notebook, command line and browser ask about pull requests."""

    def __init__(
        self, forge: Forge, engine: Engine, on_merge: Callable[[Repo], object], base_url: str
    ) -> None:
        self._forge, self._engine, self._base_url = forge, engine, base_url
        self._pulls = Pulls(forge, SystemClock(), more_checks=self._renders, on_merge=on_merge)

    def many(self, name: str, query: Mapping[str, str]) -> JSON:
        """``GET …/pulls?state=open``."""
        found = self._pulls.all(name, query.get("state") or "open")
        return {"items": [self._shown(name, pull) for pull in found]}

    def open(self, name: str, body: JSON) -> JSON:
        """``POST …/pulls``: ``{head, base, title, body, by}``."""
        said = {key: str(body.get(key) or "") for key in ("head", "base", "title", "body")}
        if not said["head"]:
            raise BadRequest("it does not say which branch", where="head", fix='Send {"head": "my-change"}')
        return self._shown(name, self._pulls.open(name, **said, by=_by(body)))

    def ask(self, name: str, number: int, part: str) -> JSON:
        """``GET …/pulls/7`` and its parts: ``diff``, ``rendered``, ``checks``."""
        pull = self._pulls.get(name, number)
        match part:
            case "":
                return self._shown(name, pull) | {"commits": self._commits(name, pull)}
            case "diff":
                diff = self._pulls.diff(name, pull)
                return {"text": diff.text, "files": [change.path for change in diff.files]}
            case "rendered":
                return {"applications": self._rendered(name, pull)}
            case "checks":
                checks = [vars_of(check) for check in self._pulls.checks(name, pull)]
                return {"items": checks, "obstacles": self._obstacles(name, pull)}
        raise NotFound(f"a pull request has no {part!r}", where=part, fix="diff, rendered or checks")

    def act(self, name: str, number: int, part: str, body: JSON) -> JSON:
        """``POST …/pulls/7/comments``, ``reviews``, ``merge`` or ``close``."""
        match part:
            case "comments":
                path, line = str(body.get("path") or ""), int(body.get("line") or 0)
                text = str(body.get("body") or "")
                pull = self._pulls.comment(name, number, text, by=_by(body), path=path, line=line)
            case "reviews":
                verdict, text = str(body.get("verdict") or ""), str(body.get("body") or "")
                pull = self._pulls.review(name, number, verdict, by=_by(body), body=text)
            case "merge":
                method, gone = str(body.get("method") or "merge"), bool(body.get("delete_branch"))
                pull = self._pulls.merge(name, number, by=_by(body), method=method, delete_branch=gone)
            case "close":
                pull = self._pulls.close(name, number)
            case _:
                raise NotFound(
                    f"a pull request cannot {part!r}", where=part, fix="comments, reviews, merge, close"
                )
        return self._shown(name, pull)

    def protection(self, name: str, body: JSON | None) -> JSON:
        """``GET`` and ``POST …/protection``: ``{branch, protected, approvals}``."""
        if body is not None:
            branch = str(body.get("branch") or "")
            if body.get("protected", True):
                self._pulls.protect(name, branch, approvals=int(body.get("approvals", 1)))
            else:
                self._pulls.unprotect(name, branch)
        rules = self._pulls.rules(name).values()
        return {"items": [{"branch": rule.branch, "approvals": rule.approvals} for rule in rules]}

    def html(self, name: str, number: int | None, token: str, *, by: str = "", problem: str = "") -> str:
        """The page of one pull request, or of all of a repository, with forms that carry ``token``."""
        form = Form(token, by or TRAINEE)
        if number is None:
            repo = self._forge.get(name)
            names = [branch.name for branch in repo.reader.branches()]
            branches = sorted(names, key=lambda each: (each != repo.default_branch, each))
            found = self.many(name, {"state": "all"})["items"]
            return page_of_all(name, found, branches=branches, form=form, problem=problem)
        parts = {part: self.ask(name, number, part) for part in ("diff", "rendered", "checks")}
        return page(self.ask(name, number, ""), **parts, form=form, problem=problem)

    def submitted(self, name: str, number: int | None, said: Mapping[str, str]) -> int:
        """Do what a page's form says; returns the number of the pull request to show."""
        body, wanted = dict(said), said.get("do", "")
        if number is None:
            if wanted != "open":
                raise BadRequest(f"{wanted!r} is nothing that can be done here", where="do", fix="open")
            return int(self.open(name, body)["number"])
        if wanted not in _FORM:
            raise BadRequest(
                f"{wanted!r} is nothing that can be done here", where="do", fix=f"One of {', '.join(_FORM)}"
            )
        part, more = _FORM[wanted]
        self.act(name, number, part, body | more)
        return number

    def _rendered(self, name: str, pull: PullRequest) -> list[JSON]:
        before, after = self._pulls.trial(name, pull)
        repo = self._forge.get(name)
        return self._engine.preview(name, pull.base, repo.default_branch, before, after)

    def _renders(self, repo: Repo, pull: PullRequest, before: str, after: str) -> list[Check]:
        """A check for each application that follows the base: does what would be merged render?"""
        found = self._engine.preview(repo.name, pull.base, repo.default_branch, before, after)
        return [
            Check(f"render {each['application']}", not each["problem"], each["problem"] or _count(each))
            for each in found
        ]

    def _obstacles(self, name: str, pull: PullRequest) -> list[str]:
        return self._pulls.obstacles(name, pull) if pull.state == "open" else []

    def _commits(self, name: str, pull: PullRequest) -> list[JSON]:
        return [
            {"sha": c.sha, "subject": c.subject, "author": c.author.name, "date": c.date.isoformat()}
            for c in self._pulls.commits(name, pull)
        ]

    def _shown(self, name: str, pull: PullRequest) -> JSON:
        url = f"{self._base_url}/git/{name}/pulls/{pull.number}"
        more = {"repository": name, "url": url, "approvals": pull.approvals, "objections": pull.objections}
        return pull.to_json() | more


def vars_of(check: Check) -> JSON:
    """A check as JSON."""
    return {"name": check.name, "passed": check.passed, "says": check.says, "details": list(check.details)}


def _count(each: JSON) -> str:
    count = len(each["objects"])
    return f"{count} object{'s'[: count != 1]} would change" if count else "nothing would change"


def _by(body: JSON) -> str:
    return str(body.get("by") or TRAINEE)
