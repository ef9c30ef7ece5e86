"""The Application, read from the object in the cluster into typed data, with errors that name the field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationError
from labkit.gitops.api.names import API_VERSION, IN_CLUSTER, IN_CLUSTER_SERVER, NAMESPACE
from labkit.k8s.objects import Object, annotations_of, metadata, name_of, namespace_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = dict[str, Any]
MOST_SECONDS = 366 * 86400.0
MOST_FACTOR = 1000
_LONGEST_DURATION = 64


class InvalidSpec(ApplicationError):
    """A field of an Application that makes no sense; ``where`` is its path."""


@dataclass(frozen=True)
class Source:
    """Where desired manifests come from (``spec.source``)."""

    repo_url: str
    path: str = ""
    chart: str = ""
    target_revision: str = "HEAD"
    ref: str = ""
    helm: JSON = field(default_factory=dict)
    directory: JSON = field(default_factory=dict)
    kustomize: JSON = field(default_factory=dict)
    raw: JSON = field(default_factory=dict, compare=False)
    where: str = field(default="spec.source", compare=False)

    @property
    def is_chart(self) -> bool:
        """Whether it is a chart of a chart repository or registry; the others are Git repositories."""
        return bool(self.chart) or self.repo_url.startswith("oci://")

    @property
    def only_referred_to(self) -> bool:
        """Whether it gives no manifests of its own: other sources' value files are in it."""
        return bool(self.ref) and not self.path and not self.chart

    @classmethod
    def parse(cls, raw: Any, where: str = "spec.source") -> Source:
        """From the object; `InvalidSpec` names the field."""
        raw = _mapping(raw, where)
        url = _text(raw, "repoURL", where)
        if not url:
            raise InvalidSpec(
                "no repository is named",
                where=f"{where}.repoURL",
                fix="Name the repository's URL; see `labkit repo list`.",
            )
        path, chart, ref = (_text(raw, name, where) for name in ("path", "chart", "ref"))
        if path and chart:
            raise InvalidSpec(
                "path and chart exclude each other",
                where=where,
                fix="path is a folder of a Git repository; chart is a chart's name in a Helm repository. Keep one.",
            )
        if ref and not re.fullmatch(r"[A-Za-z0-9_-]+", ref):
            raise InvalidSpec(
                f"{ref!r} is no name for a source",
                where=f"{where}.ref",
                fix="Use letters, digits, - and _; value files then begin with $"
                + (ref.strip("$/") or "values"),
            )
        if chart and not _text(raw, "targetRevision", where):
            raise InvalidSpec(
                "a chart needs a version",
                where=f"{where}.targetRevision",
                fix='Write a version or a range of them, such as "1.2.3" or "^1.2".',
            )
        if not path and not chart and not ref:
            raise InvalidSpec(
                "neither path nor chart is given",
                where=f"{where}.path",
                fix="For the repository's root write `path: .`",
            )
        return cls(
            url,
            path,
            chart,
            _text(raw, "targetRevision", where) or "HEAD",
            ref,
            _mapping(raw.get("helm"), f"{where}.helm"),
            _mapping(raw.get("directory"), f"{where}.directory"),
            _mapping(raw.get("kustomize"), f"{where}.kustomize"),
            raw,
            where,
        )


@dataclass(frozen=True)
class Destination:
    """Where the manifests go: a cluster by ``server`` or ``name``, and a default namespace."""

    server: str = ""
    name: str = ""
    namespace: str = ""

    @classmethod
    def parse(cls, raw: Any) -> Destination:
        """From ``spec.destination``; exactly one of server and name may be given."""
        where = "spec.destination"
        raw = _mapping(raw, where)
        found = cls(_text(raw, "server", where), _text(raw, "name", where), _text(raw, "namespace", where))
        if found.server and found.name:
            raise InvalidSpec(
                f"server ({found.server}) and name ({found.name}) are both given",
                where=where,
                fix="Keep one of them.",
            )
        if not found.server and not found.name:
            raise InvalidSpec(
                "no cluster is named",
                where=f"{where}.server",
                fix=f"For the lab's own cluster write {IN_CLUSTER_SERVER}",
            )
        return found

    @property
    def in_cluster(self) -> bool:
        """Whether it is the cluster that holds the Application itself."""
        return self.server == IN_CLUSTER_SERVER or self.name == IN_CLUSTER


@dataclass(frozen=True)
class Retry:
    """How often, and when, a failed sync is tried again (``syncPolicy.retry``); durations in seconds."""

    limit: int = 0
    duration: float = 5.0
    factor: float = 2.0
    maximum: float = 180.0
    refresh: bool = False
    """Whether a try takes the newest revision, not the one that the sync began with."""


@dataclass(frozen=True)
class SyncPolicy:
    """When to sync without being asked, and how (``spec.syncPolicy``)."""

    automated: bool = False
    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False
    options: tuple[str, ...] = ()
    retry: Retry | None = None
    namespace_metadata: JSON | None = None

    @classmethod
    def parse(cls, raw: Any) -> SyncPolicy:
        """From the object. ``automated: {}`` is on; ``enabled: false`` switches it off."""
        where = "spec.syncPolicy"
        raw = _mapping(raw, where)
        automated = raw.get("automated")
        flags = _mapping(automated, f"{where}.automated")
        retry = raw.get("retry")
        options = raw.get("syncOptions") or []
        if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
            raise InvalidSpec(
                "a list of texts is wanted", where=f"{where}.syncOptions", fix="- CreateNamespace=true"
            )
        return cls(
            automated is not None and flags.get("enabled") is not False,
            bool(flags.get("prune")),
            bool(flags.get("selfHeal")),
            bool(flags.get("allowEmpty")),
            tuple(options),
            parse_retry(retry, f"{where}.retry") if retry is not None else None,
            raw.get("managedNamespaceMetadata"),
        )


@dataclass(frozen=True)
class Application:
    """One Application. ``obj`` is the object as read; everything else is a view of it."""

    obj: Object
    sources: tuple[Source, ...]
    destination: Destination
    project: str
    sync_policy: SyncPolicy
    history_limit: int

    @classmethod
    def from_object(cls, obj: Object) -> Application:
        """Read and check an Application object; `InvalidSpec` names the field that is wrong."""
        spec = _mapping(obj.get("spec"), "spec")
        many = spec.get("sources")
        if many:
            if not isinstance(many, list):
                raise InvalidSpec("a list is wanted", where="spec.sources")
            sources = tuple(Source.parse(raw, f"spec.sources[{i}]") for i, raw in enumerate(many))
        elif spec.get("source"):
            sources = (Source.parse(spec["source"]),)
        else:
            raise InvalidSpec(
                "the application has no source", where="spec.source", fix="Give it repoURL and path."
            )
        for number, rule in enumerate(spec.get("ignoreDifferences") or []):
            where = f"spec.ignoreDifferences[{number}]"
            fields = _mapping(rule, where)
            for name in ("jsonPointers", "jqPathExpressions", "managedFieldsManagers"):
                if not isinstance(fields.get(name) or [], list):
                    raise InvalidSpec("a list of texts is wanted", where=f"{where}.{name}")
        return cls(
            obj,
            sources,
            Destination.parse(spec.get("destination")),
            _text(spec, "project", "spec") or "default",
            SyncPolicy.parse(spec.get("syncPolicy")),
            _whole(spec, "revisionHistoryLimit", "spec", default=10),
        )

    def to_object(self) -> Object:
        """The object that it was read from, unknown fields and all."""
        return self.obj

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return name_of(self.obj)

    @property
    def namespace(self) -> str:
        """Where the Application itself is: ``argocd``, unless somebody put it elsewhere."""
        return namespace_of(self.obj)

    @property
    def uid(self) -> str:
        """``metadata.uid``."""
        return uid_of(self.obj)

    @property
    def instance_name(self) -> str:
        """How it marks what it deploys: its name, with its namespace if that is not ``argocd``."""
        return self.name if self.namespace in {"", NAMESPACE} else f"{self.namespace}_{self.name}"

    @property
    def spec(self) -> JSON:
        """``spec`` as it is in the object."""
        return self.obj.get("spec") or {}

    @property
    def status(self) -> JSON:
        """``status`` as it is in the object."""
        return self.obj.get("status") or {}

    @property
    def operation(self) -> JSON | None:
        """The operation that somebody asked for and that has not begun."""
        return self.obj.get("operation") or None

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return annotations_of(self.obj)

    @property
    def deleting(self) -> bool:
        """Whether it is on its way out."""
        return bool(metadata(self.obj).get("deletionTimestamp"))

    @property
    def compared_to(self) -> JSON:
        """What a comparison is of: sources and destination, as ``status.sync.comparedTo`` records them."""
        spec = self.spec
        compared: JSON = {"destination": spec.get("destination")}
        if spec.get("sources"):
            compared["sources"] = spec["sources"]
        else:
            compared["source"] = spec.get("source")
        if spec.get("ignoreDifferences"):
            compared["ignoreDifferences"] = spec["ignoreDifferences"]
        return compared


def parse_retry(raw: Any, where: str) -> Retry:
    """From a ``retry`` mapping: ``limit``, ``backoff{duration, factor, maxDuration}``."""
    raw = _mapping(raw, where)
    backoff = _mapping(raw.get("backoff"), f"{where}.backoff")
    return Retry(
        _whole(raw, "limit", where, default=0),
        seconds(backoff.get("duration") or "5s", f"{where}.backoff.duration"),
        _factor(backoff, f"{where}.backoff"),
        seconds(backoff.get("maxDuration") or "3m", f"{where}.backoff.maxDuration"),
        bool(raw.get("refresh")),
    )


def _factor(backoff: JSON, where: str) -> float:
    found = _whole(backoff, "factor", where, default=2) or 2
    if not 0 < found <= MOST_FACTOR:
        raise InvalidSpec(
            f"a number from 1 to {MOST_FACTOR} is wanted", where=f"{where}.factor", fix="factor: 2"
        )
    return float(found)


def seconds(text: Any, where: str) -> float:
    """Seconds of a duration such as ``5s``, ``3m`` or ``1h30m`` (a bare number is seconds)."""
    said = str(text)[:_LONGEST_DURATION]
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?", said)
    if not parts or "".join(a + b for a, b in parts) != str(text):
        raise InvalidSpec(f"{said!r} is not a duration", where=where, fix="Write 5s, 2m or 1h30m.")
    units = {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600, "d": 86400}
    found = sum(float(number) * units[unit] for number, unit in parts)
    if found > MOST_SECONDS:
        raise InvalidSpec(f"{said!r} is longer than a year", where=where, fix="Write 5s, 2m or 1h30m.")
    return found


def new(name: str, spec: JSON, **meta: Any) -> Object:
    """A new Application object in the namespace of Applications."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE, **meta},
        "spec": spec,
    }


def _mapping(raw: Any, where: str) -> JSON:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise InvalidSpec(f"a mapping is wanted, not {raw!r}", where=where, fix="Look at its indentation.")
    return raw


def _text(raw: JSON, name: str, where: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidSpec(
            f"a text is wanted, not {value!r}", where=f"{where}.{name}", fix=f'Quote it: "{value}"'
        )
    return value


def _whole(raw: JSON, name: str, where: str, *, default: int) -> int:
    value = raw.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidSpec(
            f"a whole number is wanted, not {value!r}", where=f"{where}.{name}", fix=f"{name}: 5"
        )
    return value
