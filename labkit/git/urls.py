"""Repository addresses: which are allowed, which are the same repository, and what may be shown of them.

Two rules from Argo CD live here as pure functions (`normalise`, `same_url`; util/git/git.go, 3.6): a webhook
names a repository one way, an Application another, and both mean the same one. The other rule is ours: an
address is checked before `git` sees it, and its password never gets further than `split_credential`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from labkit.errors import GitError
from labkit.runtime.addresses import is_link_local

_SSH = re.compile(r"^(ssh://)?([^/:]*?)@[^@]+$")
_SCP = re.compile(r"^[A-Za-z0-9_][\w.+-]*@[A-Za-z0-9\[][\w.:\[\]-]*:(?!//).+$")
_USERINFO = re.compile(r"(?<=://)[^/@\s'\"]*@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a Git host asks for. Neither ``repr`` nor ``str`` show the password."""

    username: str
    password: str = field(repr=False)

    def header(self) -> str:
        """The value of the HTTP ``Authorization`` header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def secrets(self) -> tuple[str, ...]:
        """Every form in which the password could turn up in a message."""
        plain = (self.password, quote(self.password, safe=""), self.header().removeprefix("Basic "))
        return tuple(text for text in plain if text)


def is_ssh_url(url: str) -> bool:
    """True for ``git@host:path`` and ``ssh://…@host/path``."""
    return _SSH.match(url) is not None


def is_http_url(url: str) -> bool:
    """True for http and https."""
    return url.lower().startswith(("http://", "https://"))


def normalise(url: str) -> str:
    """The form in which two addresses of one repository are equal; empty if it is not an address."""
    text = url.strip().lower()
    if is_ssh_url(text) and not text.startswith("ssh://"):
        text = "ssh://" + text.replace(":", "/", 1)
    text = text.removesuffix(".git")
    try:
        urlsplit(text).port  # noqa: B018 - raises for a port that is not a number
    except ValueError:
        return ""
    return "" if _CONTROL.search(text) else text.removeprefix("ssh://")


def same_url(left: str, right: str) -> bool:
    """Whether two addresses mean the same repository (case, ``.git``, the two ssh forms aside)."""
    return bool(normalise(left)) and normalise(left) == normalise(right)


def split_credential(url: str) -> tuple[str, Credential | None]:
    """The address without ``user:password@``, and that credential (None if there was no password)."""
    if not is_http_url(url):
        return url, None
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise GitError(
            "This is not an address.", where=redact(url), fix="Check the repository's URL."
        ) from error
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    bare = urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))
    username, _, password = userinfo.partition(":")
    return bare, Credential(unquote(username), unquote(password))


def with_credential(url: str, credential: Credential) -> str:
    """`url` with the credential in it: what plain ``git clone`` can use as it stands."""
    parts = urlsplit(url)
    who = f"{quote(credential.username, safe='')}:{quote(credential.password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}"))


def redact(text: str, *secrets: str) -> str:
    """`text` with every ``user:password@`` of a URL taken out, and each of `secrets` masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***") if len(secret) > 3 else text
    return _USERINFO.sub("", text)


def check_url(url: str, *, allow_files: bool = False) -> str:
    """`url`, if `git` may be given it: http, https, ssh, or (where `allow_files`) a folder on this machine.

    Everything else is a GitError: other transports run commands (``ext::``) or speak without encryption or
    authentication (``git://``), and an address that starts with ``-`` would be read as an option.
    """
    shown, text = redact(url), url.strip()
    advice = "Use an address like https://host/name.git or git@host:name.git."
    if not text:
        raise GitError("The repository has no address.", where="repository URL", fix=advice)
    if text.startswith("-") or _CONTROL.search(text) or (" " in text and not _is_local(text)):
        raise GitError("This is not the address of a Git repository.", where=shown, fix=advice)
    if is_http_url(text) or text.lower().startswith("ssh://") or _SCP.match(text):
        _check_host(text, shown, advice)
        return text
    if ":" not in text and not _is_local(text):
        raise GitError("This is not the address of a Git repository.", where=shown, fix=advice)
    if not _is_local(text):
        scheme = re.split(r"::?", text, maxsplit=1)[0]
        raise GitError(f"The transport {scheme!r} is not allowed.", where=shown, fix=advice)
    if not allow_files:
        raise GitError("Repositories on this machine are not read by path.", where=shown, fix=advice)
    return text


def _check_host(text: str, shown: str, advice: str) -> None:
    if "://" not in text:
        text = f"ssh://{text.partition(':')[0]}"  # git@host:path
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise GitError(f"This is not an address: {error}.", where=shown, fix=advice) from error
    if not host or host.startswith("-"):
        raise GitError("The address names no host.", where=shown, fix=advice)
    if is_link_local(host):
        raise GitError(
            "Nothing is read from link-local addresses: cloud machines keep their credentials there.",
            where=shown,
            fix=advice,
        )


def _is_local(text: str) -> bool:
    if text.lower().startswith("file://"):
        return True
    return "://" not in text and "::" not in text and (Path(text).is_absolute() or text.startswith("."))
