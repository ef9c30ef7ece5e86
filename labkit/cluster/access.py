"""Where one cluster is and who we are there: what a kubeconfig's context says, as data.

Secrets are kept out of every ``repr``: an `Access` can be logged, and can stand in a notebook.
"""

from __future__ import annotations

import base64
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from labkit.errors import ClusterError


@dataclass(frozen=True)
class Access:
    """One context of a kubeconfig, with everything that a connection needs.

    ``ca``, ``certificate`` and ``key`` are PEM texts; an empty ``ca`` means the authorities that this machine
    trusts. ``source`` is the kubeconfig's path, for error messages. ``plugin`` names the program that has to be
    asked for a credential (an ``exec`` or ``auth-provider`` entry); empty where the kubeconfig holds it.
    """

    name: str
    server: str
    source: str
    namespace: str = "default"
    ca: str = field(default="", repr=False)
    insecure: bool = False
    tls_server_name: str = ""
    proxy: str = field(default="", repr=False)  # may hold a password
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    impersonate: tuple[tuple[str, str], ...] = ()
    plugin: str = ""

    @property
    def host(self) -> str:
        """The server's host name or address."""
        return urlsplit(self.server).hostname or ""

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine, where no proxy belongs in between."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def headers(self) -> list[tuple[str, str]]:
        """The headers that say who we are. A token file is read anew each time: its token is rotated."""
        found = list(self.impersonate)
        token = self._file_token() or self.token
        if token:
            found.append(("Authorization", f"Bearer {token}"))
        elif self.username:
            pair = f"{self.username}:{self.password}".encode()
            found.append(("Authorization", "Basic " + base64.b64encode(pair).decode("ascii")))
        return found

    def _file_token(self) -> str:
        if self.token_file is None:
            return ""
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if self.token:
                return ""
            raise ClusterError(
                f"the token file cannot be read ({_reason(error)}): {self.token_file}",
                where=self.source,
                fix="Log in to the cluster again, or correct users[].user.tokenFile.",
            ) from error

    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings; None for a plain ``http`` server. Raises `ClusterError` for damaged certificates."""
        if urlsplit(self.server).scheme != "https":
            return None
        try:
            context = ssl.create_default_context(cadata=self.ca or None)
        except (ssl.SSLError, ValueError) as error:
            raise self._damaged("certificate-authority", error) from error
        # Python 3.13 turned on checks that certificates of older kubeadm and kind clusters do not pass, and
        # that no other Kubernetes client makes.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            self._present_certificate(context)
        return context

    def _present_certificate(self, context: ssl.SSLContext) -> None:
        """Python reads certificate and key from files only: a private folder lends one for a moment."""
        with tempfile.TemporaryDirectory(prefix="labkit-") as folder:  # mode 0700
            pair = Path(folder) / "pair.pem"
            pair.write_text(f"{self.key}\n{self.certificate}\n", encoding="ascii", errors="replace")
            try:
                context.load_cert_chain(
                    pair, password=lambda: b""
                )  # an encrypted key: an error, not a prompt
            except (ssl.SSLError, ValueError) as error:
                raise self._damaged("client-certificate", error) from error

    def _damaged(self, field_name: str, error: Exception) -> ClusterError:
        return ClusterError(
            f"the {field_name} of {self.name!r} cannot be used: {_reason(error)}",
            where=self.source,
            fix="Write this kubeconfig anew with the tool that made it.",
        )


def _reason(error: Exception) -> str:
    """Why, without paths of our own and without anything that was in the file."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return getattr(error, "reason", "") or type(error).__name__
