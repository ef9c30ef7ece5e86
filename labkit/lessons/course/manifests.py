"""Lesson 01, Manifests by hand: a Deployment and a Service, and the labels between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.k8s.objects import get_path, labels_of, name_of
from labkit.lessons.course.looking import is_ready, message_of, named, shown, told
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "manifests"


def _reach(bench: Workbench, say: Say) -> Finding:
    ns = bench.namespace(NAME)
    service = named(ns.services(), "bananas")
    if service is None:
        return say.no("absent")
    own = [pod for pod in ns.pod_objects() if message_of(pod) == "bananas"]
    if not own:
        return say.no("gone")
    selector = get_path(service, "spec", "selector", default={})
    if not selector:
        return say.no("everything")
    behind = ns.behind(service)
    others = sorted({message_of(pod) or name_of(pod) for pod in behind} - {"bananas"})
    if others:
        return say.no("others", selector=shown(selector), others=", ".join(others))
    if not behind:
        return say.no("nothing", selector=shown(selector), labels=shown(labels_of(own[0])))
    answer = ns.answer("bananas")
    if answer.get("message") != "bananas":
        return say.no("port", error=told(answer))
    if pending := ns.pending():
        return say.no("file", pending=", ".join(pending))
    return say.yes(count=len(behind), message=answer["message"])


def _solve_reach(bench: Workbench) -> None:
    ns = bench.namespace(NAME)
    file = ns.folder / "bananas.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("app: banana\n", "app: bananas\n"), encoding="utf-8", newline="\n")
    ns.apply("bananas.yaml")
    ns.wait()


def _cherries(bench: Workbench, say: Say) -> Finding:
    ns = bench.namespace(NAME)
    deployment, service = named(ns.deployments(), "cherries"), named(ns.services(), "cherries")
    if deployment is None:
        return say.no("nothing")
    if service is None:
        return say.no("service")
    if deployment["spec"]["replicas"] != 2:
        return say.no("replicas", wanted=deployment["spec"]["replicas"])
    ready = get_path(deployment, "status", "availableReplicas", default=0)
    if ready != 2:
        states = {_waiting(pod) for pod in ns.pod_objects() if not is_ready(pod)}
        return say.no("pods", ready=ready, state=", ".join(sorted(states)) or "starting")
    return _cherries_service(ns, service, say)


def _cherries_service(ns: Any, service: Object, say: Say) -> Finding:
    port = get_path(service, "spec", "ports", 0, "port")
    if port != 80:
        return say.no("port", port=port)
    found = {name_of(pod).rsplit("-", 2)[0] for pod in ns.behind(service)}
    if found != {"cherries"}:
        selector = shown(get_path(service, "spec", "selector", default={}))
        return say.no("selector", selector=selector, found=", ".join(sorted(found)) or "no Pod")
    answer = ns.answer("cherries")
    if answer.get("message") != "cherries":
        return say.no("answer", answer=answer.get("message") or told(answer))
    written_down = {(obj["kind"], name_of(obj)) for obj in ns.wanted()}
    missing = [kind for kind in ("Deployment", "Service") if (kind, "cherries") not in written_down]
    missing += [name for name in ns.pending() if name.endswith("/cherries")]
    if missing:
        return say.no("file", missing=", ".join(missing))
    return say.yes(message=answer["message"])


def _waiting(pod: Object) -> str:
    state = get_path(pod, "status", "containerStatuses", 0, "state", "waiting", "reason")
    return str(state or get_path(pod, "status", "phase", default="Pending"))


def manifest(name: str, replicas: int = 2) -> str:
    """A Deployment and a Service of the lab's application, as the author would write them by hand."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
        - name: hello
          image: gitops-lab/hello:1.0.0
          env:
            - name: MESSAGE
              value: {name}
          ports:
            - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app: {name}
  ports:
    - port: 80
      targetPort: 8080
"""


def _solve_cherries(bench: Workbench) -> None:
    ns = bench.namespace(NAME)
    (ns.folder / "cherries.yaml").write_text(manifest("cherries"), encoding="utf-8", newline="\n")
    ns.apply("cherries.yaml")
    ns.wait()


SCRIPT = written("01", NAME, {"reach": (_reach, _solve_reach), "cherries": (_cherries, _solve_cherries)})
