"""``pullRequest``: a set for each open pull request of a repository on a Git host that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.errors import RepositoryNotFound, RepositoryUnreachable
from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.applicationsets.inputs import PullRequest, Repository
from labkit.gitops.applicationsets.parameters import slug
from labkit.gitops.applicationsets.spec import listing, mapping, text
from labkit.k8s import expressions

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.generators.children import Scene
    from labkit.gitops.applicationsets.parameters import JSON, Params

PROVIDERS = {
    "github": ("owner", "repo"),
    "gitea": ("owner", "repo"),
    "gitlab": ("", "project"),
    "bitbucket": ("owner", "repo"),
    "bitbucketServer": ("project", "repo"),
    "azuredevops": ("project", "repo"),
}
_FILTERS = {"branchMatch": "branch", "targetBranchMatch": "target_branch", "titleMatch": "title"}


def make(spec: JSON, scene: Scene, where: str) -> list[Params]:
    """The open pull requests that have all the labels, and pass one of the filters if there are any."""
    provider = next((name for name in PROVIDERS if spec.get(name) is not None), "")
    if not provider:
        raise InvalidSpec(
            "no Git host is named",
            where=where,
            fix=f"{where.rpartition('.')[2]}: {{gitea: {{owner: …, repo: …}}}}",
        )
    place, host = f"{where}.{provider}", mapping(spec[provider], f"{where}.{provider}")
    owner, name = PROVIDERS[provider]
    repository = Repository(
        provider, text(host, "api", place), text(host, owner, place) if owner else "", text(host, name, place)
    )
    wanted = set(host.get("labels") or [])
    filters = _filters(spec, where)
    found = [pull for pull in _open(repository, spec, scene, place) if wanted <= set(pull.labels)]
    if filters:
        found = [pull for pull in found if any(_passes(pull, one) for one in filters)]
    values = mapping(spec.get("values"), f"{where}.values")
    return [scene.renderer.values(values, _parameters(pull, go=scene.renderer.go)) for pull in found]


def _open(repository: Repository, spec: JSON, scene: Scene, where: str) -> list[PullRequest]:
    if scene.inputs.pull_requests is None:
        raise RepositoryUnreachable(
            "no Git host with pull requests is known here", where=where, fix="Start the lab: labkit up"
        )
    try:
        return sorted(scene.inputs.pull_requests(repository), key=lambda pull: pull.number)
    except RepositoryNotFound:
        if spec.get("continueOnRepoNotFoundError"):
            return []
        raise


def _filters(spec: JSON, where: str) -> list[dict[str, str]]:
    found = []
    for number, raw in enumerate(listing(spec, "filters", where)):
        place = f"{where}.filters[{number}]"
        one = {_FILTERS[key]: text(raw, key, place) for key in _FILTERS if raw.get(key) is not None}
        for part, pattern in one.items():
            if wrong := expressions.problem(pattern):
                raise InvalidSpec(
                    f"{pattern!r} is no regular expression: {wrong}",
                    where=f"{place} ({part})",
                    fix='branchMatch: "^feature/.*"',
                )
        found.append(one)
    return found


def _passes(pull: PullRequest, patterns: dict[str, str]) -> bool:
    return all(expressions.matches(pattern, getattr(pull, part)) for part, pattern in patterns.items())


def _parameters(pull: PullRequest, *, go: bool) -> Params:
    made: Params = {
        "number": str(pull.number),
        "title": pull.title,
        "branch": pull.branch,
        "branch_slug": slug(pull.branch),
        "target_branch": pull.target_branch,
        "target_branch_slug": slug(pull.target_branch),
        "head_sha": pull.head_sha,
        "head_short_sha": pull.head_sha[:8],
        "head_short_sha_7": pull.head_sha[:7],
        "author": pull.author,
    }
    return made | ({"labels": list(pull.labels)} if go else {})
