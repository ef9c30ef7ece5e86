"""How a chart repository is reached: its address, without the credential that came in it, and that credential."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, unquote, urlsplit

from labkit.errors import ChartRepositoryError

OCI = "oci"
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+|/)[a-z0-9]+)*")  # the distribution specification's <name>


@dataclass(frozen=True)
class Access:
    """What a repository wants to see, and how much is trusted on the way. The password is never shown.

    ``pass_credentials``: also to another host that the index names (Argo CD's and Helm's word for it).
    ``plain_http``: http to hosts other than this machine. ``ca`` is PEM text that is trusted beside the
    system's own.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    pass_credentials: bool = False
    plain_http: bool = False
    insecure_skip_tls_verify: bool = False
    ca: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        """The value of the HTTP header (RFC 7617); empty without a credential."""
        if not (self.username or self.password):
            return ""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@dataclass(frozen=True)
class Place:
    """One repository: ``https`` or ``http`` with an index, or ``oci``. ``path`` has no slash at its ends."""

    scheme: str
    host: str
    path: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{f'/{self.path}' if self.path else ''}"

    @property
    def is_oci(self) -> bool:
        """Whether this is a registry, which has tags in place of an index."""
        return self.scheme == OCI


def locate(url: str, access: Access) -> tuple[Place, Access]:
    """The place that a URL names, and the access with the credential that the URL had in it.

    ``oci://host/path`` is a registry, and so is Argo CD's form of it without a scheme, ``host/path``.
    `ChartRepositoryError` for what is neither, and for plain http to another machine unless it was asked for.
    """
    text = url.strip()
    parts = _split(text if "://" in text else f"{OCI}://{text}")
    shown = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    if parts.scheme not in {OCI, "http", "https"}:
        raise ChartRepositoryError(
            f"chart repositories are reached by https or oci, not by {parts.scheme!r}",
            where=shown,
            fix="write https://HOST/PATH, or oci://HOST/PATH for a registry",
        )
    host = parts.netloc.rpartition("@")[2]
    if not _HOST.fullmatch(host.rpartition(":")[0] if _port(parts, shown) else host):
        raise ChartRepositoryError(
            "this address names no host", where=shown, fix="write https://HOST/PATH or oci://HOST/PATH"
        )
    if parts.scheme == "http" and not access.plain_http and not is_loopback(parts.hostname or ""):
        raise ChartRepositoryError(
            "plain http would let anybody on the way read the credential and change the charts",
            where=shown,
            fix="use https://; or, in a network that is trusted, ask for plain http",
        )
    path = parts.path.strip("/")
    if parts.scheme == OCI and path and not _PATH.fullmatch(path):
        tagged = re.search(r"[:@]", path.rpartition("/")[2])
        raise ChartRepositoryError(
            "this is no path in a registry",
            where=shown,
            fix="give the version beside it: --version 1.2.3"
            if tagged
            else "it has lower-case letters, digits and - . _ only",
        )
    if parts.username or parts.password:
        access = replace(
            access, username=unquote(parts.username or ""), password=unquote(parts.password or "")
        )
    return Place(parts.scheme, host, path, parts.query), access


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise ChartRepositoryError(
            "this is not an address", where="repository", fix="write https://HOST/PATH or oci://HOST/PATH"
        ) from None


def _port(parts: SplitResult, shown: str) -> bool:
    try:
        return parts.port is not None
    except ValueError:
        raise ChartRepositoryError(
            "the port is no number between 0 and 65535", where=shown, fix="mend it"
        ) from None
