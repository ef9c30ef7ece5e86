"""Who asks: from the credential of a request to somebody of whom `Access` can say what they may."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labkit.errors import Unauthorized
from labkit.gitops.api.names import SETTINGS
from labkit.gitops.rbac import accounts as local
from labkit.gitops.rbac import tokens
from labkit.gitops.rbac.claims import Claims

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.gitops.rbac.access import Access
    from labkit.gitops.rbac.accounts import Account
    from labkit.gitops.rbac.enforcer import Decision
    from labkit.k8s.objects import Object
    from labkit.runtime.clock import Clock

JSON = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Somebody who asks, and the policy that they are judged by.

    ``owner`` came with the lab's own token: that is the account ``admin``, and whoever may stop the lab.
    """

    access: Access
    claims: Claims
    owner: bool = False
    shown: Claims = field(default_factory=Claims)
    """The claims as they stand in the token, for `Callers.again`."""

    @property
    def name(self) -> str:
        """The account, or ``proj:PROJECT:ROLE``; empty for somebody who did not say who they are."""
        return self.claims.subject

    @property
    def is_local(self) -> bool:
        """Whether it is an account of the lab's, which may always look after itself."""
        return self.claims.raw.get("iss") == tokens.ISSUER and not self.name.startswith("proj:")

    def decide(self, resource: str, action: str, obj: str) -> Decision:
        """Whether they may, and why."""
        return self.access.decide(self.claims, resource, action, obj)

    def may(self, resource: str, action: str, obj: str) -> bool:
        """Whether they may."""
        return self.decide(resource, action, obj).allowed

    def demand(self, resource: str, action: str, obj: str) -> None:
        """`Forbidden`, in Argo CD's words, where they may not."""
        self.access.enforce(self.claims, resource, action, obj)


class Callers:
    """Knows people by what they show: the lab's own token, an account's token, or a project role's.

    ``objects`` gives a ConfigMap and a Secret of namespace ``argocd`` by name, as they are now.
    """

    def __init__(
        self,
        lab_token: str,
        access: Access,
        clock: Clock,
        *,
        config_map: Callable[[str], Object | None],
        secret: Callable[[str], Object | None],
    ) -> None:
        self._lab_token, self.access, self._clock = lab_token.encode(), access, clock
        self._config_map, self._secret = config_map, secret

    def owner(self) -> Caller:
        """Whoever has the lab folder."""
        return Caller(self.access, Claims({"iss": tokens.ISSUER, "sub": local.ADMIN}), owner=True)

    def of(self, token: str) -> Caller:
        """Who shows that token; `Unauthorized` where it is nobody's. Without one: a guest, if these are welcome."""
        given = token.strip()
        if not given:
            return self._guest()
        if self.is_lab_token(given):
            return self.owner()
        return self.again(tokens.verify(given, self.key(), self._clock.now()))

    def again(self, claims: Claims) -> Caller:
        """The same for claims that were verified before: is their account, role or token still there?"""
        tokens.check_times(claims, self._clock.now())
        role = claims.subject.startswith("proj:")
        known = self.access.listed(claims) if role else self._of_account(claims)
        return Caller(self.access, known, shown=claims)

    def is_lab_token(self, token: str) -> bool:
        """Whether it is the lab's own token."""
        return hmac.compare_digest(token.strip().encode(), self._lab_token)

    def accounts(self) -> dict[str, Account]:
        """The local accounts by name."""
        return local.accounts(self._config_map(SETTINGS), self._secret(local.SECRET))

    def is_set(self, setting: str) -> bool:
        """Whether a setting of ``argocd-cm`` is ``"true"``."""
        return ((self._config_map(SETTINGS) or {}).get("data") or {}).get(setting) == "true"

    def key(self) -> bytes:
        """What tokens are signed with; `Unauthorized` where there is none, and so no genuine token."""
        found = local.secret_data(self._secret(local.SECRET)).get(local.KEY, "")
        if not found:
            raise tokens.refused(f"Secret {local.SECRET} has no {local.KEY}, so no token is genuine")
        return found.encode()

    def _guest(self) -> Caller:
        if self.is_set("users.anonymous.enabled"):
            return Caller(self.access, Claims())
        raise Unauthorized(
            "no session information",
            fix="Send `Authorization: Bearer TOKEN`: labkit account generate-token, or labkit login.",
        )

    def _of_account(self, claims: Claims) -> Claims:
        name, _, capability = claims.subject.partition(":")
        capability = capability or local.LOGIN
        account = self.accounts().get(name)
        if account is None:
            raise tokens.refused(f"there is no account {name}")
        if not account.enabled:
            raise tokens.refused(f"account {name} is disabled")
        if capability not in account.capabilities:
            raise tokens.refused(f"account {name} does not have '{capability}' capability")
        identity = claims.raw.get("jti")
        if not isinstance(identity, str) or not identity:
            raise tokens.refused("it has no id")
        if capability == local.API_KEY and not account.has_token(identity):
            raise tokens.refused(f"account {name} does not have token with id {identity}")
        issued = claims.raw.get("iat")
        changed = account.password_set
        if changed and (not isinstance(issued, int) or issued < int(changed.timestamp())):
            raise tokens.refused("account password has changed since token issued")
        return Claims({**claims.raw, "sub": name})
