"""Install, upgrade, roll back, uninstall, test and read releases, by Helm's own library."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from labkit.errors import HelmError, ReleaseError, ReleaseNotFound, RenderError, ValuesError
from labkit.helm import failures, schemas
from labkit.helm.backend import Refused, Release, ReleaseCall, backend
from labkit.helm.chart import check_release_name, check_renderable
from labkit.helm.compare import Difference, differing
from labkit.helm.explain import origin
from labkit.helm.goerrors import frames
from labkit.helm.metadata import read_metadata, template_names, value_keys
from labkit.helm.numbers import with_prelude
from labkit.helm.releases.refusals import About, explain, named_object
from labkit.helm.releases.revision import Revision
from labkit.helm.values import Given
from labkit.helm.workers import LimitMet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.helm.chart import Chart

Wait = Literal["", "hookOnly", "watcher", "legacy"]
SECONDS = 300.0  # Helm's own
_KEPT = (
    "; with --reuse-values the defaults of the new chart do not count, and a value that is new in it is missing: "
    "--reset-then-reuse-values takes them, too"
)


@dataclass(frozen=True)
class Plan:
    """How an install or upgrade is done, in Helm's terms; what is not said is Helm's default.

    ``wait`` until everything is ready: ``watcher`` (kstatus), ``legacy``, or for hooks only. ``dry_run``: ``client``
    or ``server``, which asks the cluster what it would take. ``rollback_on_failure`` is what was called atomic.
    """

    wait: Wait = ""
    seconds: float = SECONDS
    dry_run: str = ""
    description: str = ""
    rollback_on_failure: bool = False
    skip_crds: bool = False
    no_hooks: bool = False
    take_ownership: bool = False
    force_conflicts: bool = False
    skip_schema_validation: bool = False

    def options(self) -> dict[str, Any]:
        """As the library names them."""
        waits = self.wait or ("watcher" if self.rollback_on_failure else "")
        return {
            "wait": waits, "timeout_seconds": max(1, int(self.seconds)), "dry_run": self.dry_run,
            "description": self.description, "rollback_on_failure": self.rollback_on_failure,
            "skip_crds": self.skip_crds, "disable_hooks": self.no_hooks, "take_ownership": self.take_ownership,
            "force_conflicts": self.force_conflicts, "skip_schema_validation": self.skip_schema_validation,
        }  # fmt: skip


Revisions = list[Revision]  # inside of `Releases`, the word `list` is a method
Differences = list[Difference]
PLAN = Plan()
NOTHING = Given()


class Releases:
    """The releases of one cluster; each method takes a namespace, else ``namespace`` is meant.

    All of them raise `ReleaseError` (`ReleaseNotFound`), and install and upgrade whatever rendering raises, too.
    """

    def __init__(
        self, kubeconfig: Path | str, *, context: str = "", namespace: str = "default", with_backend: str = ""
    ) -> None:
        self._kubeconfig = Path(kubeconfig).absolute()  # Helm's process has a current folder of its own
        self._context = context
        self._namespace = namespace
        self._with = with_backend

    def __repr__(self) -> str:
        return f"Releases({', '.join(each.name for each in self.list(all_namespaces=True))})"

    # -- changing

    def install(
        self,
        name: str,
        chart: Chart,
        given: Given = NOTHING,
        *,
        namespace: str = "",
        create_namespace: bool = False,
        replace_it: bool = False,
        plan: Plan = PLAN,
    ) -> Revision:
        """Install a chart as a new release; returns its first revision.

        ``replace_it``: also under the name of one that was uninstalled and whose history was kept.
        """
        options = plan.options() | {"create_namespace": create_namespace, "replace": replace_it}
        return self._render_and("helm_install", name, chart, given, namespace, options, plan)

    def upgrade(
        self,
        name: str,
        chart: Chart,
        given: Given = NOTHING,
        *,
        namespace: str = "",
        install: bool = False,
        create_namespace: bool = False,
        values_from: Literal["", "reset", "reuse", "reset-then-reuse"] = "",
        cleanup_on_fail: bool = False,
        history_max: int = 10,
        plan: Plan = PLAN,
    ) -> Revision:
        """Make a new revision of a release.

        ``values_from`` says what becomes of the values that were given before: ``reset`` forgets them, ``reuse``
        keeps them over those of the *old* chart, ``reset-then-reuse`` over those of the new chart. If nothing is
        said, they are kept only when none are given now (Helm's rule). With ``install`` a release that is not
        there, or was uninstalled, is installed.
        """
        if install and self._is_gone(name, namespace):
            return self.install(
                name, chart, given, namespace=namespace, create_namespace=create_namespace, replace_it=True, plan=plan
            )  # fmt: skip
        chosen = {
            "reset": "reset_values",
            "reuse": "reuse_values",
            "reset-then-reuse": "reset_then_reuse_values",
        }
        options = plan.options() | {"cleanup_on_fail": cleanup_on_fail, "max_history": history_max}
        options |= {chosen[values_from]: True} if values_from else {}
        return self._render_and("helm_upgrade", name, chart, given, namespace, options, plan)

    def rollback(
        self,
        name: str,
        revision: int = 0,
        *,
        namespace: str = "",
        wait: Wait = "",
        seconds: float = SECONDS,
        dry_run: str = "",
    ) -> Revision:
        """Make a new revision that is as an earlier one (0: the last but one) was; nothing is rewound.

        With ``dry_run`` (``client`` or ``server``) nothing is done, and the revision that it would be as is returned.
        """
        options = {
            "version": revision, "wait": wait, "timeout_seconds": max(1, int(seconds)), "dry_run": dry_run,
        }  # fmt: skip
        if revision:
            self.status(name, revision, namespace=namespace)  # says which there are, if there is none
        elif len(past := self.history(name, namespace=namespace)) < 2:
            raise ReleaseError(
                "it has one revision only, so there is none to go back to",
                where=self._about(name, namespace).where,
                fix=f"{self._about(name, namespace).command('uninstall')}, or upgrade it to what it should be",
            )
        self._call("helm_rollback", name, namespace, options, seconds=seconds)
        if dry_run:
            return self.status(name, revision or past[-2].revision, namespace=namespace)
        return self.status(name, namespace=namespace)

    def uninstall(
        self,
        name: str,
        *,
        namespace: str = "",
        keep_history: bool = False,
        wait: Wait = "",
        seconds: float = SECONDS,
        dry_run: bool = False,
        ignore_not_found: bool = False,
    ) -> str:
        """Remove a release and what it made; returns what Helm says was kept. CRDs and PVCs of StatefulSets stay."""
        options = {
            "keep_history": keep_history, "wait": wait, "timeout_seconds": max(1, int(seconds)),
            "dry_run": dry_run, "ignore_not_found": ignore_not_found,
        }  # fmt: skip
        answer = self._call("helm_uninstall", name, namespace, options, seconds=seconds)
        return str(answer.get("info") or "")

    def test(self, name: str, *, namespace: str = "", seconds: float = SECONDS) -> tuple[Revision, str]:
        """Run the release's test hooks; returns it with how each ended, and the pods' logs."""
        options = {"timeout_seconds": max(1, int(seconds)), "logs": True}
        answer = self._call("helm_test_run", name, namespace, options, seconds=seconds)
        return self.status(name, namespace=namespace), str(answer.get("logs") or "")

    # -- reading

    def list(
        self,
        *,
        namespace: str = "",
        all_namespaces: bool = False,
        every_status: bool = False,
        filter_: str = "",
    ) -> Revisions:
        """The newest revision of each release. Those that were uninstalled or failed with ``every_status``."""
        options = {"all": every_status, "all_namespaces": all_namespaces, "filter": filter_}
        found = self._call("helm_list", "", namespace, options, everywhere=all_namespaces)
        return [Revision.of(item) for item in found or ()]

    def status(self, name: str, revision: int = 0, *, namespace: str = "") -> Revision:
        """A release as it stands, or as one of its revisions was: notes, manifest, values and hooks with it."""
        stored = self._call("helm_get", name, namespace, {"revision": revision})
        return Revision.of(stored["summary"], stored)

    def history(self, name: str, *, namespace: str = "") -> Revisions:
        """Every revision that is still kept, oldest first, each with its description."""
        found = self._call("helm_history", name, namespace, {})
        numbers = sorted(int(item["revision"]) for item in found)
        return [replace(self.status(name, each, namespace=namespace), manifest="") for each in numbers]

    def values(
        self, name: str, revision: int = 0, *, namespace: str = "", computed: bool = False
    ) -> dict[str, Any]:
        """The values that were given; with ``computed`` all that the templates saw."""
        return dict(
            self._call("helm_get_values", name, namespace, {"revision": revision, "all": computed}) or {}
        )

    def diff(self, name: str, before: int, after: int, *, namespace: str = "") -> Differences:
        """What differs between two revisions, object by object."""
        old, new = (self.status(name, number, namespace=namespace) for number in (before, after))
        return differing(old.objects, new.objects)

    def preview(
        self,
        name: str,
        chart: Chart,
        given: Given = NOTHING,
        *,
        namespace: str = "",
        values_from: Literal["", "reset", "reuse", "reset-then-reuse"] = "",
    ) -> Differences:
        """What an upgrade would change in the manifests; the cluster is asked, and not changed."""
        now = self.status(name, namespace=namespace)
        plan = Plan(dry_run="server")
        then = self.upgrade(name, chart, given, namespace=namespace, values_from=values_from, plan=plan)
        return differing(now.objects, then.objects)

    # -- how

    def _is_gone(self, name: str, namespace: str) -> bool:
        try:
            return self.status(name, namespace=namespace).status == "uninstalled"
        except ReleaseNotFound:
            return True

    def _render_and(
        self,
        action: str,
        name: str,
        chart: Chart,
        given: Given,
        namespace: str,
        options: Mapping[str, Any],
        plan: Plan,
    ) -> Revision:
        space = namespace or self._namespace
        check_release_name(Release(name, space))
        files = chart.files().with_subcharts_unpacked()
        metadata = read_metadata(files)
        check_renderable(files, metadata)
        values = given.merged()
        safe = (
            (schemas.without(files), list[str]()) if plan.skip_schema_validation else schemas.checked(files)
        )
        files, warnings = safe
        used = with_prelude(files, values, value_keys(files, metadata))
        call = ReleaseCall(action, self._cluster(space), name, options, used, values, plan.seconds)
        try:
            return replace(Revision.of(backend(self._with).release(call)), warnings=tuple(warnings))
        except Refused as refused:
            place = failures.Place(
                files, metadata.name, template_names(files, metadata.name), partial(origin, given)
            )
            source = _template_of(refused.words, chart, Release(name, space), values)
            error = _refused(refused.words, place, About(name, space), source)
            if options.get("reuse_values") and isinstance(error, (RenderError, ValuesError)):
                error.fix = f"{error.fix}{_KEPT}"
            raise error from None
        except LimitMet as met:
            raise _limit(met, About(name, space)) from None

    def _call(
        self,
        action: str,
        name: str,
        namespace: str,
        options: Mapping[str, Any],
        *,
        seconds: float = 60.0,
        everywhere: bool = False,
    ) -> Any:
        space = namespace or self._namespace
        cluster = self._cluster("" if everywhere else space)
        try:
            return backend(self._with).release(ReleaseCall(action, cluster, name, options, seconds=seconds))
        except Refused as refused:
            raise explain(refused.words, About(name, space)) from None
        except LimitMet as met:
            raise _limit(met, About(name, space)) from None

    def _cluster(self, namespace: str) -> dict[str, str]:
        if not self._kubeconfig.exists():
            raise ReleaseError(
                "there is no kubeconfig, so no cluster",
                where=str(self._kubeconfig),
                fix="start the lab: labkit up",
            )
        return {
            "kubeconfig_path": str(self._kubeconfig),
            "kube_context": self._context,
            "namespace": namespace,
        }

    def _about(self, name: str, namespace: str) -> About:
        return About(name, namespace or self._namespace)


def _refused(words: str, place: failures.Place, about: About, source: str) -> HelmError:
    """A template's or the schema's failure as rendering says it; what the cluster refuses as `explain` does."""
    in_chart = any(
        mark in words for mark in ("execution error at", f"({place.chart}/", f"template: {place.chart}/")
    ) or any(frame.file.startswith(f"{place.chart}/") for frame in frames(words))
    if in_chart or "meet the specifications of the schema" in words or "chart requires kubeVersion" in words:
        return failures.explain(words, place)
    return explain(words, about, source)


def _template_of(words: str, chart: Chart, release: Release, values: dict[str, Any]) -> str:
    """The file that made the object which the cluster refuses; '' if Helm names none."""
    named = named_object(words)
    if named is None:
        return ""
    with contextlib.suppress(HelmError):
        for each in chart.render(release, values=values).objects:
            if (each.kind, each.name) == named:
                return f"{chart.shown_as}/{each.template}:{each.line}"
    return ""


def _limit(met: LimitMet, about: About) -> ReleaseError:
    what = "time" if met.limit == "time" else "memory"
    return ReleaseError(
        f"Helm used up its {what}, and was ended",
        where=about.where,
        fix=f"{about.command('status')} tells how it stands; wait longer with --timeout",
    )
