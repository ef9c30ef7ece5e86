"""Lesson 09, Write a reconcile loop: the trainee's own controller, run in a namespace of the check's."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.k8s import yaml
from labkit.lessons.program import Program
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "loop"
PROVING = "loop-proving"
LABEL = "app.kubernetes.io/managed-by"
KINDS = [("v1", "ConfigMap"), ("v1", "Service"), ("apps/v1", "Deployment")]


class Wrong(Exception):
    """What the check saw is not what was asked; ``args`` are the message's key and its facts."""


class Ground:
    """A folder and a namespace that only the check knows, and the trainee's controller on them."""

    def __init__(self, bench: Workbench, folder: Path) -> None:
        self.cluster, self.folder = bench.cluster, folder
        file = bench.home / "work" / NAME / "controller.py"
        self._program = Program(bench, file, str(folder), PROVING, "--once")
        self.file = file

    def want(self, name: str, *objects: Object) -> None:
        """Write a file of the folder."""
        (self.folder / f"{name}.yaml").write_text(yaml.dump(list(objects)), encoding="utf-8", newline="\n")

    def go(self) -> list[str]:
        """One pass, in a process of its own; what it said that it did."""
        ran = self._program.once()
        if ran.problem:
            raise Wrong("raises", {"problem": ran.problem})
        return ran.lines

    def find(self, kind: str, name: str) -> Object | None:
        """An object of the namespace that is not on its way out."""
        version = next(version for version, known in KINDS if known == kind)
        found: Object | None = self.cluster.find(version, kind, name, PROVING)
        return None if found is None or "deletionTimestamp" in found["metadata"] else found

    def missing(self, *wanted: Object) -> str:
        """Which of these are not there."""
        pairs = [(obj["kind"], obj["metadata"]["name"]) for obj in wanted]
        return ", ".join(f"{kind} {name}" for kind, name in pairs if not self.find(kind, name))

    def marks(self) -> dict[str, Any]:
        """What changes with every write of a person's or a controller's, and with nothing else."""
        deployment = self.find("Deployment", "apples") or {"metadata": {}}
        others = [self.find("ConfigMap", "page"), self.find("Service", "apples")]
        marks = {obj["metadata"]["name"]: obj["metadata"]["resourceVersion"] for obj in others if obj}
        return marks | {"Deployment apples": deployment["metadata"].get("generation")}


def checked(prove: Callable[[Ground], None]) -> Callable[[Workbench, Say], Finding]:
    """A check that runs ``prove`` on fresh ground, and clears it away afterwards."""

    def check(bench: Workbench, say: Say) -> Finding:
        file = bench.home / "work" / NAME / "controller.py"
        if not file.is_file():
            return say.no("gone")
        try:
            with _ground(bench) as ground:
                prove(ground)
        except Wrong as wrong:
            key, facts = wrong.args
            return say.no(key, **facts)
        return say.yes()

    return check


@contextlib.contextmanager
def _ground(bench: Workbench) -> Iterator[Ground]:
    bench.clear(PROVING)
    bench.namespace(PROVING)
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Ground(bench, Path(folder))
    finally:
        bench.clear(PROVING)


def page(colour: str = "green", name: str = "page") -> Object:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"COLOUR": colour}}


def apples(cpu: str = "1000m") -> list[Object]:
    """A Deployment and its Service; ``1000m`` is what the API server writes as ``1``."""
    labels = {"app": "apples"}
    container = {"name": "hello", "image": "gitops-lab/hello:1.0.0", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    ports = [{"port": 80, "targetPort": 8080}]
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "apples"}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "apples"},
         "spec": {"selector": labels, "ports": ports}},
    ]  # fmt: skip


def _lay(ground: Ground) -> None:
    """The first pass, on an empty namespace."""
    ground.want("page", page())
    ground.want("apples", *apples())
    ground.go()
    if missing := ground.missing(page(), *apples()):
        raise Wrong("creates", {"missing": missing})


def _holds(ground: Ground) -> None:
    _lay(ground)
    ground.cluster.patch("v1", "ConfigMap", "page", PROVING, patch={"data": {"COLOUR": "red"}})
    ground.go()
    if (colour := _colour(ground)) != "green":
        raise Wrong("drift", {"colour": colour})
    ground.cluster.delete("v1", "Service", "apples", PROVING)
    ground.go()
    if ground.missing(*apples()):
        raise Wrong("deletion", {})
    ground.want("page", page("blue"))
    ground.go()
    if (colour := _colour(ground)) != "blue":
        raise Wrong("change", {"colour": colour})


def _colour(ground: Ground) -> str:
    return str((ground.find("ConfigMap", "page") or {}).get("data", {}).get("COLOUR"))


def _quiet(ground: Ground) -> None:
    _lay(ground)
    before = ground.marks()
    said = ground.go()
    if any("Deployment" in line for line in said) and not any("page" in line for line in said):
        raise Wrong("quantity", {"said": "; ".join(said)})
    if said:
        raise Wrong("busy", {"said": "; ".join(said)})
    after = ground.marks()
    if changed := [name for name, mark in after.items() if before.get(name) != mark]:
        raise Wrong("writes", {"changed": ", ".join(changed)})


def _own(ground: Ground) -> None:
    strangers = [page("black", "by-hand"), page("white", "by-helm")]
    strangers[1]["metadata"]["labels"] = {LABEL: "Helm"}
    for stranger in strangers:
        stranger["metadata"]["namespace"] = PROVING
        ground.cluster.create(stranger)
    _lay(ground)
    if gone := ground.missing(*strangers):
        raise Wrong("stranger", {"gone": gone})
    _mistyped(ground)
    (ground.folder / "apples.yaml").unlink()
    ground.go()
    if gone := ground.missing(*strangers):
        raise Wrong("stranger", {"gone": gone})
    if ground.missing(page()):
        raise Wrong("wanted", {})
    kept = [obj["kind"] for obj in apples() if ground.find(obj["kind"], "apples")]
    if kept:
        raise Wrong("keeps", {"kept": ", ".join(f"{kind} apples" for kind in kept)})


def _mistyped(ground: Ground) -> None:
    """A file that cannot be read wants nothing; that is no reason to delete anything."""
    file = ground.folder / "apples.yaml"
    right = file.read_text(encoding="utf-8")
    file.write_text("kind: [Deployment", encoding="utf-8")
    with contextlib.suppress(Wrong):  # to stop with an error is the right thing to do
        ground.go()
    file.write_text(right, encoding="utf-8", newline="\n")
    if gone := ground.missing(*apples()):
        raise Wrong("mistyped", {"gone": gone})


DESIRED = (
    '            obj["metadata"]["namespace"] = namespace\n',
    '            obj["metadata"].setdefault("labels", {})[LABEL] = OURS\n',
)
LIVE = (
    "cluster.list(version, kind, namespace).items",
    'cluster.list(version, kind, namespace, label_selector=f"{LABEL}={OURS}").items',
)
DIFFERS = (
    "    return wanted != there\n",
    """\
    after = cluster.apply(wanted, field_manager=OURS, force=True, dry_run=True)
    return any(after.get(part) != there.get(part) for part in ("spec", "data"))
""",
)
RECONCILE = (
    "    # Your turn.\n",
    """\
    wanted, there = desired(folder, namespace), live(cluster, namespace)
    for key, obj in wanted.items():
        if key not in there or differs(cluster, obj, there[key]):
            cluster.apply(obj, field_manager=OURS, force=True)
            done.append(f"{'update' if key in there else 'create'} {key[0]}/{key[1]}")
    for key in there.keys() - wanted.keys():
        cluster.delete(there[key]["apiVersion"], key[0], key[1], namespace)
        done.append(f"delete {key[0]}/{key[1]}")
""",
)


def _solve(bench: Workbench) -> None:
    file = bench.home / "work" / NAME / "controller.py"
    text = file.read_text(encoding="utf-8")
    if DESIRED[1] not in text:
        text = text.replace(DESIRED[0], DESIRED[0] + DESIRED[1])
    for old, new in (LIVE, DIFFERS, RECONCILE):
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8", newline="\n")


SCRIPT = written(
    "09",
    NAME,
    {"holds": (checked(_holds), _solve), "quiet": (checked(_quiet), _solve), "own": (checked(_own), _solve)},
    also=(PROVING,),
)
