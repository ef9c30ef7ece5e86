"""Flags that several of Helm's commands have in common, and what they say together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labkit.cli.session import session

if TYPE_CHECKING:
    from labkit.helm.repositories import Access
    from labkit.lab.chart_sources import ChartSources

Reference = Annotated[
    str,
    typer.Argument(metavar="CHART", help="A path, REPO/CHART, oci://HOST/PATH/CHART; or a name with --repo."),
]
Version = Annotated[
    str, typer.Option("--version", help="A version, or a range: ^1.2. The newest by default.")
]
Repo = Annotated[str, typer.Option("--repo", help="The URL of the chart's repository.")]
Username = Annotated[str, typer.Option("--username", "-u", help="The user to log in as.")]
Password = Annotated[str, typer.Option("--password", "-p", help="The password; better: --password-stdin.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
PlainHttp = Annotated[bool, typer.Option("--plain-http", help="Speak http, also to another machine.")]
Insecure = Annotated[
    bool, typer.Option("--insecure-skip-tls-verify", help="Do not check the server's certificate.")
]
CaFile = Annotated[Path | None, typer.Option("--ca-file", help="A certificate to trust (PEM).")]
PassCredentials = Annotated[
    bool, typer.Option("--pass-credentials", help="Show the credential also to hosts that the index names.")
]


def access(
    username: str = "",
    password: str = "",
    *,
    stdin: bool = False,
    plain_http: bool = False,
    insecure: bool = False,
    ca_file: Path | None = None,
    pass_credentials: bool = False,
) -> Access:
    """What the flags say about how to reach a repository."""
    from labkit.helm.repositories import Access

    if stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    ca = ca_file.read_text(encoding="utf-8") if ca_file else ""
    return Access(
        username, password, plain_http=plain_http, insecure_skip_tls_verify=insecure, ca=ca,
        pass_credentials=pass_credentials,
    )  # fmt: skip


def sources() -> ChartSources:
    """The lab folder's repositories and logins; where there is no lab folder, none."""
    from labkit.lab.chart_sources import ChartSources

    return ChartSources(session.settings(must_exist=False))


def remembering() -> ChartSources:
    """The same, for commands that write something down: there must be a lab folder."""
    session.settings()
    return sources()
