"""A chart in a folder or an archive, and everything the lab does with one.

A `Chart` keeps nothing: each call reads the files as they are now, so a change in the editor shows in the next
render.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartError, HelmError
from labkit.helm import failures, schemas
from labkit.helm.backend import Backend, Job, Output, Refused, Release, Signature, Signing, backend
from labkit.helm.diagnosis import limit_error
from labkit.helm.explain import Explanation, explain, origin, subchart_values
from labkit.helm.files import ChartFiles
from labkit.helm.linting import LintMessage, lint
from labkit.helm.metadata import (
    Dependency,
    Metadata,
    check_dependencies,
    read_metadata,
    template_names,
    value_keys,
    with_versions,
)
from labkit.helm.numbers import PRELUDE, with_prelude
from labkit.helm.provenance import nobody_signs, signing_error, verification_error
from labkit.helm.rendered import Reader, Rendered, in_install_order
from labkit.helm.starter import create_from
from labkit.helm.values import Given, parse_values
from labkit.helm.workers import LimitMet, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Values = dict[str, Any]
RELEASE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LONGEST_RELEASE_NAME = 53
RELEASE, LIMITS = Release(), Limits()  # what a render is for, and what it may use, if nothing is said


class Chart:
    """A Helm chart at ``path``: a folder, or a packaged ``.tgz``.

    ``inside`` is the folder that no link and no values file may lead out of (a repository's root; by default
    links may not lead out of the chart); ``refs`` are other folders that values files may come from, by the names
    that messages give them. ``shown_as`` is what error messages call the chart's folder.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        inside: Path | None = None,
        refs: Mapping[str, Path] | None = None,
        shown_as: str = "",
        with_backend: str = "",
    ) -> None:
        self.path = Path(path)
        self.inside = inside
        self.refs = refs or {}
        self._shown_as = shown_as
        self._backend = with_backend

    def __repr__(self) -> str:
        try:
            return f"Chart {self.name} {self.version}"
        except HelmError as error:  # a chart that cannot be read has a name for people all the same
            return f"Chart {self.path.name} ({error.problem})"

    @classmethod
    def create(cls, directory: Path | str, name: str, *, starter: Path) -> Chart:
        """A new chart ``directory/name`` from a starter; `ChartError` if the name or the folder won't do."""
        return cls(create_from(starter, Path(directory), name))

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        inside: Path | None = None,
        refs: Mapping[str, Path] | None = None,
        shown_as: str = "",
        with_backend: str = "",
    ) -> Chart:
        """The chart at a path, its ``Chart.yaml`` checked; `ChartError` names the file, the line and a fix."""
        chart = cls(path, inside=inside, refs=refs, shown_as=shown_as, with_backend=with_backend)
        chart._metadata()
        return chart

    @property
    def name(self) -> str:
        """The chart's name."""
        return self._metadata().name

    @property
    def version(self) -> str:
        """The chart's own version."""
        return self._metadata().version

    @property
    def app_version(self) -> str:
        """The version of the application in it."""
        return self._metadata().app_version

    @property
    def metadata(self) -> Values:
        """``Chart.yaml`` as data."""
        return copy.deepcopy(self._metadata().raw)

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The charts that this one declares to need, and whether each is in ``charts/``."""
        return self._metadata().dependencies

    @property
    def values(self) -> Values:
        """The chart's own values, ``values.yaml``."""
        files = self.files()
        return parse_values(files.text("values.yaml") or "", files.path("values.yaml"))

    @property
    def schema(self) -> Values | None:
        """``values.schema.json`` as data, None if the chart has none."""
        files = self.files()
        text = files.text("values.schema.json")
        if text is None:
            return None
        try:
            schema: Values = json.loads(text)
        except ValueError as problem:
            raise ChartError(
                f"the schema is not JSON: {problem}",
                where=files.path("values.schema.json"),
                fix="mend that line",
            ) from None
        return schema

    @property
    def shown_as(self) -> str:
        """What messages call the chart's folder."""
        return self._shown_as or str(self.path)

    def files(self) -> ChartFiles:
        """The chart's files as they are now; `ChartError` if one leads out, or there are too many."""
        return ChartFiles.read(self.path, inside=self.inside, shown_as=self.shown_as)

    def _read(self) -> tuple[ChartFiles, Metadata]:
        files = self.files().with_subcharts_unpacked()
        return files, read_metadata(files)

    def merged(
        self,
        *,
        value_files: Sequence[Path | str] = (),
        values: Mapping[str, Any] | str | None = None,
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        set_string: Sequence[str] = (),
        set_json: Sequence[str] = (),
        set_file: Sequence[str] = (),
    ) -> Values:
        """The values as templates see them: the chart's, its subcharts', and what is given over them."""
        files, metadata = self._read()
        given = Given(
            value_files, values, set_json, set, set_string, set_file, inside=self.inside, refs=self.refs
        )
        job = Job(_probe(schemas.without(files), metadata), metadata.name, given.merged(), RELEASE)
        return self._merged(job, given)

    def _merged(self, job: Job, given: Given) -> Values:
        text = self._run(job, given).templates[f"{job.name}/templates/values.yaml"]
        return parse_values(text, job.files.path("values.yaml"))

    def explain(
        self,
        path: str,
        *,
        value_files: Sequence[Path | str] = (),
        values: Mapping[str, Any] | str | None = None,
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        set_string: Sequence[str] = (),
        set_json: Sequence[str] = (),
        set_file: Sequence[str] = (),
    ) -> Explanation:
        """Where the value at ``path`` (``image.tag``, ``hosts[0].name``) comes from: each file and line, each flag."""
        files, metadata = self._read()
        given = Given(
            value_files, values, set_json, set, set_string, set_file, inside=self.inside, refs=self.refs
        )
        job = Job(_probe(schemas.without(files), metadata), metadata.name, given.merged(), RELEASE)
        own = files.text("values.yaml") or ""
        return explain(
            path,
            self.values,
            own,
            given,
            self._merged(job, given),
            below=subchart_values(files, metadata, path),
        )

    def render(
        self,
        release: Release | str = RELEASE,
        *,
        value_files: Sequence[Path | str] = (),
        values: Mapping[str, Any] | str | None = None,
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        set_string: Sequence[str] = (),
        set_json: Sequence[str] = (),
        set_file: Sequence[str] = (),
        kube_version: str = "",
        api_versions: Sequence[str] = (),
        include_crds: bool = True,
        skip_tests: bool = False,
        skip_schema_validation: bool = False,
        limits: Limits = LIMITS,
    ) -> Rendered:
        """Render the chart as ``helm template`` would, with the values given over its own.

        Paths in ``value_files`` and ``set_file`` are relative to the current folder; ``values`` is a map, or
        YAML text. ``kube_version`` and ``api_versions`` are what templates see as ``.Capabilities``. Errors are
        `ChartError`, `ValuesError`, `RenderError` and `RenderLimit`; each names the file, the line and a fix.
        """
        files, metadata = self._read()
        release = check_release_name(Release(release) if isinstance(release, str) else release)
        check_renderable(files, metadata)
        given = Given(
            value_files, values, set_json, set, set_string, set_file, inside=self.inside, refs=self.refs
        )
        files, warnings = (schemas.without(files), []) if skip_schema_validation else schemas.checked(files)
        merged = given.merged()
        job = Job(
            with_prelude(files, merged, value_keys(files, metadata)),
            metadata.name,
            merged,
            release,
            kube_version=kube_version,
            api_versions=tuple(api_versions),
            constraint=str(metadata.raw.get("kubeVersion") or ""),
            limits=limits,
        )
        output = self._run(job, given)
        rendered = _assemble(job, output, include_crds=include_crds, skip_tests=skip_tests)
        return replace(rendered, warnings=(*warnings, *rendered.warnings))

    def lint(
        self,
        *,
        strict: bool = False,
        value_files: Sequence[Path | str] = (),
        values: Mapping[str, Any] | str | None = None,
        set: Sequence[str] = (),  # noqa: A002 - the flag's name
        set_string: Sequence[str] = (),
        set_json: Sequence[str] = (),
        set_file: Sequence[str] = (),
        namespace: str = "default",
        kube_version: str = "",
        limits: Limits = LIMITS,
    ) -> list[LintMessage]:
        """What Helm's lint and the lab find wrong, worst first; never an error for what is wrong in the chart."""
        given = Given(
            value_files, values, set_json, set, set_string, set_file, inside=self.inside, refs=self.refs
        )
        return lint(self, given, strict=strict, namespace=namespace, kube_version=kube_version, limits=limits)

    def package(
        self,
        destination: Path | str,
        *,
        signing: Signing | None = None,
        version: str = "",
        app_version: str = "",
    ) -> Path:
        """Archive the chart as ``NAME-VERSION.tgz`` in a folder, and return the file.

        With ``signing``, its provenance file is beside it: who made it, and what it hashes to, signed (PGP).
        ``version`` and ``app_version`` take the place of those in ``Chart.yaml``, in the archive only.
        """
        files, metadata = self._read()
        check_dependencies(files, metadata)
        if signing is not None and not signing.key:
            raise nobody_signs(signing)
        own = with_versions(self.files(), version=version, app_version=app_version)
        try:
            return self.backend.package(own, Path(destination), signing)
        except Refused as refused:
            raise signing_error(refused, self.shown_as, signing) from None

    def verify(self, keyring: Path | str) -> Signature:
        """Check the packaged chart against its ``.prov`` file, with a file of public keys; `ChartError` if it fails."""
        try:
            return self.backend.verify(self.path, Path(keyring))
        except Refused as refused:
            raise verification_error(refused, self.path, Path(keyring)) from None

    @property
    def backend(self) -> Backend:
        """Helm, in the form that this machine has."""
        return backend(self._backend)

    def _metadata(self) -> Metadata:
        return self._read()[1]

    def _run(self, job: Job, given: Given) -> Output:
        try:
            return self.backend.render(job)
        except Refused as refused:
            names = template_names(job.files, job.name)
            place = failures.Place(job.files, job.name, names, partial(origin, given))
            raise failures.explain(refused.words, place) from None
        except LimitMet as met:
            raise limit_error(met, job, self.backend) from None


def check_release_name(release: Release) -> Release:
    """The release, if Helm takes its name."""
    if not RELEASE_NAME.fullmatch(release.name) or len(release.name) > LONGEST_RELEASE_NAME:
        raise HelmError(
            f"{release.name!r} cannot be the name of a release",
            where="release name",
            fix=f"use at most {LONGEST_RELEASE_NAME} lower-case letters, digits and dashes",
        )
    return release


def check_renderable(files: ChartFiles, metadata: Metadata) -> None:
    """Refuse a library chart, and one whose dependencies are not there."""
    if metadata.is_library:
        raise ChartError(
            "this is a library chart: it has helpers for other charts and renders nothing itself",
            where=files.path("Chart.yaml"),
            fix="render a chart that has it as a dependency; or write `type: application`",
        )
    check_dependencies(files, metadata)


def _probe(files: ChartFiles, metadata: Metadata) -> ChartFiles:
    """The same chart with one template, which prints the values."""
    kept = {name: data for name, data in files.files.items() if "templates" not in name.split("/")[:-1]}
    left_out = {"type", "kubeVersion"}
    chart = {key: value for key, value in metadata.raw.items() if key not in left_out}
    probe = {"Chart.yaml": json.dumps(chart).encode(), "templates/values.yaml": b"{{ toJson .Values }}"}
    return replace(files, files=kept | probe)


def _assemble(job: Job, output: Output, *, include_crds: bool, skip_tests: bool) -> Rendered:
    templates = {name: text for name, text in output.templates.items() if not name.endswith(PRELUDE)}
    reader = Reader(job.files, template_names(job.files, job.name))
    found = [
        each
        for source in sorted(templates)
        if not source.endswith("NOTES.txt")
        for each in reader.read(source, templates[source])
        if not (skip_tests and each.is_test)
    ]
    crds = [each for path, text in output.crds for each in reader.read(path, text)] if include_crds else []
    return Rendered(
        objects=(*crds, *in_install_order(found)),
        notes=templates.get(f"{job.name}/templates/NOTES.txt", ""),
        crds=tuple(crds),
        warnings=(*output.warnings, *reader.remarks),
        templates=templates,
    )
