"""``labkit app create`` and ``set``: what an application is to be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from labkit.cli.complete import applications
from labkit.cli.output import Format, Output, structured
from labkit.cli.session import note, say, session
from labkit.errors import LabError


class Policy(StrEnum):
    """What ``--sync-policy`` takes; ``auto``, ``automatic`` and ``manual`` are Argo CD's other words."""

    AUTOMATED = "automated"
    AUTO = "auto"
    AUTOMATIC = "automatic"
    MANUAL = "manual"
    NONE = "none"


Name = Annotated[
    str, typer.Argument(metavar="APPNAME", help="The application's name.", autocompletion=applications)
]
Many = list[str] | None
Repo = Annotated[str | None, typer.Option("--repo", help="A repository of the lab by name, or any URL.")]
PathIn = Annotated[str | None, typer.Option("--path", help="Folder in the repository; a chart or manifests.")]
Revision = Annotated[
    str | None,
    typer.Option(
        "--revision", help="Branch, tag or commit, or a range of versions such as 1.x.", show_default=False
    ),
]
HelmChart = Annotated[
    str | None, typer.Option("--helm-chart", help="A chart's name in a chart repository, in place of --path.")
]
Server = Annotated[str | None, typer.Option("--dest-server", help="The cluster by its URL.")]
ClusterName = Annotated[str | None, typer.Option("--dest-name", help="The cluster by its name.")]
Namespace = Annotated[str | None, typer.Option("--dest-namespace", help="The namespace to deploy to.")]
Project = Annotated[str | None, typer.Option("--project", help="The AppProject.")]
SyncPolicy = Annotated[Policy | None, typer.Option("--sync-policy", help="automated, or none.")]
Prune = Annotated[
    bool | None, typer.Option("--auto-prune/--no-auto-prune", help="Delete what Git no longer has.")
]
SelfHeal = Annotated[bool | None, typer.Option("--self-heal/--no-self-heal", help="Undo changes by hand.")]
AllowEmpty = Annotated[
    bool | None, typer.Option("--allow-empty/--no-allow-empty", help="Prune even if nothing is left.")
]
SyncOption = Annotated[Many, typer.Option("--sync-option", help="Such as CreateNamespace=true; !… removes.")]
RetryLimit = Annotated[int | None, typer.Option("--sync-retry-limit", help="Tries after a failed sync.")]
ValueFiles = Annotated[Many, typer.Option("--values", help="Values file in the chart; again for more.")]
Literal = Annotated[
    Path | None, typer.Option("--values-literal-file", help="A values file of yours, put into the spec.")
]
HelmSet = Annotated[Many, typer.Option("--helm-set", "-p", "--parameter", help="A Helm value: NAME=VALUE.")]
HelmSetString = Annotated[Many, typer.Option("--helm-set-string", help="The same, always a string.")]
ReleaseName = Annotated[str | None, typer.Option("--release-name", help="Helm's release name.")]
Recurse = Annotated[
    bool | None, typer.Option("--directory-recurse/--no-directory-recurse", help="Read folders below, too.")
]
HistoryLimit = Annotated[int | None, typer.Option("--revision-history-limit", help="Entries kept; 10.")]
Labels = Annotated[Many, typer.Option("--label", "-l", help="A label of the application: NAME=VALUE.")]
Annotations = Annotated[Many, typer.Option("--annotations", help="An annotation of it: NAME=VALUE.")]


def create(
    name: Annotated[str, typer.Argument(metavar="[APPNAME]", help="The application's name.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="An Application manifest, instead of flags.")
    ] = None,
    repo: Repo = None,
    path: PathIn = None,
    helm_chart: HelmChart = None,
    revision: Revision = None,
    dest_server: Server = None,
    dest_name: ClusterName = None,
    dest_namespace: Namespace = None,
    project: Project = None,
    sync_policy: SyncPolicy = None,
    auto_prune: Prune = None,
    self_heal: SelfHeal = None,
    allow_empty: AllowEmpty = None,
    sync_option: SyncOption = None,
    sync_retry_limit: RetryLimit = None,
    values: ValueFiles = None,
    values_literal_file: Literal = None,
    helm_set: HelmSet = None,
    helm_set_string: HelmSetString = None,
    release_name: ReleaseName = None,
    directory_recurse: Recurse = None,
    revision_history_limit: HistoryLimit = None,
    label: Labels = None,
    annotations: Annotations = None,
    upsert: Annotated[bool, typer.Option("--upsert", help="Change it if it is there already.")] = False,
    validate: Annotated[
        bool, typer.Option("--validate/--no-validate", help="Only if its source gives manifests.")
    ] = True,
    output: Output = Format.TABLE,
) -> None:
    """Create an application.

    labkit app create shop --repo shop --path web --dest-namespace shop --sync-policy automated --self-heal
    """
    wishes = _wishes(locals())
    apps = session.attach().apps
    if file is not None:
        made = apps.create_from(_manifest(file), name=name, wishes=wishes, upsert=upsert, validate=validate)
    elif not name:
        raise LabError(
            "the application needs a name", where="APPNAME", fix="labkit app create NAME --repo URL"
        )
    else:
        made = apps.create_wished(name, wishes, upsert=upsert, validate=validate)
    if output is Format.NAME:
        say(made.name)
    elif not structured(made.object, output):
        say(f"application {made.name!r} created")


def set_(
    name: Name,
    repo: Repo = None,
    path: PathIn = None,
    helm_chart: HelmChart = None,
    revision: Revision = None,
    dest_server: Server = None,
    dest_name: ClusterName = None,
    dest_namespace: Namespace = None,
    project: Project = None,
    sync_policy: SyncPolicy = None,
    auto_prune: Prune = None,
    self_heal: SelfHeal = None,
    allow_empty: AllowEmpty = None,
    sync_option: SyncOption = None,
    sync_retry_limit: RetryLimit = None,
    values: ValueFiles = None,
    values_literal_file: Literal = None,
    helm_set: HelmSet = None,
    helm_set_string: HelmSetString = None,
    release_name: ReleaseName = None,
    directory_recurse: Recurse = None,
    revision_history_limit: HistoryLimit = None,
    label: Labels = None,
    annotations: Annotations = None,
) -> None:
    """Change an application's source, values or policy; what you do not name stays."""
    wishes = _wishes(locals())
    if not wishes.anything:
        raise LabError("nothing to change was named", where=name, fix="labkit app set --help")
    session.attach().apps[name].set_wished(wishes)
    note(f"application {name!r} updated")


def _wishes(given: dict[str, Any]) -> Any:
    from labkit.lab.spec import POLICIES, Wishes

    policy, literal = given["sync_policy"], given["values_literal_file"]
    return Wishes(
        repo=given["repo"],
        path=given["path"],
        chart=given["helm_chart"],
        revision=given["revision"],
        server=given["dest_server"],
        cluster=given["dest_name"],
        namespace=given["dest_namespace"],
        project=given["project"],
        automated=POLICIES[policy.value] if policy else None,
        prune=given["auto_prune"],
        self_heal=given["self_heal"],
        allow_empty=given["allow_empty"],
        sync_options=given["sync_option"] or (),
        retry_limit=given["sync_retry_limit"],
        value_files=given["values"] or (),
        values=_read(literal) if literal else None,
        parameters=given["helm_set"] or (),
        string_parameters=given["helm_set_string"] or (),
        release_name=given["release_name"],
        recurse=given["directory_recurse"],
        history_limit=given["revision_history_limit"],
        labels=given["label"] or (),
        annotations=given["annotations"] or (),
    )


def _read(path: Path) -> str:
    import sys

    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LabError("not a text file", where=str(path), fix="Give a YAML file.") from error


def _manifest(path: Path) -> dict[str, Any]:
    from labkit.k8s.yaml import load_documents

    documents = load_documents(_read(path), file=str(path))
    found = [d.obj for d in documents if d.obj.get("kind") == "Application"]
    if len(found) != 1:
        raise LabError(
            f"{len(found)} Applications in this file, one is needed",
            where=str(path),
            fix="Its kind is Application; `labkit app get NAME -o yaml` shows one.",
        )
    return found[0]
