"""Local accounts, as Argo CD keeps them: who there is stands in ``argocd-cm``, what they hold in ``argocd-secret``.

::

    accounts.ci: apiKey            # may have tokens, for automation
    accounts.ann: apiKey, login    # may log in with a password, too
    accounts.ann.enabled: "false"

``admin`` is always there, unless ``admin.enabled`` is ``"false"``. Source: util/settings/accounts.go in Argo CD.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labkit.k8s.objects import Object

JSON = dict[str, Any]

ADMIN = "admin"
SECRET = "argocd-secret"  # noqa: S105  (a Secret's name)
KEY = "server.secretkey"
"""What tokens are signed with, in the Secret."""
LOGIN, API_KEY = "login", "apiKey"
_PREFIX = "accounts."


@dataclass(frozen=True)
class Account:
    """One account. ``tokens`` are its API tokens' ids and times; ``password`` is a bcrypt hash, empty without one."""

    name: str
    enabled: bool = True
    capabilities: tuple[str, ...] = ()
    tokens: tuple[JSON, ...] = ()
    password: str = ""
    password_set: datetime | None = None

    def __repr__(self) -> str:
        return f"Account({self.name})"

    def has_token(self, identity: str) -> bool:
        """Whether an API token of that id is still good."""
        return any(token.get("id") == identity for token in self.tokens)

    def to_json(self) -> JSON:
        """As Argo CD's API tells of it."""
        tokens = [
            {
                "id": token.get("id", ""),
                "issuedAt": token.get("iat", 0),
                "expiresAt": token.get("exp", 0),
            }
            for token in self.tokens
        ]
        return {
            "name": self.name,
            "enabled": self.enabled,
            "capabilities": list(self.capabilities),
            "tokens": tokens,
        }


def accounts(settings: Object | None, secret: Object | None) -> dict[str, Account]:
    """The accounts by name, from ``argocd-cm`` and ``argocd-secret``.

    What is not understood counts for less, not for more: an unknown capability is none, an ``enabled`` that is
    neither true nor false is false.
    """
    said: Mapping[str, str] = (settings or {}).get("data") or {}
    kept = secret_data(secret)
    enabled = said.get("admin.enabled", "true")
    found = {ADMIN: Account(ADMIN, enabled=_is_true(enabled), capabilities=(LOGIN,))}
    for key, value in said.items():
        if not key.startswith(_PREFIX):
            continue
        name, _, suffix = key.removeprefix(_PREFIX).partition(".")
        account = found.setdefault(name, Account(name))
        if not suffix:
            more = tuple(_capabilities(value))
            found[name] = replace(account, capabilities=tuple(dict.fromkeys((*account.capabilities, *more))))
        elif suffix == "enabled":
            found[name] = replace(account, enabled=_is_true(value))
    return {name: _with_secrets(account, kept) for name, account in found.items()}


def secret_data(secret: Object | None) -> dict[str, str]:
    """A Secret's data as text; what is not base64 is not there."""
    found = {}
    for key, value in ((secret or {}).get("data") or {}).items():
        with contextlib.suppress(binascii.Error, ValueError):
            found[key] = base64.b64decode(value or "").decode()
    return found


def tokens_key(name: str) -> str:
    """Where an account's tokens stand in the Secret."""
    return "admin.tokens" if name == ADMIN else f"{_PREFIX}{name}.tokens"


def password_keys(name: str) -> tuple[str, str]:
    """Where an account's password (as a hash) and the time of its last change stand in the Secret."""
    prefix = ADMIN if name == ADMIN else f"{_PREFIX}{name}"
    return f"{prefix}.password", f"{prefix}.passwordMtime"


def _with_secrets(account: Account, kept: Mapping[str, str]) -> Account:
    tokens: Any = []
    with contextlib.suppress(ValueError):
        tokens = json.loads(kept.get(tokens_key(account.name)) or "[]")
    password, changed = password_keys(account.name)
    return replace(
        account,
        tokens=tuple(t for t in tokens if isinstance(t, dict)) if isinstance(tokens, list) else (),
        password=kept.get(password, ""),
        password_set=_time(kept.get(changed, "")),
    )


def _capabilities(text: str) -> Iterator[str]:
    for word in map(str.strip, text.split(",")):
        if word in (LOGIN, API_KEY):
            yield word


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "t")


def _time(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
