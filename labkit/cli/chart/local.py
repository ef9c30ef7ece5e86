"""``labkit chart``: Helm's commands for a chart on the disk. They need no lab that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.chart.options import Repo, Version, sources
from labkit.cli.session import note, say

ChartPath = Annotated[Path, typer.Argument(metavar="CHART", help="The chart's folder, or its .tgz.")]
Values = Annotated[
    list[Path] | None, typer.Option("--values", "-f", help="A values file; the last one wins.")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="A value: NAME=VALUE.")]
SetJson = Annotated[list[str] | None, typer.Option("--set-json", help="The same, as JSON: NAME=JSON.")]
SetFile = Annotated[list[str] | None, typer.Option("--set-file", help="The same, from a file: NAME=PATH.")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="The release's namespace.")]
KubeVersion = Annotated[
    str, typer.Option("--kube-version", help="The cluster's version: .Capabilities.KubeVersion.")
]
SetString = Annotated[list[str] | None, typer.Option("--set-string", help="The same, always a string.")]


def create(
    name: Annotated[str, typer.Argument(help="The chart's name, or the path of its folder.")],
) -> None:
    """Create a chart from the course's starter: short, commented, and it runs as it is."""
    from labkit.lab.charts import Charts

    path = Path(name)
    made = Charts(path.parent).create(path.name, path.parent)
    say(f"Creating {made.path}")
    note(f"Next: labkit chart template {path.name} {path}")


def lint(
    chart: ChartPath,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    values: Values = None,
    set_: Set = None,
    set_string: SetString = None,
    set_json: SetJson = None,
    set_file: SetFile = None,
    namespace: Namespace = "default",
    kube_version: KubeVersion = "",
) -> None:
    """Say what is wrong in a chart, with the file, the line and the fix. Exit code 1 if something is."""
    from labkit.helm import Chart

    loaded = Chart.load(chart)
    found = loaded.lint(
        strict=strict,
        value_files=values or (),
        set=set_ or (),
        set_string=set_string or (),
        set_json=set_json or (),
        set_file=set_file or (),
        namespace=namespace,
        kube_version=kube_version,
    )
    for message in found:
        say(str(message))
    bad = [m for m in found if m.severity == "error" or (strict and m.severity == "warning")]
    say(f"{loaded.name}: {f'{len(bad)} to mend' if bad else 'nothing to mend'}")
    if bad:
        raise typer.Exit(1)


def template(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Templates see it as .Release.Name.")],
    chart: Annotated[
        str, typer.Argument(metavar="CHART", help="A path, REPO/CHART, oci://HOST/PATH/CHART.")
    ] = "",
    values: Values = None,
    set_: Set = None,
    set_string: SetString = None,
    version: Version = "",
    repo: Repo = "",
    namespace: Namespace = "default",
    show_only: Annotated[
        list[str] | None,
        typer.Option("--show-only", "-s", help="Only this template: templates/service.yaml."),
    ] = None,
    include_crds: Annotated[bool, typer.Option("--include-crds", help="With the CRDs of the chart.")] = False,
    skip_tests: Annotated[bool, typer.Option("--skip-tests", help="Without the tests of the chart.")] = False,
    is_upgrade: Annotated[
        bool, typer.Option("--is-upgrade", help="As for an upgrade: .Release.IsUpgrade.")
    ] = False,
    set_json: SetJson = None,
    set_file: SetFile = None,
    kube_version: KubeVersion = "",
    api_versions: Annotated[
        list[str] | None, typer.Option("--api-versions", "-a", help="An API that the cluster has.")
    ] = None,
    no_hooks: Annotated[bool, typer.Option("--no-hooks", help="Without the hooks of the chart.")] = False,
    skip_schema_validation: Annotated[
        bool, typer.Option("--skip-schema-validation", help="Do not ask values.schema.json.")
    ] = False,
    notes: Annotated[bool, typer.Option("--notes", help="The chart's notes, too.")] = False,
) -> None:
    """Render a chart: the manifests that a release of it would apply, each with the template it came from."""
    from labkit.errors import ChartError
    from labkit.helm import Release

    if not chart:  # as for Helm, the name may be left out
        name, chart = Release().name, name
    found_in = sources()
    loaded = found_in.find(chart, version=version, repo=repo)
    rendered = loaded.render(
        Release(name, namespace, is_upgrade=is_upgrade),
        value_files=values or (),
        set=set_ or (),
        set_string=set_string or (),
        set_json=set_json or (),
        set_file=set_file or (),
        include_crds=include_crds,
        skip_tests=skip_tests,
        kube_version=kube_version,
        api_versions=api_versions or (),
        skip_schema_validation=skip_schema_validation,
    )
    wanted = {name.removeprefix("./") for name in show_only or ()}
    found = [
        each
        for each in rendered.objects
        if (not wanted or each.template in wanted) and not (no_hooks and each.hooks)
    ]
    missing = wanted - {each.template for each in found}
    if missing:
        known = ", ".join(sorted({each.template for each in rendered.objects}))
        raise ChartError(
            f"nothing was rendered from {', '.join(sorted(missing))}",
            where=loaded.shown_as,
            fix=f"There are: {known}.",
        )
    for each in found:
        say(f"---\n# Source: {loaded.name}/{each.template}\n{each.text.strip()}")
    if notes and rendered.notes:
        say(f"NOTES:\n{rendered.notes.strip()}")
    for warning in rendered.warnings:
        note(warning)


def package(
    chart: ChartPath,
    destination: Annotated[Path, typer.Option("--destination", "-d", help="The folder for it.")] = Path(),
    sign: Annotated[bool, typer.Option("--sign", help="Sign it: NAME-VERSION.tgz.prov.")] = False,
    key: Annotated[str, typer.Option("--key", help="Whose key: a part of its name.")] = "",
    keyring: Annotated[Path, typer.Option("--keyring", help="The file with the secret keys.")] = Path(
        "~/.gnupg/secring.gpg"
    ),
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", help="The file with the key's passphrase.")
    ] = None,
    version: Annotated[str, typer.Option("--version", help="This version in place of Chart.yaml's.")] = "",
    app_version: Annotated[
        str, typer.Option("--app-version", help="This appVersion in place of Chart.yaml's.")
    ] = "",
    dependency_update: Annotated[
        bool, typer.Option("--dependency-update", "-u", help="Before that, labkit chart dependency update.")
    ] = False,
) -> None:
    """Archive a chart as NAME-VERSION.tgz; with --sign its provenance file is beside it."""
    from labkit.helm import Chart, Signing

    signing = Signing(key, keyring.expanduser(), passphrase_file) if sign else None
    loaded = Chart.load(chart)
    if dependency_update:
        sources().dependencies(chart).update()
    made = loaded.package(destination, signing=signing, version=version, app_version=app_version)
    say(f"Successfully packaged chart and saved it to: {made}")


def explain(
    chart: ChartPath,
    value: Annotated[str, typer.Argument(help="A value's path: image.tag, hosts[0].name.")],
    values: Values = None,
    set_: Set = None,
    set_string: SetString = None,
    set_json: SetJson = None,
    set_file: SetFile = None,
) -> None:
    """Say where a value comes from: each file and line, each flag, and which one won."""
    from labkit.helm import Chart

    found = Chart.load(chart).explain(
        value,
        value_files=values or (),
        set=set_ or (),
        set_string=set_string or (),
        set_json=set_json or (),
        set_file=set_file or (),
    )
    say(str(found))
