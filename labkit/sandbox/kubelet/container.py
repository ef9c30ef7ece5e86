"""One container's life on a node: pulled, created, run, probed, ended, and begun again after a back-off."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

from labkit.k8s.objects import Object, get_path
from labkit.runtime.recorder import timestamp
from labkit.sandbox.images import FOREVER, Image, Program, Setting, Unpullable, find
from labkit.sandbox.kubelet.environment import ConfigError
from labkit.sandbox.kubelet.logs import Log
from labkit.sandbox.kubelet.probes import Probe

if TYPE_CHECKING:
    from labkit.runtime.clock import Clock
    from labkit.sandbox.kubelet.latency import Latency

JSON = dict[str, Any]
Tell = Callable[[str, str, str, str], None]
"""Writes an Event: Normal or Warning, reason, message, the field of the pod that it is about."""

WAITING, PULLING, CREATING, RUNNING, ENDED = "waiting", "pulling", "creating", "running", "ended"


@dataclass
class Node:
    """What a container needs of the node that it is on."""

    clock: Clock
    latency: Latency
    images: dict[str, Image]
    tell: Tell
    setting: Callable[[Object, Object, int], Setting]
    wake: Callable[[], None]


@dataclass
class Container:
    """One container of one pod. `step` brings it as far as the moment allows; ``due`` is when to step again."""

    spec: Object
    pod: Object
    node: Node
    init: bool = False
    stage: str = WAITING
    due: float = 0.0
    restarts: int = 0
    failures: int = 0
    reason: str = "ContainerCreating"
    message: str = ""
    started_at: datetime | None = None
    last: JSON | None = None
    ended: JSON | None = None
    program: Program | None = None
    log: Log = field(init=False)
    before: Log | None = None
    _run: Any = None
    _run_due: float = math.inf
    _probes: dict[str, Probe] = field(default_factory=dict)
    _again: bool = False

    def __post_init__(self) -> None:
        self.log = Log(self.node.clock)
        if not self.init and get_path(self.pod, "spec", "initContainers"):
            self.reason = "PodInitializing"

    # -- what others see

    @property
    def name(self) -> str:
        """Its name in the pod."""
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.stage == RUNNING

    @property
    def started(self) -> bool:
        """Whether it runs, and its startup probe is content."""
        startup = self._probes.get("startup")
        return self.running and (startup is None or startup.passed)

    @property
    def ready(self) -> bool:
        """Whether it is ready for visitors; an init container is when it has done its work."""
        if self.init:
            return self.succeeded
        readiness = self._probes.get("readiness")
        return self.started and (readiness is None or readiness.passed)

    @property
    def succeeded(self) -> bool:
        """Whether it ended, and well."""
        return self.stage == ENDED and (self.ended or {}).get("exitCode") == 0

    def status(self) -> JSON:
        """As ``status.containerStatuses`` has it."""
        image = find(str(self.spec.get("image", "")))
        known = isinstance(image, Image)
        found: JSON = {
            "name": self.name,
            "image": str(image.name) if isinstance(image, Image) else str(self.spec.get("image", "")),
            "imageID": image.name.id
            if known and self.started_at is not None and isinstance(image, Image)
            else "",
            "ready": self.ready,
            "restartCount": self.restarts,
            "started": self.started,
            "state": self._state(),
            "lastState": {"terminated": self.last} if self.last else {},
        }
        if self.started_at is not None:
            found["containerID"] = self._id
        return found

    def _state(self) -> JSON:
        if self.stage == RUNNING and self.started_at is not None:
            return {"running": {"startedAt": timestamp(self.started_at)}}
        if self.stage == ENDED and self.ended is not None:
            return {"terminated": self.ended}
        waiting = {"reason": self.reason} | ({"message": self.message} if self.message else {})
        return {"waiting": waiting}

    @property
    def _id(self) -> str:
        uid = str(get_path(self.pod, "metadata", "uid", default="")).replace("-", "")
        return f"simulated://{uid}{self.restarts:04x}{crc32(self.name.encode()):08x}"

    # -- what it does

    def step(self, now: float, *, restart: str) -> None:
        """Go on; ``restart`` is the pod's restart policy."""
        for _ in range(20):  # several stages may be due at once; a defect must not hold the loop
            if now < self.due:
                return
            before = (self.stage, self.reason, self.restarts)
            {
                WAITING: self._pull,
                PULLING: self._pulled,
                CREATING: self._create,
                RUNNING: self._live,
                ENDED: self._rest,
            }[self.stage](now, restart)
            if before == (self.stage, self.reason, self.restarts):
                return

    def adopt(self, status: JSON) -> None:
        """Take over from a kubelet that ended: what ran goes on running, without an Event."""
        self.restarts, self.last = (
            status.get("restartCount", 0),
            (status.get("lastState") or {}).get("terminated"),
        )
        state = status.get("state") or {}
        if "terminated" in state:
            self.stage, self.ended, self.due = ENDED, state["terminated"], math.inf
            self.started_at = datetime.fromisoformat(
                state["terminated"].get("startedAt") or timestamp(self.node.clock.now())
            )
        elif "running" in state:
            image = find(str(self.spec.get("image", "")))
            if isinstance(image, Image):
                self.node.images[str(image.name)] = image
                self._start(self.node.clock.monotonic(), image)
                self.started_at = datetime.fromisoformat(state["running"]["startedAt"])
                for probe in self._probes.values():
                    probe.passed = True

    def terminate(self) -> float:
        """SIGTERM: in how many seconds it will have ended; 0 if it does not run."""
        if not self.running or self.program is None:
            return 0.0
        seconds, _ = self.program.terminate()
        return seconds

    def kill(self, code: int) -> None:
        """It has ended, because it was told to."""
        if self.running:
            self._end(code, self.node.clock.monotonic())

    def _pull(self, now: float, _restart: str) -> None:
        text = str(self.spec.get("image", ""))
        image = find(text)
        if isinstance(image, Unpullable):
            self._cannot_pull(image, now, text)
            return
        present = str(image.name) in self.node.images
        policy = self.spec.get("imagePullPolicy") or (
            "Always" if image.name.tag == "latest" else "IfNotPresent"
        )
        if present and policy != "Always":
            self._tell("Normal", "Pulled", f'Container image "{text}" already present on machine')
            self.stage, self.due = CREATING, now + self.node.latency.create
            return
        if policy == "Never" and not present:
            message = f'Container image "{text}" is not present with pull policy of Never'
            self.reason, self.message, self.due = (
                "ErrImageNeverPull",
                message,
                now + self.node.latency.first_backoff,
            )
            return
        self._tell("Normal", "Pulling", f'Pulling image "{text}"')
        wait = self.node.latency.resolve if present else self.node.latency.pull(image.size)
        self.stage, self.due = PULLING, now + wait

    def _cannot_pull(self, found: Unpullable, now: float, text: str) -> None:
        if found.reason == "InvalidImageName":
            self._tell("Warning", "InspectFailed", found.message)
            self.reason, self.message, self.due = found.reason, found.message, math.inf
            return
        if self.reason == "ErrImagePull":  # told already: now it waits, and says so
            self.failures += 1
            self._tell("Normal", "BackOff", f'Back-off pulling image "{text}"')
            self._tell("Warning", "Failed", "Error: ImagePullBackOff")
            self.reason = "ImagePullBackOff"
            self.message = f'Back-off pulling image "{text}": ErrImagePull: {found.message}'
            self.due = now + self.node.latency.backoff(self.failures)
            return
        self._tell("Normal", "Pulling", f'Pulling image "{text}"')
        self._tell("Warning", "Failed", f'Failed to pull image "{text}": {found.message}')
        self._tell("Warning", "Failed", "Error: ErrImagePull")
        self.reason, self.message, self.due = (
            "ErrImagePull",
            found.message,
            now + self.node.latency.look_again,
        )

    def _pulled(self, now: float, _restart: str) -> None:
        image = find(str(self.spec.get("image", "")))
        if isinstance(image, Image):
            self.node.images[str(image.name)] = image
            took = f"{self.node.latency.pull(image.size) * 1000:.0f}ms"
            text = f'Successfully pulled image "{self.spec["image"]}" in {took} ({took} including waiting).'
            self._tell("Normal", "Pulled", f"{text} Image size: {image.size} bytes.")
        self.stage, self.due = CREATING, now + self.node.latency.create

    def _create(self, now: float, _restart: str) -> None:
        image = find(str(self.spec.get("image", "")))
        if not isinstance(image, Image):
            self.stage = WAITING
            return
        try:
            self._start(now, image)
        except ConfigError as error:
            if self.message != str(error):
                self._tell("Warning", "Failed", f"Error: {error}")
            self.reason, self.message = "CreateContainerConfigError", str(error)
            self.due = now + self.node.latency.mount_retry
            return
        self._tell("Normal", "Created", f"Container created: {self.name}")
        self._tell("Normal", "Started", "Container started")

    def _start(self, now: float, image: Image) -> None:
        setting = self.node.setting(self.pod, self.spec, self.restarts + self._again)
        self.restarts, self._again = self.restarts + self._again, False
        self.before, self.log = self.log, Log(self.node.clock)
        self.program = image.start(setting, self.log.write, self.node.wake)
        self._run, self.started_at = self.program.run(), self.node.clock.now()
        self._run_due, self.stage, self.reason, self.message = now, RUNNING, "", ""
        self._probes = {
            kind: Probe(kind, self.spec[f"{kind}Probe"], self.spec, now)
            for kind in ("startup", "readiness", "liveness")
            if self.spec.get(f"{kind}Probe") and not self.init
        }
        self.due = now

    def _live(self, now: float, _restart: str) -> None:
        program = self.program
        if program is None:
            return
        while program.exit_code is None and now >= self._run_due:
            try:
                pause = next(self._run)
            except StopIteration as over:
                program.exit_code = over.value or 0
            else:
                self._run_due = math.inf if pause == FOREVER else self._run_due + max(pause, 0.001)
        if program.exit_code is not None:
            self._end(program.exit_code, now)
            return
        self._probe(now, program)
        if self.running:
            self.due = min([self._run_due, *(probe.due for probe in self._asked())])

    def _asked(self) -> list[Probe]:
        """The probes whose turn it is: until the startup probe passed, no other is asked."""
        startup = self._probes.get("startup")
        if startup is not None and not startup.passed:
            return [startup]
        return [probe for kind, probe in self._probes.items() if kind != "startup"]

    def _probe(self, now: float, program: Program) -> None:
        address = str(get_path(self.pod, "status", "podIP", default=""))
        for probe in self._asked():
            if now < probe.due:
                continue
            outcome = probe.ask(program, address, now)
            if not outcome.well:
                self._tell(
                    "Warning", "Unhealthy", f"{probe.kind.capitalize()} probe failed: {outcome.message}"
                )
            if probe.given_up and probe.kind != "readiness":
                text = f"Container {self.name} failed {probe.kind} probe, will be restarted"
                self._tell("Normal", "Killing", text)
                self._end(137 if program.terminate()[0] > 30 else program.terminate()[1], now)
                return

    def _end(self, code: int, now: float) -> None:
        began = self.started_at or self.node.clock.now()
        self.ended = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": timestamp(began),
            "finishedAt": timestamp(self.node.clock.now()),
            "containerID": self._id,
        }
        self.log.end()
        if (self.node.clock.now() - began).total_seconds() > self.node.latency.backoff_forgotten:
            self.failures = 0
        self.stage, self.program, self._run, self._probes, self.due = ENDED, None, None, {}, now

    def _rest(self, now: float, restart: str) -> None:
        """After its end: begun again, at once the first time and then after a growing back-off, or left."""
        code = (self.ended or {}).get("exitCode")
        if restart == "Never" or (code == 0 and (restart == "OnFailure" or self.init)):
            self.due = math.inf
            return
        self.last, self.ended = self.ended, None
        self._again = True  # it counts once it is begun again
        self.failures += 1
        self.stage = WAITING
        if self.failures == 1:
            self.reason, self.message, self.due = "ContainerCreating", "", now
            return
        wait = self.node.latency.backoff(self.failures - 1)
        name, uid = get_path(self.pod, "metadata", "name"), get_path(self.pod, "metadata", "uid")
        place = f"{name}_{get_path(self.pod, 'metadata', 'namespace')}({uid})"
        self.reason = "CrashLoopBackOff"
        self.message = f"back-off {wait:.0f}s restarting failed container={self.name} pod={place}"
        self._tell("Warning", "BackOff", f"Back-off restarting failed container {self.name} in pod {place}")
        self.due = now + wait

    def _tell(self, kind: str, reason: str, message: str) -> None:
        part = "initContainers" if self.init else "containers"
        self.node.tell(kind, reason, message, f"spec.{part}{{{self.name}}}")
