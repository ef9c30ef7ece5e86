"""``lab.apps``: the applications, which are Application objects in the cluster and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.errors import ApplicationNotFound, BadRequest, LabError
from labkit.gitops import operations
from labkit.gitops.selection import qualified
from labkit.lab.app import App
from labkit.lab.repos import address
from labkit.lab.spec import Wishes, changed, new

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from labkit.lab.applications import Applications
    from labkit.lab.repos import Repo
    from labkit.lab.service_client import ServiceClient


_EXAMPLE = "`labkit app get NAME -o yaml` of an application that is there."


class Apps:
    """``lab.apps``: create, find by name, go through them all, delete."""

    def __init__(self, applications: Applications, service: ServiceClient) -> None:
        self._applications = applications
        self._service = service

    def create(
        self,
        name: str,
        *,
        repo: Repo | str,
        path: str | None = None,
        chart: str | None = None,
        revision: str | None = None,
        namespace: str | None = None,
        cluster: str | None = None,
        project: str | None = None,
        automated: bool = False,
        prune: bool | None = None,
        self_heal: bool | None = None,
        retry_limit: int | None = None,
        value_files: Sequence[str] = (),
        values: str | Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        sync_options: Sequence[str] = ("CreateNamespace=true",),
        upsert: bool = False,
        validate: bool = True,
    ) -> App:
        """A new application: what stands in ``path`` of ``repo`` is to run in ``namespace`` (by default ``name``).

        ``repo`` is one of ``lab.repos``, the name of one, or any repository's URL; with ``chart``, a chart
        repository's, and ``revision`` a version or a range of them.
        ``automated`` lets the controller sync by itself; ``prune`` lets it delete what Git no longer has, and
        ``self_heal`` undo what was changed by hand; ``retry_limit`` is how often a sync that failed is tried
        again. ``upsert`` changes an application that is there already. It is not made where its source gives no
        manifests, unless ``validate`` is off.
        """
        wishes = Wishes(
            repo=repo if isinstance(repo, str) else repo.url,
            path=path,
            chart=chart,
            revision=revision,
            namespace=namespace,
            cluster=cluster,
            project=project,
            automated=automated,
            prune=prune,
            self_heal=self_heal,
            retry_limit=retry_limit,
            value_files=value_files,
            values=values,
            parameters=parameters or {},
            sync_options=sync_options,
        )
        return self.create_wished(name, wishes, upsert=upsert, validate=validate)

    def create_wished(self, name: str, wishes: Wishes, *, upsert: bool = False, validate: bool = True) -> App:
        """The same, from the command's flags."""
        return self._create(new(name, self._meant(wishes)), upsert=upsert, validate=validate)

    def create_from(
        self,
        manifest: dict[str, Any],
        *,
        name: str = "",
        wishes: Wishes | None = None,
        upsert: bool = False,
        validate: bool = True,
    ) -> App:
        """From an Application manifest; ``name`` and ``wishes`` change it first."""
        for field in ("metadata", "spec"):
            if not isinstance(manifest.setdefault(field, {}), dict):
                raise LabError(
                    f"a mapping is wanted, not {manifest[field]!r}", where=field, fix=f"See {_EXAMPLE}"
                )
        metadata = manifest["metadata"]
        metadata.setdefault("namespace", operations.NAMESPACE)
        if name:
            metadata["name"] = name
        if not metadata.get("name"):
            raise LabError(
                "the application needs a name", where="metadata.name", fix="Write it in the manifest."
            )
        whole = changed(manifest, self._meant(wishes or Wishes()))
        return self._create(whole, upsert=upsert, validate=validate)

    def delete(self, name: str, *, cascade: bool = True) -> None:
        """Delete the application and, with ``cascade``, what it deployed; returns when it is gone."""
        self[name].delete(cascade=cascade)

    def matching(self, selector: str = "") -> list[App]:
        """The applications with these labels."""
        try:
            found = self._applications.list_(label_selector=selector)
        except BadRequest as error:
            fix = "Write labels, such as team=web, tier!=db or 'stage in (dev, test)'."
            raise LabError(error.problem, where=f"selector {selector!r}", fix=fix) from error
        return [self._app(item["metadata"]["name"]) for item in found]

    def __getitem__(self, name: str) -> App:
        name, namespace = qualified(name, operations.NAMESPACE)
        if namespace != operations.NAMESPACE:
            raise ApplicationNotFound(
                f"there is no application {name!r} in namespace {namespace!r}",
                where=f"{namespace}/{name}",
                fix=f"The lab's applications are all in namespace {operations.NAMESPACE}: write {name}.",
            )
        try:
            self._applications.get(name)
        except ApplicationNotFound as error:
            known = ", ".join(app.name for app in self) or "none yet"
            raise ApplicationNotFound(
                f"there is no application {name!r}",
                where=error.where,
                fix=f"There are: {known}. labkit app create {name} --repo URL",
            ) from error
        return self._app(name)

    def __contains__(self, name: object) -> bool:
        return any(app.name == name for app in self)

    def __iter__(self) -> Iterator[App]:
        return iter(self.matching())

    def __len__(self) -> int:
        return len(self.matching())

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "Apps(none yet)"

    def _create(self, application: dict[str, Any], *, upsert: bool, validate: bool) -> App:
        asked = f"upsert={str(upsert).lower()}&validate={str(validate).lower()}"
        made = self._service.post(f"/api/v1/applications?{asked}", application)
        return self._app(made["metadata"]["name"])

    def _meant(self, wishes: Wishes) -> Wishes:
        return wishes.meaning(lambda said: address(said, self._service))

    def _app(self, name: str) -> App:
        return App(name, self._applications, self._service)
