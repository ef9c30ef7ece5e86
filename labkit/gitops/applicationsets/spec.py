"""The ApplicationSet, read from its object, with errors that name the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.gitops.api.application import InvalidSpec
from labkit.gitops.api.names import NAMESPACE
from labkit.gitops.applicationsets.templates import Renderer
from labkit.k8s.objects import Object, metadata, name_of, namespace_of

if TYPE_CHECKING:
    from labkit.gitops.applicationsets.parameters import JSON

POLICIES = ("sync", "create-only", "create-update", "create-delete")
MOST_GENERATORS = 100


@dataclass(frozen=True)
class ApplicationSet:
    """One ApplicationSet; ``obj`` is the object as read."""

    obj: Object
    generators: tuple[JSON, ...]
    template: JSON
    patch: str
    renderer: Renderer
    preserve: bool
    policy: str

    @classmethod
    def from_object(cls, obj: Object) -> ApplicationSet:
        """Read and check an ApplicationSet; `InvalidSpec` names the field that is wrong."""
        spec = mapping(obj.get("spec"), "spec")
        found = listing(spec, "generators", "spec")
        if not found or len(found) > MOST_GENERATORS:
            raise InvalidSpec(
                f"it has {len(found)} generators, and 1 to {MOST_GENERATORS} are wanted",
                where="spec.generators",
                fix="- list: {elements: [{name: a}]}",
            )
        sync = mapping(spec.get("syncPolicy"), "spec.syncPolicy")
        policy = sync.get("applicationsSync") or "sync"
        if policy not in POLICIES:
            raise InvalidSpec(
                f"there is no policy {policy!r}",
                where="spec.syncPolicy.applicationsSync",
                fix=f"One of {', '.join(POLICIES)}.",
            )
        strategy = mapping(spec.get("strategy"), "spec.strategy").get("type") or ""
        if strategy not in ("", "AllAtOnce"):
            raise InvalidSpec(
                f"the strategy {strategy} is not carried out here: all applications are changed at once",
                where="spec.strategy.type",
                fix="Leave `strategy` out, or write `type: AllAtOnce`.",
            )
        template = mapping(spec.get("template"), "spec.template")
        mapping(template.get("metadata"), "spec.template.metadata")
        mapping(template.get("spec"), "spec.template.spec")
        return cls(
            obj,
            tuple(found),
            template,
            str(spec.get("templatePatch") or ""),
            Renderer.parse(spec),
            bool(sync.get("preserveResourcesOnDeletion")),
            policy,
        )

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return name_of(self.obj)

    @property
    def namespace(self) -> str:
        """Where it is; its Applications are there, too."""
        return namespace_of(self.obj) or NAMESPACE

    @property
    def spec(self) -> JSON:
        """``spec`` as it is in the object."""
        return self.obj.get("spec") or {}

    @property
    def deleting(self) -> bool:
        """Whether it is on its way out."""
        return bool(metadata(self.obj).get("deletionTimestamp"))

    @property
    def may_update(self) -> bool:
        """Whether Applications that are there already are changed."""
        return self.policy in ("sync", "create-update")

    @property
    def may_delete(self) -> bool:
        """Whether Applications that are no longer generated are deleted."""
        return self.policy in ("sync", "create-delete")


def mapping(raw: Any, where: str) -> JSON:
    """A mapping that may be absent; `InvalidSpec` for anything else."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise InvalidSpec(
            f"a mapping is wanted, not {raw!r}"[:300], where=where, fix="Look at its indentation."
        )
    return raw


def listing(spec: JSON, name: str, where: str) -> list[JSON]:
    """A list of mappings that may be absent; `InvalidSpec` for anything else."""
    raw = spec.get(name)
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise InvalidSpec("a list is wanted", where=f"{where}.{name}", fix="Look at its indentation.")
    return [mapping(item, f"{where}.{name}[{number}]") for number, item in enumerate(raw)]


def text(spec: JSON, name: str, where: str, *, default: str = "") -> str:
    """A text that may be absent; `InvalidSpec` for anything else."""
    raw = spec.get(name)
    if raw is None:
        return default
    if not isinstance(raw, str):
        raise InvalidSpec(
            f"a text is wanted, not {raw!r}"[:300], where=f"{where}.{name}", fix=f'{name}: "{raw}"'
        )
    return raw
