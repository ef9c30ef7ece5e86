"""Lesson 04, Anatomy of a chart: what stands where in a chart, what a template sees, and whose value wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.k8s.objects import get_path, name_of
from labkit.lessons import charting
from labkit.lessons.course.looking import shown, told
from labkit.lessons.written import Say, written

if TYPE_CHECKING:
    from pathlib import Path

    from labkit.helm import Chart
    from labkit.k8s.objects import Object
    from labkit.lessons.exercise import Finding
    from labkit.lessons.workbench import Workbench

NAME = "anatomy"
GIVEN = {"values": {"message": "hello"}}


def _gaps(bench: Workbench, say: Say) -> Finding:
    chart = charting.chart_at(bench.namespace(NAME).folder, "market")
    pears, plums = charting.made(chart, "pears", **GIVEN), charting.made(chart, "plums", **GIVEN)
    finding = (
        _two_releases(say, pears, plums)
        or _services(say, pears)
        or _image(say, chart, **GIVEN)
        or _message_is_required(say, chart)
        or _selectors(say, pears, plums)
    )
    return finding or say.yes()


def _two_releases(say: Say, pears: list[Object], plums: list[Object]) -> Finding | None:
    if not charting.of_kind(pears, "Deployment"):
        return say.no("nothing")
    both = charting.names(pears) & charting.names(plums)
    if both:
        return say.no("names", both=", ".join(f"{kind} {name}" for kind, name in sorted(both)))
    return None


def _services(say: Say, pears: list[Object]) -> Finding | None:
    ports = {
        name_of(each): get_path(each, "spec", "ports", 0, "port")
        for each in charting.of_kind(pears, "Service")
    }
    if set(ports) != {"pears-north", "pears-south"}:
        return say.no("services", names=", ".join(sorted(ports)) or "none")
    if ports["pears-north"] != 80:
        return say.no("port", port=ports["pears-north"] or "none")
    if ports["pears-south"] != 8081:
        return say.no("fixed", port=ports["pears-south"])
    return None


def _image(say: Say, chart: Chart, **given: Any) -> Finding | None:
    with charting.otherwise(chart, "Chart.yaml", version="9.9.9", appVersion="7.7.7") as other:
        image = charting.image(charting.made(other, "pears", **given))
    if image.endswith("9.9.9"):
        return say.no("version", image=image)
    if not image.endswith(":7.7.7"):
        return say.no("app", image=image)
    image = charting.image(charting.made(chart, "pears", set=["image.tag=2.0.0"], **given))
    return None if image.endswith(":2.0.0") else say.no("tag", image=image)


def _message_is_required(say: Say, chart: Chart) -> Finding | None:
    try:
        objects = charting.made(chart, "pears")
    except LabError as error:
        said = error.problem.partition("\n")[0]  # below it the template's line is quoted
        return None if "message" in said else say.no("unclear", problem=said)
    return say.no("message", value=repr(charting.environment(objects).get("MESSAGE")))


def _selectors(say: Say, pears: list[Object], plums: list[Object]) -> Finding | None:
    own, others = charting.pod_labels(pears), charting.pod_labels(plums)
    for service in charting.of_kind(pears, "Service"):
        selector = shown(get_path(service, "spec", "selector", default=None) or {})
        if not charting.selects(service, own):
            return say.no("selector", service=name_of(service), selector=selector, labels=shown(own))
        if charting.selects(service, others):
            return say.no("shared", service=name_of(service), selector=selector)
    return None


MARKET_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      {{- include "market.labels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "market.labels" . | nindent 8 }}
    spec:
      containers:
        - name: hello
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          env:
            - name: MESSAGE
              value: {{ required "give a message: --set message=…" .Values.message | quote }}
          ports:
            - containerPort: 8080
"""

MARKET_SERVICES = """\
{{- range .Values.stalls }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $.Release.Name }}-{{ .name }}
spec:
  selector:
    {{- include "market.labels" $ | nindent 4 }}
  ports:
    - port: {{ .port | default 80 }}
      targetPort: 8080
{{- end }}
"""


def _solve_gaps(bench: Workbench) -> None:
    templates = bench.namespace(NAME).folder / "market" / "templates"
    _put(templates / "deployment.yaml", MARKET_DEPLOYMENT)
    _put(templates / "services.yaml", MARKET_SERVICES)


def _stand(bench: Workbench, say: Say) -> Finding:
    ns = bench.namespace(NAME)
    if not (ns.folder / "stand" / "Chart.yaml").is_file():
        return say.no("absent")
    chart = charting.chart_at(ns.folder, "stand")
    about = (chart.name, chart.version, chart.app_version)
    if about != ("stand", "0.1.0", "1.1.0"):
        return say.no("about", about=" ".join(each or "(none)" for each in about))
    ripe, green = charting.made(chart, "ripe"), charting.made(chart, "green")
    finding = (
        _kinds(say, ripe)
        or _two_releases(say, ripe, green)
        or _image(say, chart)
        or _values(say, chart)
        or _selectors(say, ripe, green)
    )
    if finding:
        return finding
    service = name_of(charting.of_kind(ripe, "Service")[0])
    if service not in chart.render("ripe").notes:
        return say.no("notes", service=service)
    answer = ns.answer(service)
    if "error" in answer:
        return say.no("applied", service=service, answer=told(answer))
    return say.yes(service=service, message=told(answer))


def _kinds(say: Say, objects: list[Object]) -> Finding | None:
    missing = [kind for kind in ("Deployment", "Service") if not charting.of_kind(objects, kind)]
    have = ", ".join(sorted(kind for kind, _ in charting.names(objects))) or "nothing"
    return say.no("kinds", missing=" and no ".join(missing), have=have) if missing else None


def _values(say: Say, chart: Chart) -> Finding | None:
    three = charting.of_kind(charting.made(chart, "ripe", set=["replicas=3"]), "Deployment")[0]
    if three["spec"].get("replicas") != 3:
        return say.no("replicas", replicas=three["spec"].get("replicas", "not given"))
    text = charting.environment(charting.made(chart, "ripe", set_string=["message=1.10"])).get("MESSAGE")
    if text == "1.10":
        return None
    return (
        say.no("message", value=repr(text)) if isinstance(text, str | None) else say.no("quote", value=text)
    )


STAND = {
    "Chart.yaml": 'apiVersion: v2\nname: stand\nversion: 0.1.0\nappVersion: "1.1.0"\n',
    "values.yaml": "replicas: 1\nmessage: cherries\nimage:\n  tag: ''\n",
    "templates/NOTES.txt": "Ask the Service {{ .Release.Name }}.\n",
    "templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      containers:
        - name: hello
          image: "gitops-lab/hello:{{ .Values.image.tag | default .Chart.AppVersion }}"
          env:
            - name: MESSAGE
              value: {{ .Values.message | quote }}
          ports:
            - containerPort: 8080
""",
    "templates/service.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    app: {{ .Release.Name }}
  ports:
    - port: 80
      targetPort: 8080
""",
}


def _solve_stand(bench: Workbench) -> None:
    ns = bench.namespace(NAME)
    for name, text in STAND.items():
        _put(ns.folder / "stand" / name, text)
    _put(ns.folder / "ripe.yaml", charting.chart_at(ns.folder, "stand").render("ripe").manifest)
    ns.apply("ripe.yaml")
    ns.wait()


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


SCRIPT = written("04", NAME, {"gaps": (_gaps, _solve_gaps), "stand": (_stand, _solve_stand)})
