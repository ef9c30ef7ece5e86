"""Local accounts: who there is, their tokens and passwords, and the question ``can-i``."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from labkit.errors import AlreadyExists, ApplicationError, BadRequest, Conflict, NotFound, Unauthorized
from labkit.gitops.api.names import NAMESPACE
from labkit.gitops.rbac import ACTIONS, RESOURCES, Claims, tokens
from labkit.gitops.rbac import accounts as local
from labkit.gitops.server.objects import ROLLBACK_APART, TRIES
from labkit.gitops.status import stamp
from labkit.k8s.objects import metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.live import Server
    from labkit.gitops.rbac import Caller, Callers
    from labkit.gitops.rbac.accounts import Account
    from labkit.runtime.clock import Clock
    from labkit.runtime.informer import Informer

JSON = dict[str, Any]
SESSION = timedelta(hours=24)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 32
"""As Argo CD's ``passwordPattern``; bcrypt itself reads 72 bytes and no more."""


class Accounts:
    """What an account may ask, of itself or, where the policy lets it, of others."""

    def __init__(self, home: Server, seen: Informer, callers: Callers, clock: Clock) -> None:
        self._home, self._seen, self._callers, self._clock = home, seen, callers, clock
        self._lock = threading.Lock()

    def list(self, caller: Caller) -> list[JSON]:
        """The accounts that the caller may see; their own always."""
        found = self._callers.accounts()
        return [found[name].to_json() for name in sorted(found) if _may(caller, "get", name)]

    def get(self, caller: Caller, name: str) -> JSON:
        """One account."""
        _demand(caller, "get", name)
        return self._account(name).to_json()

    def user_info(self, caller: Caller) -> JSON:
        """Who is asking."""
        groups = caller.claims.groups(caller.access.scopes())
        issuer = caller.claims.raw.get("iss") or ""
        return {"loggedIn": bool(caller.name), "username": caller.name, "iss": issuer, "groups": groups}

    def can_i(self, caller: Caller, action: str, resource: str, obj: str, *, subject: str = "") -> JSON:
        """``yes`` or ``no``, with the rule that decided. Of another ``subject`` only who may see accounts may ask."""
        if action.partition("/")[0] not in ACTIONS:
            raise BadRequest(f"{' '.join(ACTIONS)} does not contain {action}", where="action", fix=ACTIONS[0])
        if resource not in RESOURCES:
            raise BadRequest(
                f"{' '.join(RESOURCES)} does not contain {resource}", where="resource", fix=RESOURCES[0]
            )
        if action == "rollback" and not self._callers.is_set(ROLLBACK_APART):
            action = "sync"  # as the rollback itself is judged
        if subject and subject != caller.name:
            caller.demand("accounts", "get", subject)
            decision = caller.access.decide(Claims({"sub": subject}), resource, action, obj)
        else:
            decision = caller.decide(resource, action, obj)
        return {"value": "yes" if decision else "no", "reason": decision.reason}

    # -- tokens

    def create_token(self, caller: Caller, name: str, *, identity: str = "", seconds: int = 0) -> str:
        """An API token for an account that has the capability ``apiKey``; ``seconds`` 0: for ever."""
        _demand(caller, "update", name)
        if seconds < 0:
            raise BadRequest("a token cannot end before it begins", where="expiresIn", fix="0: for ever.")
        identity = identity or str(uuid.uuid4())
        subject = f"{name}:{local.API_KEY}"
        claims = tokens.new_claims(subject, identity=identity, now=self._clock.now(), seconds=seconds)

        def change(data: dict[str, str]) -> dict[str, str]:
            account = self._account(name)
            if local.API_KEY not in account.capabilities:
                raise ApplicationError(
                    f"account '{name}' does not have {local.API_KEY} capability",
                    where=f"{NAMESPACE}/argocd-cm",
                    fix=f"Give it that: accounts.{name}: apiKey",
                )
            found = _tokens(data, name)
            if any(token.get("id") == identity for token in found):
                raise ApplicationError(
                    f"account already has token with id '{identity}'", where=name, fix="Use another id."
                )
            return {local.tokens_key(name): json.dumps([*found, tokens.listed(claims)])}

        key = self.signing()
        self._change(change)
        return tokens.issue(claims, key)

    def delete_token(self, caller: Caller, name: str, identity: str) -> None:
        """Take a token away: from now on it opens nothing."""
        _demand(caller, "update", name)
        self._account(name)

        def change(data: dict[str, str]) -> dict[str, str]:
            found = _tokens(data, name)
            kept = [token for token in found if token.get("id") != identity]
            if len(kept) == len(found):
                raise NotFound(
                    f"token with id '{identity}' does not exist",
                    where=name,
                    fix=f"labkit account get -a {name}",
                )
            return {local.tokens_key(name): json.dumps(kept)}

        self._change(change)

    # -- passwords

    def log_in(self, name: str, password: str) -> str:
        """A token for a day, for whoever knows the account's password; ``admin``'s is the lab's token."""
        account = self._callers.accounts().get(name)
        if not self._is_password(name, account, password):
            raise Unauthorized("Invalid username or password", where=name, fix="labkit login --username NAME")
        if account is None or not account.enabled or local.LOGIN not in account.capabilities:
            raise Unauthorized(
                f"account {name} is disabled, or does not have '{local.LOGIN}' capability",
                where=f"{NAMESPACE}/argocd-cm",
                fix=f"accounts.{name}: login",
            )
        claims = tokens.new_claims(
            f"{name}:{local.LOGIN}",
            identity=str(uuid.uuid4()),
            now=self._clock.now(),
            seconds=int(SESSION.total_seconds()),
        )
        return tokens.issue(claims, self.signing())

    def set_password(self, caller: Caller, name: str, new: str, *, current: str = "") -> None:
        """Another password. One's own needs the current one, if there is one; another's needs ``accounts, update``."""
        import bcrypt

        account = self._account(name)
        if caller.is_local and caller.name == name and not caller.owner:
            if account.password and not self._is_password(name, account, current):
                raise Unauthorized("current password does not match", where=name, fix="--current-password")
        else:
            caller.demand("accounts", "update", name)
        if name == local.ADMIN:
            raise ApplicationError(
                "the password of admin is the lab's token", where=name, fix="It is in .lab/token."
            )
        if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
            raise BadRequest(
                f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
                where="newPassword",
                fix="Choose another.",
            )
        hashed = bcrypt.hashpw(new.encode()[:72], bcrypt.gensalt()).decode()
        password, changed = local.password_keys(name)
        self._change(lambda _data: {password: hashed, changed: stamp(self._clock.now())})

    def _is_password(self, name: str, account: Account | None, password: str) -> bool:
        import bcrypt

        if name == local.ADMIN:
            return self._callers.is_lab_token(password)
        known = account.password if account is not None and account.password else _NOBODYS
        with contextlib.suppress(ValueError):  # what stands there is no hash
            right = bcrypt.checkpw(password.encode()[:72], known.encode())
            return right and known != _NOBODYS
        return False

    # -- the Secret

    def signing(self) -> bytes:
        """What tokens are signed with; made where there is none yet."""
        with contextlib.suppress(Unauthorized):
            return self._callers.key()
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": local.SECRET,
                "namespace": NAMESPACE,
                "labels": {"app.kubernetes.io/part-of": "argocd"},
            },
            "type": "Opaque",
        }
        with contextlib.suppress(AlreadyExists):
            self._home.create(secret)
        made = base64.b64encode(secrets.token_bytes(32)).decode()
        self._change(lambda data: {} if data.get(local.KEY) else {local.KEY: made})
        return self._callers.key()

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        """Write what ``change`` makes of the Secret's data as it is now."""
        with self._lock:
            for _ in range(TRIES):
                secret = self._home.get("v1", "Secret", local.SECRET, NAMESPACE)
                data = {
                    k: base64.b64encode(v.encode()).decode()
                    for k, v in change(local.secret_data(secret)).items()
                }
                version = metadata(secret)["resourceVersion"]
                patch = {"metadata": {"resourceVersion": version}, "data": data}
                try:
                    written = self._home.patch("v1", "Secret", local.SECRET, NAMESPACE, patch=patch)
                except Conflict:
                    continue
                self._seen.answered("MODIFIED", written)
                return
        raise ApplicationError(
            f"Secret {local.SECRET} is written by others all the time", where=NAMESPACE, fix="Try again."
        )

    def _account(self, name: str) -> Account:
        found = self._callers.accounts().get(name)
        if found is None:
            raise NotFound(
                f"account '{name}' does not exist",
                where=f"{NAMESPACE}/argocd-cm",
                fix=f"Make it there: accounts.{name}: apiKey",
            )
        return found


_NOBODYS = "$2b$12$1kSBpFlzkVW6OTItV/JFLu1OKPsZglCwCo2IKqTvodHc0KrK273vO"
"""A hash to compare with where there is none, so that the time does not tell who has an account."""


def _tokens(data: dict[str, str], name: str) -> list[JSON]:
    found: Any = []
    with contextlib.suppress(ValueError):
        found = json.loads(data.get(local.tokens_key(name)) or "[]")
    return [token for token in found if isinstance(token, dict)] if isinstance(found, list) else []


def _may(caller: Caller, action: str, name: str) -> bool:
    return (caller.is_local and caller.name == name) or caller.may("accounts", action, name)


def _demand(caller: Caller, action: str, name: str) -> None:
    if not (caller.is_local and caller.name == name):
        caller.demand("accounts", action, name)
