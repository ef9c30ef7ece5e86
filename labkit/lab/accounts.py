"""``lab.accounts``: who there is, their tokens, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from labkit.lab.durations import seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.lab.service_client import ServiceClient

JSON = dict[str, Any]
ROOT = "/api/v1/account"


@dataclass(frozen=True)
class Answer:
    """Whether somebody may, and the rule that decided. It is true where they may."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        return f"{'yes' if self.allowed else 'no'}  ({self.reason})"


class Accounts:
    """The local accounts. They are made in ``argocd-cm``: ``accounts.ann: apiKey, login``."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    @property
    def me(self) -> JSON:
        """Who you are: ``username``, ``loggedIn``, ``groups``."""
        found: JSON = self._service.get("/api/v1/session/userinfo")
        return found

    def can_i(self, action: str, resource: str, obj: str, *, subject: str = "") -> Answer:
        """May you (or ``subject``): ``lab.accounts.can_i("sync", "applications", "shop/web")``."""
        query = {"subject": subject} if subject else {}
        if "/" in action:
            query["action"] = action
        words = "/".join(quote(word, safe="") for word in (resource, action.partition("/")[0], obj))
        found = self._service.get(f"{ROOT}/can-i/{words}?{urlencode(query)}")
        return Answer(found["value"] == "yes", found["reason"])

    def create_token(self, name: str = "", *, expires_in: str = "0s", identity: str = "") -> str:
        """A token for a program, shown once; ``expires_in`` such as ``24h``; ``0s``: never."""
        body = {"expiresIn": seconds_of(expires_in, "expiresIn"), "id": identity}
        return str(self._service.post(f"{self._path(name)}/token", body)["token"])

    def delete_token(self, identity: str, name: str = "") -> None:
        """Take a token away; from now on it opens nothing."""
        self._service.delete(f"{self._path(name)}/token/{quote(identity, safe='')}")

    def set_password(self, new: str, name: str = "", *, current: str = "") -> None:
        """Another password; what was logged in with the old one is so no longer."""
        body = {"name": name, "newPassword": new, "currentPassword": current}
        self._service.put(f"{ROOT}/password", body)

    def __getitem__(self, name: str) -> JSON:
        found: JSON = self._service.get(self._path(name))
        return found

    def __iter__(self) -> Iterator[JSON]:
        found: list[JSON] = self._service.get(ROOT)["items"]
        return iter(found)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __repr__(self) -> str:
        return f"Accounts({', '.join(account['name'] for account in self)})"

    def _path(self, name: str) -> str:
        return f"{ROOT}/{quote(name or self.me['username'], safe='')}"
