"""The engine at work: a real API server, a real Git host, a controller in this process."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serving import run_server

from labkit.cluster import provider
from labkit.errors import AlreadyExists, ApplicationNotFound
from labkit.forge import Forge, app
from labkit.git import Credential, Mirror, WorkingCopy
from labkit.gitops import operations
from labkit.gitops.api import NAMESPACE, crds, default_project
from labkit.gitops.api.names import API_VERSION, FINALIZER, SECRET_TYPE
from labkit.gitops.controller import Controller
from labkit.gitops.sources import Charts, Sources
from labkit.k8s.yaml import dump
from labkit.runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.cluster import Cluster

Object = dict[str, Any]
CREDENTIAL = Credential("lab", "s3cret-t0ken")
SECONDS = 40.0


@dataclass
class Repository:
    """A repository on the Git host with a working copy of it."""

    url: str
    copy: WorkingCopy

    def push(self, files: dict[str, Any], message: str = "A change", *, drop: tuple[str, ...] = ()) -> str:
        """Write files (objects as YAML, texts as they are), commit, push; the commit's name."""
        for name, content in files.items():
            path = self.copy.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else dump(content), encoding="utf-8")
        for name in drop:
            (self.copy.path / name).unlink()
        self.copy.add()
        commit = self.copy.commit(message)
        self.copy.push()
        return str(commit.sha)


@dataclass
class World:
    """What a test has at hand."""

    cluster: Cluster
    forge: Forge
    folder: Path
    controller: Controller | None = None
    connect: Callable[[dict[str, Any]], Any] | None = None
    seen: Cluster | None = None
    """The cluster as the controller sees it, where that is another way to it than the test's."""
    clock: SystemClock = field(default_factory=SystemClock)
    poll: tuple[float, float] = (3600, 60)
    """A push tells the controller: no poll hides one that was missed."""
    told: bool = True
    _made: list[str] = field(default_factory=list)

    def start(self) -> None:
        """A new controller, that knows nothing but what the cluster says."""
        mirror = Mirror(self.folder / "mirror")
        self.controller = Controller(
            self.seen or self.cluster,
            make_sources=lambda secrets: Sources(
                mirror,
                credentials=secrets.credential,
                charts=Charts(self.folder / "charts", secrets.chart_access),
            ),
            connect=self.connect or (lambda *_: pytest.fail("this test has one cluster")),
            clock=self.clock,
            poll_seconds=self.poll[0],
            jitter_seconds=self.poll[1],
            wave_seconds=0.05,
        )
        self.controller.start()

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    def repository(self, name: str) -> Repository:
        made = self.forge.create(name)
        return Repository(
            made.url, WorkingCopy.clone(made.clone_url(CREDENTIAL), self.folder / "work" / name)
        )

    def app(self, name: str, repo: Repository | None, *, path: str = ".", automated: Object | None = None,
            options: tuple[str, ...] = (), **spec: Any) -> str:  # fmt: skip
        """An Application that deploys into a namespace of its own name."""
        policy: Object = {"syncOptions": ["CreateNamespace=true", *options]}
        if automated is not None:
            policy["automated"] = automated
        policy |= spec.pop("syncPolicy", {})
        source = spec.setdefault("source", {})
        if "sources" in spec:
            del spec["source"]
        elif repo is not None:
            spec["source"] = {"repoURL": repo.url, "path": path, "targetRevision": "main"} | source
        operations.create(
            self.cluster,
            {
                "apiVersion": API_VERSION,
                "kind": "Application",
                "metadata": {"name": name, "namespace": NAMESPACE, "finalizers": [FINALIZER]},
                "spec": {
                    "project": "default",
                    "destination": {"name": "in-cluster", "namespace": name},
                    "syncPolicy": policy,
                    **spec,
                },
            },
        )
        self._made.append(name)
        return name

    def get(self, name: str) -> Object:
        return operations.get(self.cluster, name)

    def status(self, name: str) -> Object:
        return self.get(name).get("status") or {}

    def find(self, kind: str, name: str, namespace: str, api_version: str = "v1") -> Object | None:
        return self.cluster.find(api_version, kind, name, namespace)

    def settled(self, name: str, revision: str = "") -> Object:
        """The Application once it is Synced and Healthy (at a revision), with nothing under way."""
        return self.until(
            lambda: self.get(name),
            lambda obj: (
                _at(obj, "sync", "status") == "Synced"
                and _at(obj, "health", "status") == "Healthy"
                and operations.idle(obj)
                and revision in ("", _at(obj, "sync", "revision"))
            ),
        )

    def ended(self, name: str, phase: str) -> Object:
        """The Application once its operation ended in that phase."""
        return self.until(
            lambda: self.get(name),
            lambda obj: _at(obj, "operationState", "phase") == phase and not obj.get("operation"),
        )

    def until(self, look: Callable[[], Any], reached: Callable[[Any], Any]) -> Any:
        """What ``look`` sees once it is as wanted; fails with what it saw last."""
        end = time.monotonic() + SECONDS
        while not reached(seen := look()):
            assert time.monotonic() < end, f"after {SECONDS} s still: {seen}"
            time.sleep(0.05)
        return seen

    def clean(self) -> None:
        for name in self._made:
            with contextlib.suppress(ApplicationNotFound):
                operations.delete(self.cluster, name, wait=False)
        for name in self._made:
            self.until(
                lambda name=name: self.find("Application", name, NAMESPACE, API_VERSION), lambda o: o is None
            )
        self._made.clear()


def _at(obj: Object, *path: str) -> Any:
    found: Any = obj.get("status") or {}
    for part in path:
        found = found.get(part) or {}
    return found


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """An API server with Argo CD's definitions, and a Git host: both for all tests of a worker."""
    folder = tmp_path_factory.mktemp("gitops")
    sandboxes = provider("sandbox", folder / "clusters")
    sandboxes.create("home")
    forge = Forge(folder / "repos")
    pushed: list[Callable[[dict[str, Any]], Any]] = []
    application = app(
        forge, credentials=CREDENTIAL, on_push=lambda event: [tell(event.payload()) for tell in pushed]
    )
    port, stop = run_server(application)
    forge.base_url = f"http://127.0.0.1:{port}"
    with sandboxes.connect("home") as cluster:
        for definition in crds():
            cluster.apply(definition, field_manager="test")
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        with contextlib.suppress(AlreadyExists):
            cluster.create(default_project())
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "git", "namespace": NAMESPACE, "labels": {SECRET_TYPE: "repo-creds"}},
                "stringData": {
                    "type": "git",
                    "url": forge.base_url,
                    "username": CREDENTIAL.username,
                    "password": CREDENTIAL.password,
                },
            }
        )
        yield cluster, forge, folder, pushed
    stop()
    sandboxes.delete("home")


@pytest.fixture
def world(home, tmp_path):
    """The world with a controller that was just started; what the test made is deleted by it at the end."""
    cluster, forge, _, pushed = home
    made = World(cluster, forge, tmp_path)

    def tell(payload):
        if made.controller is not None and made.told:
            made.controller.webhook(payload)

    pushed.append(tell)
    made.start()
    yield made
    if made.controller is None:
        made.start()
    made.clean()
    made.stop()
    pushed.remove(tell)
    for repository in forge.list():
        forge.delete(repository.name)
