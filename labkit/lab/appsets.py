"""``lab.appsets``: ApplicationSets, and what one would make before it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from labkit.gitops.api import API_VERSION, NAMESPACE
from labkit.lab.facts import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.lab.service_client import ServiceClient

JSON = dict[str, Any]
ROOT = "/api/v1/applicationsets"


@dataclass(frozen=True, repr=False)
class PlannedApplication:
    """What a set would do with an Application: ``create``, ``update``, ``delete``, ``unchanged``, ``keep``, ``refuse``.

    ``application`` is what it would be, whole; ``reason`` why it is refused or kept.
    """

    action: str
    name: str
    reason: str
    application: JSON | None
    raw: JSON

    @classmethod
    def of(cls, change: JSON) -> PlannedApplication:
        """From what the service answers."""
        return cls(
            change["action"], change["name"], change.get("reason") or "", change.get("application"), change
        )

    @property
    def project(self) -> str:
        """Its project."""
        return str(((self.application or {}).get("spec") or {}).get("project") or "")

    @property
    def path(self) -> str:
        """The folder, or the chart, that it would be rendered from."""
        source = ((self.application or {}).get("spec") or {}).get("source") or {}
        return str(source.get("path") or source.get("chart") or "")

    def __repr__(self) -> str:
        return "  ".join(filter(None, (self.action, self.name, self.path, self.reason)))


class AppSet:
    """One ApplicationSet. It holds no state: each question is asked of the service when you ask it."""

    def __init__(self, name: str, service: ServiceClient) -> None:
        self.name = name
        self._service = service
        self._path = f"{ROOT}/{quote(name, safe='')}"

    def __repr__(self) -> str:
        return f"{self.name}  {len(self.applications)} applications{''.join(f'  {e}' for e in self.errors)}"

    @property
    def object(self) -> JSON:
        """The ApplicationSet, as it is now."""
        found: JSON = self._service.get(self._path)
        return found

    @property
    def conditions(self) -> list[JSON]:
        """What its controller says: ``type``, ``status``, ``reason``, ``message``."""
        return list((self.object.get("status") or {}).get("conditions") or [])

    @property
    def errors(self) -> list[str]:
        """What keeps it from doing its work; empty if nothing does."""
        return [
            str(each.get("message"))
            for each in self.conditions
            if each.get("type") == "ErrorOccurred" and each.get("status") == "True"
        ]

    @property
    def applications(self) -> list[str]:
        """The names of the Applications that it made."""
        found = (self.object.get("status") or {}).get("resources") or []
        return [str(each.get("name")) for each in found]

    def delete(self) -> None:
        """Delete it, and with it what it made (unless its policy keeps that)."""
        self._service.delete(self._path)


class AppSets:
    """``lab.appsets``: preview, create, find by name, go through them all, delete."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def preview(self, manifest: JSON) -> Listing[PlannedApplication]:
        """What a set would do if it were so; nothing is done."""
        found = self._service.post(f"{ROOT}/generate", {"applicationSet": _whole(manifest)})
        return Listing([PlannedApplication.of(change) for change in found["changes"]], "(no applications)")

    def create(self, manifest: JSON, *, upsert: bool = False) -> AppSet:
        """A set; with ``upsert`` one that is there is changed."""
        made = self._service.post(f"{ROOT}?upsert={str(upsert).lower()}", _whole(manifest))
        return AppSet(made["metadata"]["name"], self._service)

    def delete(self, name: str) -> None:
        """Delete a set, and with it what it made."""
        self[name].delete()

    def objects(self, selector: str = "") -> list[JSON]:
        """The ApplicationSets that you may see."""
        found: list[JSON] = self._service.get(f"{ROOT}?{urlencode({'selector': selector})}")["items"]
        return found

    def __getitem__(self, name: str) -> AppSet:
        found = AppSet(name, self._service)
        _ = found.object  # says so, if there is none
        return found

    def __contains__(self, name: object) -> bool:
        return any(obj["metadata"]["name"] == name for obj in self.objects())

    def __iter__(self) -> Iterator[AppSet]:
        return iter([AppSet(obj["metadata"]["name"], self._service) for obj in self.objects()])

    def __len__(self) -> int:
        return len(self.objects())

    def __repr__(self) -> str:
        return repr(Listing(list(self), "AppSets(none yet)"))


def _whole(manifest: JSON) -> JSON:
    whole = {"apiVersion": API_VERSION, "kind": "ApplicationSet", **manifest}
    return {**whole, "metadata": {"namespace": NAMESPACE, **(manifest.get("metadata") or {})}}
