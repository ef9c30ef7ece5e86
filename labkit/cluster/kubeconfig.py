"""Reading kubeconfigs: which clusters there are, and how each one is reached.

The format is client-go's ``v1.Config``. Several files are one: for each name, and for the current context, the
first file that has it wins (as kubectl does with a ``KUBECONFIG`` list). A relative path in a file is relative
to that file.
"""

from __future__ import annotations

import base64
import binascii
import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from labkit.cluster.access import Access
from labkit.errors import ClusterError, ManifestError
from labkit.k8s import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True)
class Entry:
    """One named cluster, user or context, and the place where it stands."""

    file: Path
    section: str
    index: int
    name: str
    body: dict[str, Any] = field(repr=False)  # holds secrets

    def where(self, part: str = "") -> str:
        """The file and field, for error messages."""
        inner = f".{SECTIONS[self.section]}" + (f".{part}" if part else "")
        return f"{self.file}: {self.section}[{self.index}]{inner}"

    def text(self, key: str) -> str:
        """A text field; empty where it is absent. What stood there instead is never shown: it may be a secret."""
        value = self.body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ClusterError(
                f"must be text, not {type(value).__name__}",
                where=self.where(key),
                fix="Put the value in quotes.",
            )
        return value

    def pem(self, key: str) -> str:
        """A PEM text, from ``<key>-data`` (base64), which wins, or from the file that ``<key>`` names."""
        data = self.text(f"{key}-data")
        if data:
            try:
                return base64.b64decode("".join(data.split()), validate=True).decode("ascii")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise ClusterError(
                    "is not base64 of a PEM text",
                    where=self.where(f"{key}-data"),
                    fix="Write this kubeconfig anew with the tool that made it.",
                ) from error
        named = self.text(key)
        if not named:
            return ""
        try:
            return self.path(named).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ClusterError(
                f"names a file that cannot be read: {self.path(named)}",
                where=self.where(key),
                fix="Bring the file back, or write this kubeconfig anew with the tool that made it.",
            ) from error

    def path(self, text: str) -> Path:
        """A path as this file means it."""
        return self.file.parent / Path(text).expanduser()


class Kubeconfig:
    """What one kubeconfig, or several read as one, say."""

    def __init__(self, files: tuple[Path, ...], sections: dict[str, dict[str, Entry]], current: str) -> None:
        self.files = files
        self.current = current
        self._sections = sections

    @classmethod
    def load(cls, *files: Path) -> Kubeconfig:
        """Read ``files`` as one. Of several, some may be absent; a single one, or all, may not."""
        present = [file for file in files if file.is_file()]
        if not present:
            raise ClusterError(
                "there is no kubeconfig here",
                where=", ".join(map(str, files)) or "kubeconfig",
                fix="Give the path of one that exists, or use the lab's own cluster: labkit up",
            )
        sections: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
        current = ""
        for file in present:
            content = read(file)
            current = current or str(content.get("current-context") or "")
            for entry in _entries(file, content):
                sections[entry.section].setdefault(entry.name, entry)
        return cls(tuple(present), sections, current)

    @property
    def source(self) -> str:
        """The files' paths, for messages."""
        return ", ".join(map(str, self.files))

    @property
    def contexts(self) -> list[str]:
        """The contexts' names, in the files' order."""
        return list(self._sections["contexts"])

    def entries(self, context: str | None = None) -> tuple[Entry, Entry, Entry | None]:
        """A context with its cluster and its user (None where it names none)."""
        chosen = self._find("contexts", context or self._current(), self.source)
        cluster = self._find("clusters", chosen.text("cluster"), chosen.where("cluster"))
        user = chosen.text("user")
        return chosen, cluster, self._find("users", user, chosen.where("user")) if user else None

    def access(self, context: str | None = None) -> Access:
        """How the cluster of ``context`` (None: the current one) is reached.

        Raises `ClusterError` with file and field when the context is absent, or what it names is, or is damaged.
        """
        chosen, cluster, user = self.entries(context)
        return Access(
            name=chosen.name,
            server=_server(cluster),
            source=self.source,
            namespace=chosen.text("namespace") or "default",
            ca=cluster.pem("certificate-authority"),
            insecure=bool(cluster.body.get("insecure-skip-tls-verify")),
            tls_server_name=cluster.text("tls-server-name"),
            proxy=cluster.text("proxy-url"),
            **(_credential(user) if user else {}),
        )

    def _current(self) -> str:
        if not self.current:
            raise ClusterError(
                "no context is chosen",
                where=f"{self.source}: current-context",
                fix=f"Name one: {', '.join(self.contexts) or '(this kubeconfig has none)'}",
            )
        return self.current

    def _find(self, section: str, name: str, where: str) -> Entry:
        known = self._sections[section]
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or list(known)[:10]
        raise ClusterError(
            f"there is no {SECTIONS[section]} {name!r}",
            where=where,
            fix=f"Use one of: {', '.join(near)}" if near else f"This kubeconfig has no {section} at all.",
        )


def read(file: Path) -> dict[str, Any]:
    """One kubeconfig's content as it stands. Raises `ClusterError` when it is no kubeconfig."""
    fix = "Correct the file, or write it anew with the tool that made it."
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text"
        raise ClusterError(f"the kubeconfig cannot be read: {reason}", where=str(file), fix=fix) from error
    try:
        content = yaml.load(text, file=str(file))
    except ManifestError as error:
        where = error.where or str(file)
        raise ClusterError("the kubeconfig is not YAML", where=where, fix=fix) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or content.get("kind", "Config") != "Config":
        raise ClusterError("this is not a kubeconfig (kind: Config)", where=str(file), fix=fix)
    return content


def _entries(file: Path, content: dict[str, Any]) -> Iterable[Entry]:
    for section, inner in SECTIONS.items():
        listed = content.get(section) or []
        if not isinstance(listed, list):
            raise ClusterError("must be a list", where=f"{file}: {section}", fix="Correct the file.")
        for index, item in enumerate(listed):
            body = item.get(inner) or {} if isinstance(item, dict) else None
            name = item.get("name") if isinstance(item, dict) else None
            if not isinstance(body, dict) or not isinstance(name, str):
                raise ClusterError(
                    f"must have a name and a {inner}",
                    where=f"{file}: {section}[{index}]",
                    fix="Correct the file.",
                )
            yield Entry(file, section, index, name, body)


def _server(cluster: Entry) -> str:
    server = cluster.text("server")
    try:
        parts = urlsplit(server)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        usable = False
    if not usable or parts.username or parts.password:
        raise ClusterError(
            "must be the API server's URL, such as https://127.0.0.1:6443",
            where=cluster.where("server"),
            fix="Correct the address.",
        )
    return server.rstrip("/")


def _credential(user: Entry) -> dict[str, Any]:
    token_file = user.text("tokenFile")
    found: dict[str, Any] = {
        "token": user.text("token"),
        "token_file": user.path(token_file) if token_file else None,
        "username": user.text("username"),
        "password": user.text("password"),
        "certificate": user.pem("client-certificate"),
        "key": user.pem("client-key"),
        "impersonate": tuple(_impersonation(user)),
        "plugin": _plugin(user),
    }
    if bool(found["certificate"]) != bool(found["key"]):
        missing = "client-key" if found["certificate"] else "client-certificate"
        raise ClusterError(
            "a client certificate needs its key, and the key its certificate",
            where=user.where(missing),
            fix="Write this kubeconfig anew with the tool that made it.",
        )
    return found


def _impersonation(user: Entry) -> Iterable[tuple[str, str]]:
    """The headers that ``kubectl --as`` would send; left out, we would act as somebody else."""
    for key, header in (("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")):
        if user.text(key):
            yield header, user.text(key)
    for group in user.body.get("as-groups") or []:
        yield "Impersonate-Group", str(group)


def _plugin(user: Entry) -> str:
    for section, name in (("exec", "command"), ("auth-provider", "name")):
        body = user.body.get(section)
        if isinstance(body, dict):
            return str(body.get(name) or section)
    return ""
