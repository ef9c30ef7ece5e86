"""Lesson 02, Copy, paste, regret: three copies of one manifest, and a change that has to be made in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import get_path, labels_of, name_of
from labkit.lessons.course.looking import named, told
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "copies"
FRUITS = ("apples", "bananas", "cherries")
PORT = 9090
TEAM = ("team", "fruit")


def _missed(bench: Workbench, say: Say) -> Finding:
    ns = bench.namespace(NAME)
    deployments, services = ns.deployments(), ns.services()
    gone = [fruit for fruit in FRUITS if not (named(deployments, fruit) and named(services, fruit))]
    if gone:
        return say.no("gone", gone=", ".join(gone))
    answers = {fruit: ns.answer(fruit) for fruit in FRUITS}
    silent = [f"{fruit}: {told(a)}" for fruit, a in answers.items() if a.get("message") != fruit]
    if silent:
        return say.no("silent", silent="; ".join(silent))
    old = [f"{fruit}: {where}" for fruit in FRUITS for where in _old_places(named(deployments, fruit))]
    if old:
        return say.no("old", old="; ".join(old))
    if pending := ns.pending():
        return say.no("file", pending=", ".join(pending))
    return say.yes()


def _old_places(deployment: Object | None) -> Iterator[str]:
    """The places in a Deployment that do not say the new port; a port may be named instead of numbered."""
    container: dict[str, Any] = get_path(deployment, "spec", "template", "spec", "containers", 0, default={})
    env = {each["name"]: each.get("value") for each in container.get("env", [])}
    if env.get("PORT") != str(PORT):
        yield f"PORT is {env.get('PORT')}"
    ports = container.get("ports", [])
    if PORT not in [each["containerPort"] for each in ports]:
        yield "containerPort is " + (", ".join(str(each["containerPort"]) for each in ports) or "missing")
    probes = [get_path(container, "readinessProbe", way, "port") for way in ("tcpSocket", "httpGet")]
    probe = next(filter(None, probes), None)
    if probe != PORT and probe not in [each.get("name") for each in ports if each.get("name")]:
        yield f"the readiness probe's port is {probe or 'missing'}"


def _solve_missed(bench: Workbench) -> None:
    ns = bench.namespace(NAME)
    for fruit in FRUITS:
        text = (ns.folder / "apples.yaml").read_text(encoding="utf-8").replace("8080", str(PORT))
        _write(ns, fruit, text.replace("apples", fruit))
    ns.apply()
    ns.wait()


def _team(bench: Workbench, say: Say) -> Finding:
    ns = bench.namespace(NAME)
    places = _places(ns)
    found = {what: labels.get(TEAM[0]) for what, labels in places.items()}
    right = [what for what, team in found.items() if team == TEAM[1]]
    other = [f"{what}: {team}" for what, team in found.items() if team not in (TEAM[1], None)]
    pods = [what for what in found if what.startswith("Pod")]
    if other:
        return say.no("other", other=", ".join(other))
    if len(found) < 9:
        return say.no("few", count=len(found))
    if not right:
        return say.no("none")
    missing = [what for what in found if what not in right]
    if missing and set(missing) == set(pods):
        return say.no("pods")
    if missing:
        return say.no("some", right=len(right), missing=", ".join(missing))
    if pending := ns.pending():
        return say.no("file", pending=", ".join(pending))
    silent = [fruit for fruit in FRUITS if ns.answer(fruit).get("message") != fruit]
    return say.no("silent", silent=", ".join(silent)) if silent else say.yes()


def _places(ns: Any) -> dict[str, dict[str, str]]:
    """The labels of the nine: of each fruit the Deployment, the Service, and the Pods (the poorest counts)."""
    found = {}
    for fruit in FRUITS:
        for kind, objects in (("Deployment", ns.deployments()), ("Service", ns.services())):
            obj = named(objects, fruit)
            if obj is not None:
                found[f"{kind} {fruit}"] = labels_of(obj)
        pods = [pod for pod in ns.pod_objects() if name_of(pod).startswith(f"{fruit}-")]
        if pods:
            found[f"Pods {fruit}"] = min(
                (labels_of(pod) for pod in pods), key=lambda labels: TEAM[0] in labels
            )
    return found


def _solve_team(bench: Workbench) -> None:
    ns = bench.namespace(NAME)
    label = f"{TEAM[0]}: {TEAM[1]}"
    for fruit in FRUITS:
        text = (ns.folder / f"{fruit}.yaml").read_text(encoding="utf-8")
        text = text.replace(f"  name: {fruit}\nspec:", f"  name: {fruit}\n  labels:\n    {label}\nspec:")
        text = text.replace(
            f"labels:\n        app: {fruit}", f"labels:\n        app: {fruit}\n        {label}"
        )
        _write(ns, fruit, text)
    ns.apply()
    ns.wait()


def _write(ns: Any, fruit: str, text: str) -> None:
    (ns.folder / f"{fruit}.yaml").write_text(text, encoding="utf-8", newline="\n")


SCRIPT = written("02", NAME, {"missed": (_missed, _solve_missed), "team": (_team, _solve_team)})
