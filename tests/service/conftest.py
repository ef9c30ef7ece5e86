"""A real lab with two teams' projects, and people who may do different things in it."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from labkit.cli.frame import run
from labkit.cli.session import session
from labkit.k8s.yaml import dump
from labkit.lab import Lab
from labkit.lab.layout import lay_out

NAMESPACE = "argocd"
POLICY = """
p, role:shop, applications, get, shop/*, allow
p, role:shop, applications, sync, shop/*, allow
p, role:shop, applications, sync, shop/prod, deny
p, role:shop, applicationsets, *, shop/*, allow
p, role:shop, repositories, get, *, allow
p, role:shop, projects, get, shop, allow
g, ann, role:shop
p, bob, applications, *, shop/*, allow
p, bob, applications, delete, shop/*, deny
p, bob, logs, get, shop/*, allow
p, bob, projects, *, shop, allow
p, bob, applications, get, bank/*, allow
p, carl, applications, get, */*, allow
"""
SECONDS = 40.0


@dataclass
class Answer:
    status: int
    body: Any

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


@dataclass
class Person:
    """Somebody with a token, at the service's HTTP API."""

    url: str
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, body=content, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            return Answer(answer.status, json.loads(text) if text[:1] in b"[{" else text.decode())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.ask("GET", f"/api/v1/{path}")

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", f"/api/v1/{path}", {} if body is None else body)

    def put(self, path: str, body: Any) -> Answer:
        return self.ask("PUT", f"/api/v1/{path}", body)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", f"/api/v1/{path}")

    def names(self, path: str) -> list[str]:
        found = self.get(path)
        assert found.status == 200, found.body
        return [item["metadata"]["name"] for item in found.body["items"]]


def until(look: Callable[[], Any], reached: Callable[[Any], Any]) -> Any:
    end = time.monotonic() + SECONDS
    while not reached(seen := look()):
        assert time.monotonic() < end, f"after {SECONDS} s still: {seen}"
        time.sleep(0.05)
    return seen


def config(name: str, data: dict[str, str]) -> dict[str, Any]:
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def project(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], **spec},
    }


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@dataclass
class Town:
    lab: Lab
    owner: Person

    def labkit(self, *arguments: str, token: str = "") -> Done:
        """The command line; ``token`` as with ``--auth-token``."""
        session.lab, session.auth_token, session.server = self.lab.home, token, ""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
        return Done(code, out.getvalue(), err.getvalue())

    def touch(self, name: str) -> None:
        """Change an application a little, past everybody."""
        patch = {"metadata": {"labels": {"touched": "yes"}}}
        self.lab.cluster.patch("argoproj.io/v1alpha1", "Application", name, NAMESPACE, patch=patch)

    def person(self, name: str) -> Person:
        made = self.owner.post(f"account/{name}/token")
        assert made.status == 200, made.body
        return Person(self.lab.url, made.body["token"])

    def application(self, name: str, of: str) -> dict[str, Any]:
        source = {"repoURL": self.lab.repos["web"].url, "path": ".", "targetRevision": "main"}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name},
            "spec": {
                "project": of,
                "source": source,
                "destination": {"name": "in-cluster", "namespace": name},
                "syncPolicy": {"syncOptions": ["CreateNamespace=true"]},
            },
        }


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("rbac") / "lab"
    lay_out(home)
    with Lab(home) as lab:
        owner = Person(lab.url, (home / ".lab" / "token").read_text(encoding="utf-8").strip())
        copy = lab.repos.create("web").clone()
        pod = {"containers": [{"name": "main", "image": "nginx:1.27"}]}
        (copy.path / "pod.yaml").write_text(
            dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": pod}),
            encoding="utf-8",
        )
        copy.add().commit("A pod")
        copy.push()
        role = {"name": "ci", "policies": ["p, proj:shop:ci, applications, sync, shop/web, allow"]}
        role["policies"].append("p, proj:shop:ci, applications, get, shop/*, allow")
        lab.cluster.create(project("shop", roles=[role]))
        lab.cluster.create(project("bank"))
        people = {f"accounts.{name}": "apiKey, login" for name in ("ann", "bob", "carl", "dan", "eve")}
        patch = {"data": people | {"accounts.login-only": "login"}}
        lab.cluster.patch("v1", "ConfigMap", "argocd-cm", NAMESPACE, patch=patch)
        lab.cluster.create(config("argocd-rbac-cm", {"policy.csv": POLICY}))
        made = Town(lab, owner)
        until(lambda: owner.get("account").body["items"], lambda items: len(items) == 7)
        for name, of in (("web", "shop"), ("prod", "shop"), ("vault", "bank")):
            until(
                lambda name=name, of=of: owner.post("applications", made.application(name, of)),
                lambda answer: answer.status == 200,
            )
        until(
            lambda: owner.get("account/can-i/applications/sync/shop%2Fweb?subject=ann").body.get("value"),
            lambda value: value == "yes",
        )
        yield made
        lab.stop()
