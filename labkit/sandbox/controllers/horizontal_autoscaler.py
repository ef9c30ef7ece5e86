"""HorizontalPodAutoscaler: as many replicas as the load needs.

Every 15 seconds: read the target's scale, ask each metric how many replicas it wants (`replica_calculator`), take the
highest answer, go no faster than the behavior allows (`scaling_behavior`), write the scale, and say why in the
status. Resource and ContainerResource metrics come from ``metrics.k8s.io``; the metrics of other APIs (Pods, Object,
External) need an adapter that this cluster has not, and the autoscaler says so, as it does in any such cluster.

Source: pkg/controller/podautoscaler/horizontal.go and metrics/client.go in Kubernetes 1.36.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from labkit.errors import ApiError, NotFound
from labkit.k8s import quantities
from labkit.k8s.objects import Object, get_path, group_of, name_of
from labkit.k8s.selectors import LabelSelector
from labkit.runtime.controller import Result
from labkit.runtime.recorder import timestamp
from labkit.sandbox.controllers import absent_metrics, conditions, pods, replica_calculator, scaling_behavior
from labkit.sandbox.controllers.plane import ControlPlane, Key, key_of
from labkit.sandbox.controllers.replica_calculator import NoProposal, Proposal, Sample, Tolerances

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.resources import Resource

JSON = dict[str, Any]

SYNC_SECONDS: Final = 15.0
API: Final = "autoscaling/v2"
_WINDOW: Final = timedelta(seconds=15)


@dataclass
class Decision:
    """How many replicas the metrics want, which of them wants it, and what they were."""

    wanted: int = 0
    metric: str = ""
    current: list[JSON] = field(default_factory=list)


class Stopped(Exception):
    """The autoscaler cannot go on this time; the status says why."""


class HorizontalAutoscalers:
    """The controller."""

    def __init__(self, plane: ControlPlane) -> None:
        self.clock, self.client = plane.clock, plane.client_of("horizontal-pod-autoscaler")
        self.events = plane.recorder("horizontal-pod-autoscaler")
        self.pods = plane.informer("v1", "Pod")
        self.selectors: dict[Key, LabelSelector] = {}
        self._memory: dict[Key, scaling_behavior.Memory] = {}
        self._autoscalers = plane.informer(API, "HorizontalPodAutoscaler")
        controller = plane.controller("HorizontalPodAutoscaler", self.reconcile)
        self._autoscalers.on_change(
            lambda _event, obj, _old: controller.enqueue_after(key_of(obj), SYNC_SECONDS)
        )

    def reconcile(self, key: Key) -> Result | None:
        """Look at the load, and scale."""
        seen = self._autoscalers.get(*key)
        if seen is None:
            self._memory.pop(key, None)
            self.selectors.pop(key, None)
            return None
        memory = self._memory.setdefault(key, scaling_behavior.Memory())
        run = _Run(
            self, key, self.client.get(API, "HorizontalPodAutoscaler", key.name, key.namespace), memory
        )
        with contextlib.suppress(Stopped):
            run.scale()
        if run.status != (seen.get("status") or {}):
            try:
                self.client.replace_status({**run.autoscaler, "status": run.status})
            except NotFound:
                return None
        return Result(requeue_after=SYNC_SECONDS)


class _Run:
    """One look at one autoscaler; `status` is what it will say."""

    def __init__(
        self, all_: HorizontalAutoscalers, key: Key, autoscaler: Object, memory: scaling_behavior.Memory
    ) -> None:
        self._all, self._key, self.autoscaler, self._memory = all_, key, autoscaler, memory
        self._client, self._events, self._now = all_.client, all_.events, all_.clock.now()
        self._spec: JSON = autoscaler["spec"]
        self.status: JSON = {**(autoscaler.get("status") or {})}

    def scale(self) -> None:
        """Decide, and do it.  Raises `Stopped` when that is not possible now."""
        resource, scale = self._target()
        self._say("AbleToScale", "True", "SucceededGetScale",
                  "the HPA controller was able to get the target's current scale")  # fmt: skip
        current = int(scale["spec"].get("replicas", 0))
        self._memory.begin(self._now, current)
        least, most = self._spec.get("minReplicas", 1), self._spec["maxReplicas"]
        metrics: list[JSON] = []
        if current == 0 and least != 0:
            text = "scaling is disabled since the replica count of the target is zero"
            self._say("ScalingActive", "False", "ScalingDisabled", text)
            wanted, reason = 0, ""
        elif current > most:
            wanted, reason = most, "Current number of replicas above Spec.MaxReplicas"
        elif current < least:
            wanted, reason = least, "Current number of replicas below Spec.MinReplicas"
        else:
            decision = self._decide(scale, current)
            metrics, wanted = decision.current, decision.wanted
            reason = f"{decision.metric} above target" if wanted > current else ""
            reason = "All metrics below target" if wanted < current else reason
            wanted = self._careful(current, wanted)
        if wanted != current:
            self._rescale(resource, current, wanted, reason, metrics)
        self._replicas(current, wanted, metrics)

    def _target(self) -> tuple[Resource, JSON]:
        """The kind that is scaled, and its scale."""
        ref = self._spec["scaleTargetRef"]
        group = group_of(ref.get("apiVersion", ""))
        found = [r for r in self._client.kinds() if (r.group, r.kind) == (group, ref["kind"])]
        problem = f'no matches for kind "{ref["kind"]}" in group "{group}"'
        if found:
            try:
                return found[0], self._client.scale(found[0], self._key.namespace, ref["name"])
            except NotFound as error:
                problem = error.message
        self._events.warning(self.autoscaler, "FailedGetScale", problem)
        text = f"the HPA controller was unable to get the target's current scale: {problem}"
        self._say("AbleToScale", "False", "FailedGetScale", text)
        raise Stopped

    def _rescale(
        self, resource: Resource, current: int, wanted: int, reason: str, metrics: list[JSON]
    ) -> None:
        name = self._spec["scaleTargetRef"]["name"]
        try:
            self._client.rescale(resource, self._key.namespace, name, wanted)
        except ApiError as error:
            text = f"New size: {wanted}; reason: {reason}; error: {error.message}"
            self._events.warning(self.autoscaler, "FailedRescale", text)
            text = f"the HPA controller was unable to update the target scale: {error.message}"
            self._say("AbleToScale", "False", "FailedUpdateScale", text)
            self._replicas(current, self.status.get("desiredReplicas", 0), metrics)
            raise Stopped from error
        text = f"the HPA controller was able to update the target scale to {wanted}"
        self._say("AbleToScale", "True", "SucceededRescale", text)
        self._events.normal(self.autoscaler, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        self._memory.scaled(self._now, self._spec.get("behavior"), current, wanted)
        self.status["lastScaleTime"] = timestamp(self._now)

    def _careful(self, current: int, wanted: int) -> int:
        """The wanted replicas after windows, policies and limits."""
        behavior = self._spec.get("behavior")
        steady = scaling_behavior.stabilized(self._memory, behavior, self._now, current, wanted)
        if steady.replicas != wanted:
            self._say("AbleToScale", "True", steady.reason, steady.message)
        else:
            self._say("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
        spec = (self._spec.get("minReplicas", 1), self._spec["maxReplicas"])
        found = scaling_behavior.limited(self._memory, behavior, self._now, current, steady.replicas, spec)
        state = "False" if found.replicas == steady.replicas else "True"
        self._say("ScalingLimited", state, found.reason, found.message)
        return found.replicas

    # ── metrics ───────────────────────────────────────────────────────────────

    def _decide(self, scale: JSON, current: int) -> Decision:
        """The highest proposal of all metrics."""
        specs, decision = self._spec.get("metrics") or [], Decision()
        problems: list[tuple[str, str]] = []
        try:
            selector = self._selector(scale)
            for spec in specs:
                try:
                    proposal, name, seen = self._propose(spec, selector, current)
                except NoProposal as error:
                    problems.append(self._failed(spec, str(error)))
                    decision.current.append({"type": ""})  # as Kubernetes leaves it
                    continue
                decision.current.append(seen)
                if decision.wanted == 0 or proposal.replicas > decision.wanted:
                    decision.wanted, decision.metric = proposal.replicas, name
        except NoProposal as error:  # the target's selector is of no use
            self._give_up(current, [], str(error))
        if problems and (len(problems) >= len(specs) or decision.wanted < current):
            reason, text = problems[0]
            message = f"the HPA was unable to compute the replica count: {text}"
            self._say("ScalingActive", "False", reason, message)
            wrapped = f"{_subject(specs[_first_bad(decision.current)])}: {text}"
            count = f"invalid metrics ({len(problems)} invalid out of {len(specs)})"
            self._give_up(current, decision.current, f"{count}, first error is: failed to get {wrapped}")
        text = f"the HPA was able to successfully calculate a replica count from {decision.metric}"
        self._say("ScalingActive", "True", "ValidMetricFound", text)
        return decision

    def _give_up(self, current: int, metrics: list[JSON], text: str) -> None:
        self._replicas(current, self.status.get("desiredReplicas", 0), metrics)
        self._events.warning(self.autoscaler, "FailedComputeMetricsReplicas", text)
        raise Stopped

    def _failed(self, spec: JSON, text: str) -> tuple[str, str]:
        kind = spec.get("type", "")
        known = kind in (*absent_metrics.KINDS, "Resource", "ContainerResource")
        reason = f"FailedGet{kind}Metric" if known else "InvalidMetricSourceType"
        self._events.warning(self.autoscaler, reason, text)
        return reason, text

    def _selector(self, scale: JSON) -> LabelSelector:
        """Which pods are the target's.  Raises `NoProposal` where that is not clear."""
        text = get_path(scale, "status", "selector", default="")
        if not text:
            self._events.warning(self.autoscaler, "SelectorRequired", "selector is required")
            message = "the HPA target's scale is missing a selector"
            self._say("ScalingActive", "False", "InvalidSelector", message)
            raise NoProposal("selector is required")
        try:
            selector = LabelSelector.parse(text)
        except ApiError as error:
            why = "couldn't convert selector into a corresponding internal selector object: "
            self._events.warning(self.autoscaler, "InvalidSelector", why + error.message)
            self._say("ScalingActive", "False", "InvalidSelector", why + error.message)
            raise NoProposal(why + error.message) from error
        self._all.selectors[self._key] = selector
        mine = self._all.pods.list(self._key.namespace, selector)
        rivals = sorted(
            key
            for key, other in self._all.selectors.items()
            if key.namespace == self._key.namespace
            and (key == self._key or any(other.matches(pod["metadata"].get("labels") or {}) for pod in mine))
        )
        if len(rivals) > 1:
            names = " ".join(str(key) for key in rivals)
            message = f"pods by selector {text} are controlled by multiple HPAs: [{names}]"
            self._events.warning(self.autoscaler, "AmbiguousSelector", message)
            self._say("ScalingActive", "False", "AmbiguousSelector", message)
            raise NoProposal(message)
        return selector

    def _propose(self, spec: JSON, selector: LabelSelector, current: int) -> tuple[Proposal, str, JSON]:
        """One metric's proposal, its name, and its value for the status.  Raises `NoProposal`."""
        kind = spec.get("type", "")
        if kind in absent_metrics.KINDS:
            raise NoProposal(absent_metrics.why(kind, spec[_key(kind)], self._key.namespace))
        if kind not in ("Resource", "ContainerResource"):
            raise NoProposal(f'unknown metric source type "{kind}"')
        said = spec[_key(kind)]
        resource, container, target = said["name"], said.get("container", ""), said.get("target") or {}
        short = "container resource" if container else "resource"
        found = self._all.pods.list(self._key.namespace, selector)
        if target.get("averageValue") is not None:
            what, name = "usage", f"{resource} {short}"
        elif target.get("averageUtilization") is not None:
            what, name = "utilization", f"{resource} {short} utilization (percentage of request)"
        else:
            raise NoProposal(
                "invalid resource metric source: neither an average utilization target "
                "nor an average value (usage) target was set"
            )
        try:
            samples = self._samples(resource, container, str(selector))
            if what == "usage":
                aim = replica_calculator.milli(target["averageValue"])
                proposal = replica_calculator.plain(
                    current, aim, found, samples, resource, self._tolerances(), self._now
                )
            else:
                proposal = replica_calculator.utilization(
                    current, target["averageUtilization"], found, samples, (container, resource),
                    self._tolerances(), self._now,
                )  # fmt: skip
        except NoProposal as error:
            raise NoProposal(f"failed to get {resource} {what}: {error}") from error
        value: JSON = {"averageValue": quantities.canonical(f"{proposal.average}m")}
        if proposal.percent is not None:
            value["averageUtilization"] = proposal.percent
        seen: JSON = {"name": resource, "current": value} | ({"container": container} if container else {})
        return proposal, name, {"type": kind, _key(kind): seen}

    def _samples(self, resource: str, container: str, selector: str) -> dict[str, Sample]:
        """What each pod uses, as the metrics API says."""
        found = self._client.list(
            "metrics.k8s.io/v1beta1", "PodMetrics", self._key.namespace, label_selector=selector
        ).items
        intro = f"unable to get metrics for resource {resource}: "
        if not found:
            raise NoProposal(f"{intro}no metrics returned from resource metrics API")
        samples = {}
        for one in found:
            used = [c["usage"].get(resource) for c in one["containers"] if container in ("", c["name"])]
            if container and not used:
                place = f"{self._key.namespace}/{name_of(one)}"
                text = f"container {container} not present in metrics for pod {place}"
                raise NoProposal(f"{intro}failed to get container metrics: {text}")
            if all(value is not None for value in used):
                total = sum(replica_calculator.milli(value) for value in used)
                moment = pods.parse_time(one["timestamp"]) or self._now
                samples[name_of(one)] = Sample(total, moment, _WINDOW)
        return samples

    def _tolerances(self) -> Tolerances:
        def of(direction: str) -> float:
            said = get_path(self._spec, "behavior", direction, "tolerance")
            return replica_calculator.TOLERANCE if said is None else float(quantities.parse(said))

        return Tolerances(of("scaleDown"), of("scaleUp"))

    # ── the status ────────────────────────────────────────────────────────────

    def _replicas(self, current: int, desired: int, metrics: list[JSON]) -> None:
        kept: JSON = {key: self.status[key] for key in ("lastScaleTime", "conditions") if key in self.status}
        self.status = {
            "currentReplicas": current,
            "desiredReplicas": desired,
            "currentMetrics": metrics or None,
        }
        self.status |= kept

    def _say(self, name: str, state: str, reason: str, message: str) -> None:
        """Set a condition. Its place in the list stays, and its time while its status does."""
        said = list(self.status.get("conditions") or [])
        before = conditions.find(said, name)
        new = conditions.condition(name, state, reason, message, self._now)
        if before is None:
            said.append(new)
        else:
            if before["status"] == state:
                new["lastTransitionTime"] = before["lastTransitionTime"]
            said[said.index(before)] = new
        self.status["conditions"] = said


def _key(kind: str) -> str:
    """Where a metric's spec has its own part: ``containerResource`` for ContainerResource."""
    return kind[:1].lower() + kind[1:]


def _subject(spec: JSON) -> str:
    kind = spec.get("type", "")
    match kind:
        case "Resource":
            return f"{spec['resource']['name']} resource metric value"
        case "ContainerResource":
            return f"{spec['containerResource']['container']} container metric value"
        case "External":
            return f"{spec['external']['metric']['name']} external metric value"
    return f"{kind.lower()} metric value"


def _first_bad(current: list[JSON]) -> int:
    return next(index for index, one in enumerate(current) if not one["type"])
