"""The repositories that a person gave names to, and the registries they logged in to.

Two files, in Helm's and Docker's own formats, so that ``helm --repository-config`` and ``--registry-config`` can use
them: names and addresses in the one, credentials of registries in the other. Both are private to the user.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.errors import ChartRepositoryError, ManifestError
from labkit.helm.repositories.access import OCI, Access, Place, locate
from labkit.helm.repositories.repository import ChartRepository
from labkit.helm.text import parse
from labkit.k8s import yaml
from labkit.settings import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_FIELDS = {
    "username": "username",
    "password": "password",
    "pass_credentials_all": "pass_credentials",
    "insecure_skip_tls_verify": "insecure_skip_tls_verify",
}


@dataclass(frozen=True)
class NamedRepository:
    """One repository by its name."""

    name: str
    url: str
    access: Access = field(repr=False)


class RepositoryBook:
    """Names of chart repositories and logins of registries.

    ``own`` are credentials that are known anyhow, by host: the lab's for the lab's own servers.
    """

    def __init__(self, repositories: Path, logins: Path, *, own: Mapping[str, Access] | None = None) -> None:
        self._repositories = repositories
        self._logins = logins
        self._own = dict(own or {})

    def __iter__(self) -> Any:
        return iter(sorted(self._named().values(), key=lambda each: each.name))

    def __getitem__(self, name: str) -> NamedRepository:
        named = self._named()
        if name not in named:
            raise ChartRepositoryError(
                f"no chart repository is named {name!r}",
                where=str(self._repositories),
                fix=f"There are: {', '.join(sorted(named)) or 'none yet'}. Add it: labkit chart repo add {name} URL",
            )
        return named[name]

    def add(self, name: str, url: str, access: Access, *, force: bool = False) -> NamedRepository:
        """Give a repository a name, once it has answered. An index is asked for; registries need no name."""
        if not _NAME.fullmatch(name):
            raise ChartRepositoryError(
                f"{name!r} cannot be the name of a repository",
                where="name",
                fix="use letters, digits and dashes",
            )
        place, access = locate(url, access)
        if place.is_oci:
            raise ChartRepositoryError(
                "a registry has no index, so Helm gives it no name",
                where=str(place),
                fix=f"say its charts as they are: {place}/CHART; and log in: labkit chart registry login {place.host}",
            )
        named = self._named()
        known = named.get(name)
        if known is not None and known.url != str(place) and not force:
            raise ChartRepositoryError(
                f"the name {name!r} is taken: it is {known.url}",
                where=str(self._repositories),
                fix="choose another name, or replace it with --force-update",
            )
        made = NamedRepository(name, str(place), access)
        ChartRepository(made.url, self.access(made.url, access)).check()
        self._write(named | {name: made})
        return made

    def remove(self, name: str) -> None:
        """Forget a repository."""
        found = self[name]
        self._write({key: each for key, each in self._named().items() if key != found.name})

    def login(self, host: str, access: Access) -> None:
        """Keep a registry's credential, once the registry has taken it."""
        place = _host(host)
        ChartRepository(str(place), access).check()
        auths = self._auths()
        pair = f"{access.username}:{access.password}".encode()
        auths[place.host] = {"auth": base64.b64encode(pair).decode()}
        write_private(self._logins, json.dumps({"auths": auths}, indent=2) + "\n")

    def logout(self, host: str) -> None:
        """Forget a registry's credential."""
        place, auths = _host(host), self._auths()
        if auths.pop(place.host, None) is None:
            raise ChartRepositoryError(
                "nobody is logged in to this registry",
                where=place.host,
                fix=f"There are: {', '.join(sorted(auths)) or 'none'}.",
            )
        write_private(self._logins, json.dumps({"auths": auths}, indent=2) + "\n")

    def access(self, url: str, given: Access | None = None) -> Access:
        """The credential for an address: the one given, else its registry's login, its name's, or the lab's own."""
        given = given or Access()
        place, given = locate(url, given)
        if given.authorization:
            return given
        for known in self._candidates(place):
            if known.authorization:
                return Access(
                    known.username,
                    known.password,
                    pass_credentials=known.pass_credentials,
                    plain_http=given.plain_http,
                    insecure_skip_tls_verify=given.insecure_skip_tls_verify or known.insecure_skip_tls_verify,
                    ca=given.ca or known.ca,
                )
        return given

    def open(self, url: str, given: Access | None = None) -> ChartRepository:
        """The repository at an address, or of a name (``@name``, ``alias:name`` as in ``Chart.yaml``)."""
        name = url.removeprefix("alias:").removeprefix("@")
        if name != url:
            return ChartRepository(self[name].url, self.access(self[name].url, self[name].access))
        return ChartRepository(url, self.access(url, given))

    def _candidates(self, place: Place) -> list[Access]:
        if place.is_oci:
            stored = self._auths().get(place.host, {}).get("auth", "")
            name, _, password = base64.b64decode(stored or "").decode("utf-8", "replace").partition(":")
            found = [Access(name, password)]
        else:
            found = [each.access for each in self._named().values() if each.url == str(place)]
        own = self._own.get(place.host)
        return [*found, *([own] if own else [])]

    def _named(self) -> dict[str, NamedRepository]:
        try:
            text = self._repositories.read_text(encoding="utf-8")
            raw = parse(text, str(self._repositories)) or {}
            items = raw.get("repositories") or []
            found = [_named(item) for item in items]
        except FileNotFoundError:
            return {}
        except (ManifestError, AttributeError, KeyError, TypeError):
            raise ChartRepositoryError(
                "the list of chart repositories is damaged",
                where=str(self._repositories),
                fix="mend it (its form is that of Helm's repositories.yaml), or remove it and add them again",
            ) from None
        return {each.name: each for each in found}

    def _write(self, named: Mapping[str, NamedRepository]) -> None:
        items = []
        for each in sorted(named.values(), key=lambda one: one.name):
            said = {key: getattr(each.access, name) for key, name in _FIELDS.items()}
            items.append({"name": each.name, "url": each.url} | {k: v for k, v in said.items() if v})
        raw = {"apiVersion": "v1", "repositories": items}
        write_private(self._repositories, yaml.dump(raw))

    def _auths(self) -> dict[str, Any]:
        try:
            found = json.loads(self._logins.read_text(encoding="utf-8"))["auths"]
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError):
            raise ChartRepositoryError(
                "the list of logins is damaged", where=str(self._logins), fix="remove it, and log in again"
            ) from None
        return dict(found)


def _named(item: dict[str, Any]) -> NamedRepository:
    known = {name: item[key] for key, name in _FIELDS.items() if key in item}
    return NamedRepository(str(item["name"]), str(item["url"]), Access(**known))


def _host(host: str) -> Place:
    place, _ = locate(host if "://" in host else f"{OCI}://{host}", Access())
    if place.path or not place.is_oci:
        raise ChartRepositoryError(
            "a login is for a whole registry", where=str(place), fix=f"give its host only: {place.host}"
        )
    return place
