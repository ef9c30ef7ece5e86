"""The main job from end to end, as a person would do it, in one go.

Chart → render → push → reconcile → running; then a rollout, a drift, a mistake and a way back. Each step
*checks* that what it tells of did happen, and raises if it did not: a demo that cannot fail shows nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError

if TYPE_CHECKING:
    from labkit.git import WorkingCopy
    from labkit.helm import Chart
    from labkit.lab.app import App
    from labkit.lab.lab import Lab
    from labkit.lab.repos import Repo

STEP_SECONDS = 45.0
LOOK_SECONDS = 0.1
FIRST, SECOND = "1.0.0", "2.0.0"

Tell = Callable[[str], None]
Step = tuple[str, Callable[[], None]]


class Demo:
    """One run in ``lab``; ``tell`` gets a line for each thing seen. `steps` is what to run, `clean_up` the end."""

    def __init__(self, lab: Lab, tell: Tell) -> None:
        self._lab = lab
        self._tell = tell
        self._name = _free_name(lab)
        self._repo: Repo
        self._copy: WorkingCopy
        self._chart: Chart
        self._app: App

    @property
    def steps(self) -> list[Step]:
        """The steps, in order: what a person reads, and what does it."""
        return [
            ("Make a repository, and in it a chart from the starter", self._make_chart),
            ("Lint and render the chart", self._render),
            ("Push it, and tell the controller to keep to it", self._push_first),
            ("Watch it become Synced and Healthy, and ask the running application", self._see_first),
            ("Push version 2, and watch the rollout", self._roll_out),
            ("Delete the Deployment by hand, and watch it come back", self._drift),
            ("Push a broken chart: version 2 goes on running", self._break),
            ("Undo the mistake in Git: revert", self._revert),
            ("Roll the cluster back to version 1", self._roll_back),
        ]

    def clean_up(self) -> None:
        """Delete the application, the repository and the working copy."""
        import shutil

        if self._name in self._lab.apps:
            self._lab.apps.delete(self._name)
        if self._name in self._lab.repos:
            self._lab.repos.delete(self._name)
        if hasattr(self, "_copy"):
            shutil.rmtree(self._copy.path, ignore_errors=True)

    # -- the steps

    def _make_chart(self) -> None:
        self._repo = self._lab.repos.create(self._name)
        self._copy = self._repo.clone()
        self._chart = self._lab.charts.create("web", folder=self._copy.path)
        self._tell(f"repository {self._repo.url}")
        self._tell(f"chart {self._chart.name} {self._chart.version}, application {self._chart.app_version}")

    def _render(self) -> None:
        problems = [message for message in self._chart.lint() if message.severity.lower() == "error"]
        if problems:
            raise LabError(f"the starter does not pass its own lint: {problems[0]}")
        rendered = self._chart.render(self._name)
        for each in rendered.objects:
            self._tell(f"{each.kind + '/' + each.name:<24} from {each.template}")

    def _push_first(self) -> None:
        self._publish("Version 1 of the web application")
        self._app = self._lab.apps.create(
            self._name, repo=self._repo, path="web", automated=True, prune=True, self_heal=True
        )
        self._tell(f"application {self._name}: automated sync, prune, self-heal")

    def _see_first(self) -> None:
        self._app.wait(timeout=STEP_SECONDS)
        for line in repr(self._app.tree).splitlines():
            self._tell(line)
        self._answers(FIRST)

    def _roll_out(self) -> None:
        self._edit("web/Chart.yaml", f'"{FIRST}"', f'"{SECOND}"')
        self._edit("web/values.yaml", "colour: blue", "colour: green")
        self._publish("Version 2: green")
        seen = ""
        deployment = self._deployment_name()

        def rolled_out() -> bool:
            nonlocal seen
            now = _rollout(self._find("apps/v1", "Deployment", deployment), SECOND)
            if now != seen:
                self._tell(now)
                seen = now
            status = self._app.status
            return (status.sync, status.health) == ("Synced", "Healthy") and SECOND in self._page()

        self._until(rolled_out, "version 2 runs")
        self._answers(SECOND)

    def _drift(self) -> None:
        name = self._deployment_name()
        before = self._find("apps/v1", "Deployment", name)
        if before is None:
            raise LabError(f"there is no Deployment {name} to delete")
        self._lab.cluster.delete("apps/v1", "Deployment", name, self._app.namespace)
        self._tell(f"deleted Deployment {name}")

        def is_back() -> bool:
            now = self._find("apps/v1", "Deployment", name)
            return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

        self._until(is_back, "the Deployment is back")
        self._tell("the controller made it again")
        self._app.wait(timeout=STEP_SECONDS)
        self._answers(SECOND)

    def _break(self) -> None:
        self._edit("web/templates/configmap.yaml", ".Values.colour | quote", ".Values.colour | qoute")
        self._publish("A typing mistake")

        def noticed() -> bool:
            return any(c.type == "ComparisonError" for c in self._app.status.conditions)

        self._until(noticed, "the controller reports the mistake")
        message = next(c.message for c in self._app.status.conditions if c.type == "ComparisonError")
        for line in message.splitlines():
            self._tell(line)
        if "templates/configmap.yaml:" not in message or "Fix:" not in message:
            raise LabError(f"the error does not name file, line and fix: {message}")
        self._answers(SECOND)

    def _revert(self) -> None:
        self._copy.revert("HEAD")
        self._copy.push()
        self._tell(f"pushed {self._copy.log(limit=1)[0]!r}")
        self._until(lambda: not self._app.status.conditions, "the mistake is gone")
        self._app.wait(timeout=STEP_SECONDS)
        self._tell(repr(self._app.status))

    def _roll_back(self) -> None:
        first = next(iter(self._app.history))
        self._app.set(automated=False)
        self._tell("automated sync is off: it would undo a rollback at once")
        self._app.rollback(first, timeout=STEP_SECONDS)
        self._app.wait(sync=False, timeout=STEP_SECONDS)
        self._until(lambda: FIRST in self._page(), "version 1 runs again")
        self._answers(FIRST)
        self._tell(f"{self._app.status.sync}: Git still says version 2, and the lab tells you so")

    # -- how they do it

    def _edit(self, path: str, old: str, new: str) -> None:
        file = self._copy.path / path
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise LabError(f"{old!r} is not in it", where=str(file))
        file.write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    def _publish(self, message: str) -> None:
        self._copy.add()
        commit = self._copy.commit(message)
        self._copy.push()
        self._tell(f"pushed {commit!r}")

    def _page(self) -> str:
        try:
            return self._app.request("/").text
        except LabError:
            return ""  # between two pods nobody may be ready

    def _answers(self, version: str) -> None:
        text = self._page()
        if version not in text:
            raise LabError(
                f"the application does not answer as version {version}: {text[:200] or 'no answer'}"
            )
        self._tell(f"GET / → {_in_short(text)}")

    def _find(self, api_version: str, kind: str, name: str) -> dict[str, Any] | None:
        return self._lab.cluster.find(api_version, kind, name, self._app.namespace)

    def _deployment_name(self) -> str:
        return next(r.name for r in self._app.resources if r.kind == "Deployment")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + STEP_SECONDS
        while not condition():
            if time.monotonic() > until:
                raise LabError(
                    f"after {STEP_SECONDS:.0f} s it is not so that {what}",
                    fix="labkit app get; labkit status",
                )
            time.sleep(LOOK_SECONDS)


def _in_short(text: str) -> str:
    """What the page says, in a few words: its fields' values where it is JSON."""
    try:
        said = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:70]
    return " · ".join(str(said[name]) for name in ("app", "version", "colour", "message") if name in said)


def _rollout(deployment: dict[str, Any] | None, version: str) -> str:
    if deployment is None:
        return "no Deployment"
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    if not image.endswith(version):
        return "the controller has not seen the push yet"
    new, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    return f"Deployment: {new} of {wanted} pods are new, {ready} ready"


def _free_name(lab: Lab) -> str:
    taken = {repo.name for repo in lab.repos} | {app.name for app in lab.apps}
    taken |= {path.name for path in (lab.home / "work").glob("*")}
    candidates = ["demo", *(f"demo-{number}" for number in range(2, 1000))]
    return next(name for name in candidates if name not in taken)
