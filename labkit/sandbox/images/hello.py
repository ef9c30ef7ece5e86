"""``gitops-lab/hello``: the application that the lab rolls out. What it answers shows what is running.

Its version is the image's tag, so that a rollout can be watched from outside. The rest it takes from its environment:

======================  ==============================================================================
``COLOUR``              what it shows itself in; without it each major version has its own
``MESSAGE``             a line of text (``GREETING`` does as well)
``PORT``                where it listens: 8080
``START_SECONDS``       how long it takes to start (0): until then nothing listens
``READY``, ``HEALTHY``  ``false``: /readyz, /healthz answer 503
``CRASH_AFTER``         seconds after which it ends with exit code 1
``WORK_MILLISECONDS``   the processor time that each answer costs: 5
======================  ==============================================================================

``GET /`` answers JSON, or plain text, or a page, as ``Accept`` (or ``?format=json|text|html``) asks; ``/version``,
``/env``, ``/healthz``, ``/readyz``, ``/metrics`` what their names say. ``POST /fail/healthz`` and ``/fail/readyz``
make those fail from then on (``/mend/…`` heals), and ``POST /crash`` ends it: for lessons on probes.

Some tags misbehave, for lessons on rollouts: ``…-crash`` ends soon after its start, ``…-slow`` takes 20 s to start,
``…-unhealthy`` fails both health checks, ``…-errors`` answers every other request with 500.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, ClassVar

from labkit.sandbox.images.http import Answer, Request
from labkit.sandbox.images.program import FOREVER, Program, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.images.program import Setting

COLOURS = ("grey", "blue", "green", "orange", "purple", "red")
_OWN = {
    "COLOUR", "COLOR", "MESSAGE", "GREETING", "PORT", "START_SECONDS", "READY", "HEALTHY", "CRASH_AFTER",
    "WORK_MILLISECONDS",
}  # fmt: skip
_NOT_SHOWN = ("KUBERNETES_", "HOSTNAME", "PATH", "HOME")
_SECRET = ("PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL")


class Hello(Program):
    """The lab's application."""

    listens: ClassVar[tuple[int, ...]] = (8080,)
    mebibytes = 12

    def __init__(
        self, setting: Setting, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(setting, log, wake)
        env = setting.env
        self.version = setting.image.tag.removeprefix("v") or "unknown"
        self.colour = env.get("COLOUR") or env.get("COLOR") or _colour_of(self.version)
        self.message = env.get("MESSAGE") or env.get("GREETING") or "Hello from GitOps Lab"
        self.broken = {
            name for name, var in (("healthz", "HEALTHY"), ("readyz", "READY")) if _is_no(env.get(var))
        }
        if self._is("unhealthy"):
            self.broken |= {"healthz", "readyz"}
        self.up = False
        self.requests = self.asked = 0
        self.request_seconds = max(0.0, _number(env.get("WORK_MILLISECONDS"), 5.0)) / 1000

    def run(self) -> Run:
        """Start, listen, and crash if it is told to."""
        env = self.setting.env
        start = _number(env.get("START_SECONDS"), 20.0 if self._is("slow") else 0.0)
        self.log(f"hello {self.version} starting, colour={self.colour}")
        if start > 0:
            self.log(f"warming up for {start:g} s")
            yield start
        self.up = True
        self.log(f"listening on :{self.port}")
        crash = _number(env.get("CRASH_AFTER"), 1.0 if self._is("crash") else FOREVER)
        yield crash
        self.log(
            "panic: this version is broken, on purpose" if self._is("crash") else "panic: CRASH_AFTER is over"
        )
        return 1

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(_number(self.setting.env.get("PORT"), 8080))

    @property
    def ports(self) -> tuple[int, ...]:
        """Nothing before it is up."""
        return (self.port,) if self.up else ()

    def terminate(self) -> tuple[float, int]:
        """It closes its port, finishes what it is at, and ends."""
        self.log("SIGTERM: finishing requests, then leaving")
        return 0.2, 0

    def http(self, request: Request) -> Answer:
        """Answer, and write an access log line for everybody but probes."""
        answer = self._answer(request)
        if not request.is_probe:
            self.log(f'"{request.method} {request.path}" {answer.status} {len(answer.body)}')
        return answer

    def _answer(self, request: Request) -> Answer:
        path = request.path.strip("/")
        if path in ("healthz", "livez", "readyz"):
            return self._health("readyz" if path == "readyz" else "healthz")
        if request.method == "POST":
            return self._be_told(path)
        if path == "version":
            return Answer.text(f"{self.version}\n")
        if path == "env":
            return Answer.json(self._configuration())
        if path == "metrics":
            return Answer.text(self._metrics())
        if path:
            return Answer.text(f"hello {self.version} has nothing at /{path}\n", 404)
        self.requests += request.times
        self.asked += 1
        if self._is("errors") and self.asked % 2 == 0:
            return Answer.json({"error": "this version fails every other time, on purpose"}, 500)
        return self._front(request)

    def _front(self, request: Request) -> Answer:
        about = self._about()
        form = request.query.get("format") or _asked_for(request.headers.get("accept", ""))
        if form == "text":
            return Answer.text(
                "".join(f"{name}: {value}\n" for name, value in about.items() if isinstance(value, str))
            )
        if form == "html":
            return Answer.html(_page(about))
        return Answer.json(about)

    def _about(self) -> dict[str, object]:
        return {
            "app": self.setting.image.path.rpartition("/")[2],
            "version": self.version,
            "colour": self.colour,
            "message": self.message,
            "hostname": self.setting.host_name,
            "namespace": self.setting.namespace,
            "configuration": self._configuration(),
        }

    def _configuration(self) -> dict[str, str]:
        """The environment that the manifest gave it; what looks like a secret is not shown."""
        return {
            name: "********" if any(word in name.upper() for word in _SECRET) else value
            for name, value in sorted(self.setting.env.items())
            if name not in _OWN and not name.startswith(_NOT_SHOWN)
        }

    def _health(self, which: str) -> Answer:
        return Answer.text(f"{which} failing\n", 503) if which in self.broken else Answer.text("ok\n")

    def _be_told(self, path: str) -> Answer:
        verb, _, what = path.partition("/")
        if path == "crash":
            self.log("panic: asked to crash")
            self.end(1)
            return Answer.text("crashing\n", 202)
        if verb in ("fail", "mend") and what in ("healthz", "readyz"):
            self.broken = self.broken | {what} if verb == "fail" else self.broken - {what}
            return Answer.text(f"{what} {'fails' if verb == 'fail' else 'answers'} from now on\n")
        return Answer.text(
            "hello takes POST /fail/healthz, /fail/readyz, /mend/healthz, /mend/readyz, /crash\n", 404
        )

    def _metrics(self) -> str:
        labels = f'version="{self.version}",colour="{self.colour}"'
        return (
            "# TYPE hello_requests_total counter\n"
            f"hello_requests_total{{{labels}}} {self.requests}\n"
            f"# TYPE hello_info gauge\nhello_info{{{labels}}} 1\n"
        )

    def _is(self, fault: str) -> bool:
        return self.version.endswith(f"-{fault}")


def _colour_of(version: str) -> str:
    major = version.split(".", maxsplit=1)[0]
    return COLOURS[int(major) % len(COLOURS)] if major.isdigit() else COLOURS[0]


def _asked_for(accept: str) -> str:
    """json unless a text or a page is asked for by name, as browsers do."""
    kinds = [part.split(";")[0].strip() for part in accept.split(",")]
    first = next((kind for kind in kinds if kind in ("text/html", "text/plain", "application/json")), "")
    return {"text/html": "html", "text/plain": "text"}.get(first, "json")


def _page(about: dict[str, object]) -> str:
    shown = {name: html.escape(str(value)) for name, value in about.items() if isinstance(value, str)}
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in shown.items())
    return (
        f"<!doctype html><html><head><title>{shown['app']} {shown['version']}</title></head>"
        f'<body style="font-family:sans-serif;border-left:2em solid {shown["colour"]};padding:2em">'
        f"<h1>{shown['message']}</h1><table>{rows}</table></body></html>\n"
    )


def _is_no(text: str | None) -> bool:
    return (text or "").lower() in ("false", "no", "0")


def _number(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default
