"""``labkit chart pull``, ``push``, ``show``, ``search``, ``verify``: charts that are somewhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labkit.cli.chart.options import (
    CaFile,
    Insecure,
    PassCredentials,
    Password,
    PlainHttp,
    Reference,
    Repo,
    Username,
    Version,
    access,
    sources,
)
from labkit.cli.output import Format, Output, listing
from labkit.cli.session import note, say

Keyring = Annotated[Path, typer.Option("--keyring", help="The file with the public keys.")]
KEYRING = Path("~/.gnupg/pubring.gpg").expanduser()


def pull(
    chart: Reference,
    version: Version = "",
    destination: Annotated[Path, typer.Option("--destination", "-d", help="The folder for it.")] = Path(),
    untar: Annotated[bool, typer.Option("--untar", help="Unpack it there.")] = False,
    prov: Annotated[bool, typer.Option("--prov", help="Fetch its provenance file, too.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check who signed it.")] = False,
    keyring: Keyring = KEYRING,
    repo: Repo = "",
    username: Username = "",
    password: Password = "",
    plain_http: PlainHttp = False,
    insecure: Insecure = False,
    ca_file: CaFile = None,
    pass_credentials: PassCredentials = False,
) -> None:
    """Fetch a chart from a repository or a registry."""
    login = access(
        username, password, plain_http=plain_http, insecure=insecure, ca_file=ca_file,
        pass_credentials=pass_credentials,
    )  # fmt: skip
    found, proven = sources(), prov or verify
    packed = untar and not verify
    got = found.pull(
        chart, destination, version=version, repo=repo, access=login, provenance=proven, untar=packed
    )
    if verify:
        _say_signature(got, keyring)
        if untar:
            from labkit.helm.repositories import unpack

            got = unpack(got, destination)
    say(f"Pulled: {got}")


def push(
    archive: Annotated[Path, typer.Argument(metavar="CHART.tgz", help="The packaged chart.")],
    registry: Annotated[
        str, typer.Argument(metavar="oci://HOST/PATH", help="Where to; its name and version are added.")
    ],
    username: Username = "",
    password: Password = "",
    plain_http: PlainHttp = False,
    insecure: Insecure = False,
    ca_file: CaFile = None,
) -> None:
    """Push a packaged chart to a registry, and its provenance file with it, if it is there."""
    login = access(username, password, plain_http=plain_http, insecure=insecure, ca_file=ca_file)
    reference, digest = sources().push(archive, registry, login)
    say(f"Pushed: {reference}")
    say(f"Digest: {digest}")


def show(
    what: Annotated[str, typer.Argument(metavar="chart|values|readme|crds|all")],
    chart: Reference,
    version: Version = "",
    repo: Repo = "",
    username: Username = "",
    password: Password = "",
    plain_http: PlainHttp = False,
) -> None:
    """Show a chart's metadata, values, README or CRDs, without installing it."""
    from labkit.helm.showing import checked
    from labkit.helm.showing import show as shown

    login, part = access(username, password, plain_http=plain_http), checked(what)
    found = sources()
    say(shown(found.find(chart, version=version, repo=repo, access=login), part))


def search(
    keyword: Annotated[
        str, typer.Argument(help="A part of the name or description; all charts without it.")
    ] = "",
    versions: Annotated[
        bool, typer.Option("--versions", "-l", help="Every version, not the newest only.")
    ] = False,
    version: Annotated[str, typer.Option("--version", help="Only versions in this range.")] = "",
    devel: Annotated[bool, typer.Option("--devel", help="Pre-releases, too.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Search the chart repositories that have been added (labkit chart repo add)."""
    from labkit.helm.repositories.searching import search as found

    wanted = version or (">0.0.0-0" if devel else "")
    listing(
        found(sources().book, keyword, wanted=wanted, every=versions),
        output,
        {
            "NAME": lambda item: item["name"],
            "CHART VERSION": lambda item: item["version"],
            "APP VERSION": lambda item: item["app_version"],
            "DESCRIPTION": lambda item: item["description"],
        },
        empty="No results found; labkit chart repo list shows where was looked.",
    )


def verify(
    archive: Annotated[Path, typer.Argument(metavar="CHART.tgz", help="The packaged chart.")],
    keyring: Keyring = KEYRING,
) -> None:
    """Check who signed a packaged chart, and that it was not changed since."""
    _say_signature(archive, keyring)


def _say_signature(archive: Path, keyring: Path) -> None:
    from labkit.helm import Chart

    found = Chart.load(archive).verify(keyring)
    for name in found.signed_by:
        say(f"Signed by: {name}")
    say(f"Chart Hash Verified: {found.digest}")
    note("This says who signed it, and that it was not changed; whether you trust them is yours to say.")
