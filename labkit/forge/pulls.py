"""The pull requests of the forge's repositories: opened, talked about, approved, merged.

Each is one file in its repository's folder, written whole or not at all; a merge is first Git's (one reference moves)
and then the file's. If the lab dies between the two, the next look sees in Git that the branch is merged. The
requests' commits stay under ``refs/pull/<number>/head``, as on GitHub, so that ``git fetch origin pull/7/head`` works.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labkit.errors import MergeConflict, PullRequestError, PullRequestNotFound, RevisionNotFound
from labkit.forge import merging, protection
from labkit.forge.leaks import leaks
from labkit.forge.pull import (
    CLOSED,
    MERGED,
    OPEN,
    Check,
    Comment,
    Merge,
    PullRequest,
    Review,
    a_name,
    a_text,
)
from labkit.forge.repositories import LAB
from labkit.git import Person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labkit.forge.repositories import Forge, Repo
    from labkit.git import Commit, Diff
    from labkit.runtime.clock import Clock

FOLDER = "lab-pulls"


class Pulls:
    """The pull requests of one forge. Safe to use from threads.

    ``more_checks`` is asked for further checks of a request: with its repository, the request, and the commits
    before and after. ``on_merge`` is told of each repository that a merge was made in.
    """

    def __init__(
        self,
        forge: Forge,
        clock: Clock,
        *,
        more_checks: Callable[[Repo, PullRequest, str, str], list[Check]] = lambda *_: [],
        on_merge: Callable[[Repo], object] = lambda _repo: None,
    ) -> None:
        self._forge, self._clock = forge, clock
        self._more_checks, self._on_merge = more_checks, on_merge
        self._lock = threading.RLock()

    # -- looking

    def all(self, name: str, state: str = OPEN) -> list[PullRequest]:
        """Those of a repository, newest first: ``open``, ``merged``, ``closed`` or ``all``."""
        repo = self._forge.get(name)
        with self._lock:
            found = [self._seen(repo, pull) for pull in self._stored(repo)]
        return [pull for pull in reversed(found) if state in ("all", pull.state)]

    def get(self, name: str, number: int) -> PullRequest:
        """One of them, with what its branch is now; `PullRequestNotFound`."""
        repo = self._forge.get(name)
        with self._lock:
            return self._seen(repo, self._load(repo, number))

    def ends(self, name: str, pull: PullRequest) -> tuple[str, str]:
        """The commits before and after: of an open request today's, of a merged one those of the merge."""
        if pull.state == MERGED and pull.merged:
            return pull.merged.base_sha, pull.head_sha
        return self._forge.get(name).reader.resolve(f"refs/heads/{pull.base}"), pull.head_sha

    def diff(self, name: str, pull: PullRequest) -> Diff:
        """What its branch changes in the sources, since it parted from the base."""
        before, after = self.ends(name, pull)
        return self._forge.get(name).reader.diff(before, after, since_fork=True)

    def commits(self, name: str, pull: PullRequest) -> list[Commit]:
        """The commits that it brings, newest first."""
        before, after = self.ends(name, pull)
        return list(self._forge.get(name).reader.log(after, limit=100, without=[before]))

    def checks(self, name: str, pull: PullRequest) -> list[Check]:
        """What machines say: whether it can be merged, whether a secret slipped in, and what others look at."""
        repo = self._forge.get(name)
        before, after = self.ends(name, pull)
        merges, trial = self._merges(repo, pull, before, after)
        more = self._more_checks(repo, pull, before, trial) if trial else []
        return [merges, self._leaks(name, pull), *more]

    def trial(self, name: str, pull: PullRequest) -> tuple[str, str]:
        """The commits before and after a merge of it, made or tried; `MergeConflict` if it cannot be merged."""
        before, after = self.ends(name, pull)
        check, trial = self._merges(self._forge.get(name), pull, before, after)
        if not trial:
            raise MergeConflict(
                check.says, where=f"#{pull.number}", fix="Merge the base into the branch first."
            )
        return before, trial

    def obstacles(self, name: str, pull: PullRequest) -> list[str]:
        """What stands against a merge, in words; none on a branch that is not protected, save a conflict."""
        rule = protection.rules(self._forge.get(name).path).get(pull.base)
        checks = self.checks(name, pull)
        if rule is None:
            return [check.says for check in checks if not check.passed and check.name == "merge"]
        found = [f"the check {check.name!r} fails: {check.says}" for check in checks if not check.passed]
        found += [f"{who} asked for changes" for who in pull.objections]
        lacking = rule.approvals - len(pull.approvals)
        if lacking > 0:
            found.append(f"{lacking} approval{'s'[: lacking != 1]} of the newest commit missing")
        return found

    def rules(self, name: str) -> dict[str, protection.Rule]:
        """The protected branches."""
        return protection.rules(self._forge.get(name).path)

    # -- doing

    def open(
        self, name: str, *, head: str, base: str = "", title: str = "", body: str = "", by: str
    ) -> PullRequest:
        """Ask that ``head`` become part of ``base`` (the default branch); the title is by default the last commit's."""
        repo = self._forge.get(name)
        base = base or repo.default_branch
        before, after = self._tip(repo, base), self._tip(repo, head)
        if not repo.reader.log(after, limit=1, without=[before]):
            raise PullRequestError(
                f"{head} has nothing that {base} does not have",
                where=name,
                fix=f"Commit something on {head} and push it.",
            )
        with self._lock:
            for pull in self.all(name):
                if (pull.head, pull.base) == (head, base):
                    raise PullRequestError(
                        f"#{pull.number} asks for that already", where=name, fix=f"Look at #{pull.number}."
                    )
            number = max((pull.number for pull in self._stored(repo)), default=0) + 1
            title = a_text(title or repo.reader.commit(after).subject, "title").splitlines()[0]
            body = a_text(body, "body") if body.strip() else ""
            pull = PullRequest(number, title, base, head, after, a_name(by), self._now(), body)
            merging.place(repo.path, pull.ref, after)
            return self._save(repo, pull)

    def comment(
        self, name: str, number: int, body: str, *, by: str, path: str = "", line: int = 0
    ) -> PullRequest:
        """Say something, also about one that is closed."""
        comment = Comment(a_name(by), self._now(), a_text(body, "body"), path, line)
        return self._change(name, number, lambda pull: pull.said(comment))

    def review(self, name: str, number: int, verdict: str, *, by: str, body: str = "") -> PullRequest:
        """Approve of its newest commit, or ask for changes."""
        who, at = a_name(by), self._now()
        return self._change(
            name, number, lambda pull: pull.reviewed(Review(who, at, verdict, pull.head_sha, body.strip()))
        )

    def close(self, name: str, number: int) -> PullRequest:
        """Give it up; its branch and its commits stay."""

        def change(pull: PullRequest) -> PullRequest:
            pull.require(OPEN)
            return replace(pull, state=CLOSED)

        return self._change(name, number, change)

    def merge(
        self, name: str, number: int, *, by: str, method: str = merging.MERGE, delete_branch: bool = False
    ) -> PullRequest:
        """Make it part of its base: a commit with two parents (``merge``), or one of all changes (``squash``)."""
        repo, who = self._forge.get(name), a_name(by)
        if method not in (merging.MERGE, merging.SQUASH):
            raise PullRequestError(
                f"{method!r} is no way to merge", where="method", fix=f"{merging.MERGE} or {merging.SQUASH}"
            )
        with self._lock:
            pull = self.get(name, number)
            pull.require(OPEN)
            if obstacles := self.obstacles(name, pull):
                raise PullRequestError(
                    f"#{number} cannot be merged: {'; '.join(obstacles)}",
                    where=name,
                    fix="The checks and reviews of the pull request say more.",
                )
            pull = self._merged(repo, pull, who, method)
        if delete_branch:
            merging.remove(repo.path, f"refs/heads/{pull.head}", pull.head_sha)
        self._on_merge(repo)
        return pull

    def protect(self, name: str, branch: str = "", *, approvals: int = 1) -> protection.Rule:
        """Let a branch (the default one) take changes through pull requests only."""
        repo = self._forge.get(name)
        return protection.protect(repo.path, branch or repo.default_branch, approvals)

    def unprotect(self, name: str, branch: str = "") -> None:
        """Let a branch be pushed to again."""
        repo = self._forge.get(name)
        protection.unprotect(repo.path, branch or repo.default_branch)

    # -- within

    def _merged(self, repo: Repo, pull: PullRequest, who: str, method: str) -> PullRequest:
        base, head = self._tip(repo, pull.base), pull.head_sha
        tree = merging.merged_tree(repo.reader, base, head)
        parents: tuple[str, ...] = (base, head)
        text = f"Merge pull request #{pull.number} from {pull.head}\n\n{pull.title}"
        if method == merging.SQUASH:
            parents = (base,)
            subjects = [f"* {commit.subject}" for commit in reversed(self.commits(repo.name, pull))]
            words = pull.body or "\n".join(subjects)
            text = f"{pull.title} (#{pull.number})\n\n{words}"
        person = Person(who, f"{'.'.join(who.lower().split())}@lab.local")
        sha = merging.commit(repo.reader, tree, parents, text.strip() + "\n", person)
        done = Merge(who, self._now(), method, sha, base)
        # What is meant is noted first: if the lab ends between Git's step and ours, `_seen` finds it done.
        self._save(repo, replace(pull, merged=done))
        merging.move(repo.path, f"refs/heads/{pull.base}", sha, base)
        return self._save(repo, replace(pull, merged=done, state=MERGED))

    def _seen(self, repo: Repo, pull: PullRequest) -> PullRequest:
        """The request as Git has it now: its branch may have moved, or have been merged by hand."""
        reader = repo.reader
        tips = {branch.name: branch.sha for branch in reader.branches()}
        base, head = tips.get(pull.base, ""), tips.get(pull.head, pull.head_sha)
        if pull.state != OPEN:
            return pull
        if base and pull.merged and reader.contains(base, pull.merged.sha):
            return self._save(repo, replace(pull, state=MERGED))
        if head != pull.head_sha:
            merging.place(repo.path, pull.ref, head)
            pull = self._save(repo, replace(pull, head_sha=head))
        if base and reader.contains(base, head):
            pull = self._save(repo, replace(pull, state=MERGED, merged=self._by_hand(repo, base, head)))
        return pull

    def _by_hand(self, repo: Repo, base: str, head: str) -> Merge:
        """What a merge was that somebody made in a working copy and pushed, as far as Git tells."""
        path = repo.reader.git(
            "rev-list", "--ancestry-path", "--first-parent", f"{head}..{base}"
        ).text.split()
        sha = path[-1] if path else head
        commit = repo.reader.commit(sha)
        before = commit.parents[0] if commit.parents else sha
        return Merge(commit.author.name, self._now(), "push", sha, before)

    def _merges(self, repo: Repo, pull: PullRequest, before: str, after: str) -> tuple[Check, str]:
        """Whether it can be merged, and the commit that a merge would give, at ``refs/pull/<number>/merge``."""
        if pull.state == MERGED and pull.merged:
            return Check("merge", True, f"merged as {pull.merged.sha[:7]}"), pull.merged.sha
        reader = repo.reader
        try:
            tree = merging.merged_tree(reader, before, after)
        except MergeConflict as error:
            return Check("merge", False, error.problem), ""
        ref = pull.ref.removesuffix("head") + "merge"
        known = next((each.sha for each in reader.refs() if each.name == ref), "")
        if not known or reader.commit(known).parents != (before, after):
            known = merging.commit(reader, tree, (before, after), f"Trial of #{pull.number}\n", LAB)
            merging.place(repo.path, ref, known)
        return Check("merge", True, f"{pull.head} can be merged into {pull.base}"), known

    def _leaks(self, name: str, pull: PullRequest) -> Check:
        found = tuple(str(leak) for leak in leaks(self.diff(name, pull).text))
        if not found:
            return Check("secrets", True, "nothing that is added looks like a secret")
        return Check(
            "secrets",
            False,
            "an added line looks like a secret"
            if len(found) == 1
            else f"{len(found)} added lines look like secrets",
            found,
        )

    def _tip(self, repo: Repo, branch: str) -> str:
        tips = {each.name: each.sha for each in repo.reader.branches()}
        if branch not in tips:
            names = ", ".join(tips) or "none yet"
            raise RevisionNotFound(
                f"{repo.name} has no branch {branch!r}",
                where=repo.name,
                fix=f"There are: {names}. Push it: git push origin {branch}",
            )
        return tips[branch]

    def _change(self, name: str, number: int, change: Callable[[PullRequest], PullRequest]) -> PullRequest:
        repo = self._forge.get(name)
        with self._lock:
            return self._save(repo, change(self.get(name, number)))

    def _stored(self, repo: Repo) -> list[PullRequest]:
        numbers = sorted(int(path.stem) for path in self._folder(repo).glob("*.json") if path.stem.isdigit())
        return [self._load(repo, number) for number in numbers]

    def _load(self, repo: Repo, number: int) -> PullRequest:
        try:
            text = (self._folder(repo) / f"{number}.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            known = (
                ", ".join(f"#{path.stem}" for path in sorted(self._folder(repo).glob("*.json"))) or "none yet"
            )
            raise PullRequestNotFound(
                f"{repo.name} has no pull request #{number}", where=repo.name, fix=f"There are: {known}."
            ) from None
        found: dict[str, Any] = json.loads(text)
        return PullRequest.from_json(found)

    def _save(self, repo: Repo, pull: PullRequest) -> PullRequest:
        folder = self._folder(repo)
        folder.mkdir(exist_ok=True)
        new = folder / f"{pull.number}.new"
        with new.open("w", encoding="utf-8", newline="\n") as file:
            json.dump(pull.to_json(), file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / f"{pull.number}.json")
        return pull

    def _folder(self, repo: Repo) -> Path:
        return repo.path / FOLDER

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
