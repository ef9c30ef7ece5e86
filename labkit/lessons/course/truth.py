"""Lesson 08, Git as the source of truth: a change goes to main through review, and a secret does not."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from labkit.git import Person
from labkit.k8s import yaml
from labkit.k8s.objects import get_path, uid_of
from labkit.lessons.written import Say, written
from labkit.runtime.clock import SystemClock
from labkit.views.code import code
from labkit.views.commits import Dot, commits

if TYPE_CHECKING:
    from labkit.git import WorkingCopy
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench
    from labkit.views import View

NAME = "bakery"
ENVIRONMENTS = ("test", "prod")
PROD, CHART = "environments/prod.yaml", "chart/values.yaml"
PODS = 3
COLLEAGUE = Person("A colleague", "colleague@lab.local")
LEAKY, OVEN, SEEN = "oven", "oven.prod.example", "sourdough-4711"
"""The colleague's branch, the setting that it is for, and the password that should not be in it."""


def follow(bench: Workbench) -> dict[str, Any]:
    """An Application for each environment: one chart, another values file, a namespace each."""
    return {
        name: bench.apps.create(
            f"{NAME}-{name}",
            repo=NAME,
            path="chart",
            automated=True,
            prune=True,
            self_heal=True,
            value_files=[f"/environments/{name}.yaml"],
            upsert=True,
        )
        for name in ENVIRONMENTS
    }


def bake(bench: Workbench) -> View:
    """What each bakery sells, once both are as Git says."""
    lines = []
    for name in ENVIRONMENTS:
        if f"{NAME}-{name}" in bench.apps:
            bench.apps[f"{NAME}-{name}"].refresh().wait()
        ns = bench.namespace(f"{NAME}-{name}")
        ns.wait()
        pods = len(ns.pod_objects())
        bread = ns.answer(NAME, "/env").get("BREAD", "no")
        lines.append(f"{name}: {bread} bread, from {pods} Pod{'s'[: pods != 1]}")
    return code("\n".join(lines))


def put(work: WorkingCopy, path: str, old: str, new: str) -> None:
    """Replace a text in a file of the working copy."""
    file = work.path / path
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


def leak(bench: Workbench) -> Any:
    """A colleague's pull request that says too much: the oven's address, and its password."""
    work = bench.repos[NAME].clone()
    work.checkout("main").pull()
    if LEAKY in {branch.name for branch in work.branches}:
        work.delete_branch(LEAKY)
    work.checkout(LEAKY, create=True)
    file = work.path / PROD
    said = f"{file.read_text(encoding='utf-8')}oven: {OVEN}\novenPassword: {SEEN}\n"
    file.write_text(said, encoding="utf-8", newline="\n")
    work.add(PROD).commit("An oven for the bakery", author=COLLEAGUE)
    work.push(force=LEAKY in work.remote_branches())
    work.checkout("main")
    return bench.repos[NAME].pulls.open(LEAKY, body="We bake at last.", by="colleague")


def traces(work: WorkingCopy, word: str) -> View:
    """The commits of this branch whose changes have a word in them, with these lines (``git log -p -S WORD``)."""
    found = []
    for commit in work.log(limit=100):
        if commit.parents:
            lines = work.diff(commit.parents[0], commit.sha).text.splitlines()
            if seen := [line for line in lines if word in line and line[:1] in "+-"]:
                found.append(f"{commit.subject} ({commit.author.name})\n  " + "\n  ".join(seen))
    return code("\n".join(found) or f"no commit has {word!r}")


def drawn(work: WorkingCopy, word: str = "") -> View:
    """The commits of all branches, here and (``origin/…``) on the Git host, as a graph: ``git log --graph --all``.

    With ``word`` those whose files have it in them are marked.
    """
    work.fetch()
    places = {branch.name: branch.sha for branch in work.branches}
    places |= {f"origin/{name}": sha for name, sha in work.remote_branches().items()}
    first = [name for name in ("origin/main", "main") if name in places]
    branches = {name: places[name] for name in (*first, *sorted(places))}
    found = {commit.sha: commit for tip in branches.values() for commit in work.log(tip, limit=100)}
    dots = []
    for commit in found.values():
        bad = bool(word) and any(word in work.read(path, commit.sha) for path in (PROD, CHART))
        text = f"{commit.subject} ({commit.author.name})" + (f": ✗ has {word}" if bad else "")
        dots.append(Dot(commit.sha, commit.parents, text, "bad" if bad else ""))
    return commits("Commits, the newest above, and the branches that point to them", dots, branches)


def lose(bench: Workbench, environment: str, seconds: float = 60.0) -> None:
    """Delete the namespace of an environment, with all that is in it, and wait until the controller made it anew."""
    name, clock = f"{NAME}-{environment}", SystemClock()
    old = uid_of(bench.cluster.get("v1", "Namespace", name))
    bench.cluster.delete("v1", "Namespace", name)
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        found = bench.cluster.find("v1", "Namespace", name)
        if (
            found is not None
            and uid_of(found) != old
            and bench.cluster.find("apps/v1", "Deployment", NAME, name)
        ):
            return
        clock.sleep(0.1)


# -- exercise 1: through review


def _review(bench: Workbench, say: Say) -> Finding:
    repo, work = bench.repos[NAME], _fetched(bench)
    if any(f"{NAME}-{name}" not in bench.apps for name in ENVIRONMENTS):
        return say.no("apps")
    if "main" not in repo.protected:
        return say.no("unprotected")
    if _values(work, CHART).get("replicas") == PODS:
        return say.no("everywhere")
    if _values(work, PROD).get("replicas") != PODS:
        return _how_far(bench, work, say)
    changed = _change_of_replicas(work)
    if not any(_brought(work, pull, changed.sha) for pull in repo.pulls.items("merged")):
        return say.no("direct", subject=changed.subject)
    live = bench.cluster.find("apps/v1", "Deployment", NAME, f"{NAME}-prod") or {}
    ready = get_path(live, "status", "availableReplicas", default=0)
    if get_path(live, "spec", "replicas") != PODS or ready < PODS:  # in a rollout there may be one more
        return say.no("waiting", ready=ready, sync=bench.apps[f"{NAME}-prod"].status.sync)
    return say.yes()


def _how_far(bench: Workbench, work: WorkingCopy, say: Say) -> Finding:
    """Nothing yet, only in the working copy, pushed to a branch, or waiting for a reviewer."""
    for pull in bench.repos[NAME].pulls.items("open"):
        if pull["head"] == LEAKY:
            continue
        replicas = _values(work, PROD, pull["head_sha"]).get("replicas")
        if replicas != PODS:
            return say.no("other", number=pull["number"], replicas=replicas)
        return say.no("open" if pull["approvals"] else "approval", number=pull["number"])
    for branch in work.remote_branches():
        if branch != "main" and _values(work, PROD, f"origin/{branch}").get("replicas") == PODS:
            return say.no("branch", branch=branch)
    if _values(work, PROD, "HEAD").get("replicas") == PODS:
        return say.no("committed", branch=work.current_branch)
    file = work.path / PROD
    if file.is_file() and _mapping(file.read_text(encoding="utf-8")).get("replicas") == PODS:
        return say.no("edited")
    live = bench.cluster.find("apps/v1", "Deployment", NAME, f"{NAME}-prod") or {}
    by_hand = get_path(live, "spec", "replicas", default=0) == PODS
    return say.no("kubectl" if by_hand else "nothing", replicas=_values(work, PROD).get("replicas"))


def _change_of_replicas(work: WorkingCopy) -> Any:
    """The commit of main that brought the number of Pods."""
    found = None
    for commit in work.log("origin/main", limit=200, path=PROD):
        if _values(work, PROD, commit.sha).get("replicas") != PODS:
            break
        found = commit
    return found


def _brought(work: WorkingCopy, pull: dict[str, Any], sha: str) -> bool:
    """Whether a merged pull request, which somebody else approved, brought a commit to main."""
    done = pull["merged"] or {}
    if done.get("method") == "push" or not pull["approvals"]:
        return False
    shas = {commit.sha for commit in work.log(pull["head_sha"], limit=200)} | {done["sha"]}
    return sha in shas and sha not in {commit.sha for commit in work.log(done["base_sha"], limit=200)}


def _solve_review(bench: Workbench) -> None:
    apps = follow(bench)
    repo, work = bench.repos[NAME], _fetched(bench)
    repo.protect()
    if _values(work, PROD).get("replicas") != PODS:
        work.restore(PROD)
        work.checkout("main").pull()
        work.checkout("three-pods", create=True)
        put(work, PROD, "replicas: 2", f"replicas: {PODS}")
        work.add(PROD).commit("Three Pods for prod")
        work.push()
        repo.pulls.open("three-pods").approve(by="colleague").merge(delete_branch=True)
        work.checkout("main").pull()
    apps["prod"].refresh().wait()


# -- exercise 2: without the secret


def _secret(bench: Workbench, say: Say) -> Finding:
    repo, work = bench.repos[NAME], _fetched(bench)
    asked = [pull for pull in repo.pulls.items("all") if pull["head"] == LEAKY]
    if not asked:
        return say.no("absent")
    if SEEN in work.read(PROD, "origin/main"):
        return say.no("tip")
    if holder := _holder(work, "origin/main"):
        return say.no("history", subject=holder)
    if _values(work, PROD).get("oven") != OVEN:
        return say.no("open" if any(pull["state"] == "open" for pull in asked) else "missing")
    if leaky := next((b for b in sorted(work.remote_branches()) if _holder(work, f"origin/{b}")), ""):
        return say.no("branch", branch=leaky)
    if any(pull["state"] == "open" for pull in asked):
        return say.no("unanswered")
    return _password(bench, say)


def _password(bench: Workbench, say: Say) -> Finding:
    """The oven still needs a password: in the cluster, another one, and not by way of Git."""
    found = bench.cluster.find("v1", "Secret", LEAKY, f"{NAME}-prod")
    data = (found or {}).get("data") or {}
    password = base64.b64decode(data.get("password") or "").decode("utf-8", "replace").strip()
    if not password:
        return say.no("password")
    return say.no("rotate") if password == SEEN else say.yes()


def _holder(work: WorkingCopy, revision: str) -> str:
    """The newest commit with the password in its files; empty if there is none."""
    for commit in work.log(revision, limit=200, path=PROD):
        if SEEN in work.read(PROD, commit.sha):
            return commit.subject
    return ""


def _solve_secret(bench: Workbench) -> None:
    repo, work = bench.repos[NAME], _fetched(bench)
    follow(bench)["prod"].wait(health=False)  # then its namespace is there
    if not [pull for pull in repo.pulls.items("all") if pull["head"] == LEAKY]:
        leak(bench)
    for pull in repo.pulls:
        if pull.facts["head"] == LEAKY:
            pull.comment("The password is seen now: it has to be changed, and this cannot be merged.").close()
    if LEAKY in work.remote_branches():
        work.delete_branch(LEAKY, remote=True)
    if _values(work, PROD).get("oven") != OVEN:
        work.checkout("main").pull()
        work.checkout("only-the-oven", create=True)
        file = work.path / PROD
        said = f"{file.read_text(encoding='utf-8')}oven: {OVEN}\n"
        file.write_text(said, encoding="utf-8", newline="\n")
        work.add(PROD).commit("An oven for the bakery, its password elsewhere")
        work.push()
        repo.pulls.open("only-the-oven").approve(by="colleague").merge(delete_branch=True)
        work.checkout("main").pull()
    hand_over(bench, "rye-2718-and-never-seen")


def hand_over(bench: Workbench, password: str) -> None:
    """A password, straight to the cluster: ``kubectl create secret generic oven --from-literal=password=…``."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": LEAKY, "namespace": f"{NAME}-prod"},
        "stringData": {"password": password},
    }
    bench.cluster.apply(secret, field_manager="lesson", force=True)


# -- Git


def _fetched(bench: Workbench) -> WorkingCopy:
    work: WorkingCopy = bench.repos[NAME].clone()
    work.fetch()
    return work


def _values(work: WorkingCopy, path: str, revision: str = "origin/main") -> dict[str, Any]:
    return _mapping(work.read(path, revision))


def _mapping(text: str) -> dict[str, Any]:
    found = yaml.load(text, file=PROD)
    return found if isinstance(found, dict) else {}


SCRIPT = written(
    "08",
    NAME,
    {"review": (_review, _solve_review), "secret": (_secret, _solve_secret)},
    also=tuple(f"{NAME}-{name}" for name in ENVIRONMENTS),
    repository=True,
)
