"""Who asks: a bearer token, a client certificate, or nobody; and whom an administrator plays.

The cluster's own token makes the trainee its administrator.  A service account's token is a JWT that this server
signed (`issue`); it holds as long as its time, its account and its pod do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

import orjson

from labkit.errors import Unauthorized
from labkit.sandbox.apiserver.requests import User

JSON = dict[str, Any]
Headers = Mapping[str, list[str]]

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ANONYMOUS: Final = User("system:anonymous", (UNAUTHENTICATED,))
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"


class Authenticator:
    """Knows the cluster's token and its own signature.

    `account` looks up a service account by namespace and name, and answers its uid or None.
    """

    def __init__(
        self, token: str, key: bytes, account: Callable[[str, str], str | None], now: Callable[[], datetime]
    ) -> None:
        self._token = token.encode()
        self._key = key
        self._account = account
        self._now = now
        self._admin = User("kubernetes-admin", ("kubeadm:cluster-admins", "system:masters", AUTHENTICATED))

    def user(self, headers: Headers, certificate: User | None = None) -> User:
        """The sender.  Raises `Unauthorized` for a credential that is none."""
        authorization = headers.get("authorization")
        if authorization:
            scheme, _, token = authorization[0].partition(" ")
            if scheme.lower() == "bearer" and token.strip():
                return self.bearer(token.strip())
        return certificate or ANONYMOUS

    def bearer(self, token: str) -> User:
        """Whose token it is.  Raises `Unauthorized`."""
        if hmac.compare_digest(token.encode(), self._token):
            return self._admin
        claims = self._verify(token)
        if claims is None:
            raise Unauthorized("Unauthorized")
        bound = claims["kubernetes.io"]
        namespace, account = bound["namespace"], bound["serviceaccount"]
        if self._account(namespace, account["name"]) != account["uid"]:
            raise Unauthorized("Unauthorized")
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        if "pod" in bound:
            extra["authentication.kubernetes.io/pod-name"] = [bound["pod"]["name"]]
            extra["authentication.kubernetes.io/pod-uid"] = [bound["pod"]["uid"]]
        return User(claims["sub"], service_account_groups(namespace), account["uid"], extra)

    def issue(
        self, namespace: str, name: str, uid: str, seconds: int, audiences: list[str], pod: JSON | None
    ) -> JSON:
        """A new token for a service account: the ``status`` of a TokenRequest."""
        now = self._now()
        expires = now + timedelta(seconds=seconds)
        bound: JSON = {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}
        if pod:
            bound["pod"] = pod
        claims = {
            "aud": audiences or [ISSUER],
            "exp": int(expires.timestamp()),
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "iss": ISSUER,
            "jti": hashlib.sha256(f"{uid}{now.timestamp()}".encode()).hexdigest()[:32],
            "kubernetes.io": bound,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        head = _encode(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
        body = f"{head}.{_encode(orjson.dumps(claims))}"
        return {
            "token": f"{body}.{_encode(self._sign(body))}",
            "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _sign(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()

    def _verify(self, token: str) -> JSON | None:
        body, _, signature = token.rpartition(".")
        try:
            if not body or not hmac.compare_digest(_decode(signature), self._sign(body)):
                return None
            claims: JSON = orjson.loads(_decode(body.partition(".")[2]))
        except ValueError:
            return None
        return claims if claims["exp"] > self._now().timestamp() else None


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of every service account of a namespace."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)


def impersonated(headers: Headers) -> User | None:
    """Whom the sender wants to be, by the ``Impersonate-*`` headers."""
    names = headers.get("impersonate-user")
    groups = headers.get("impersonate-group", [])
    if not names:
        return None
    name = names[0]
    if name.startswith("system:serviceaccount:") and not groups and name.count(":") == 3:
        groups = list(service_account_groups(name.split(":")[2]))
    if name != ANONYMOUS.name and AUTHENTICATED not in groups and UNAUTHENTICATED not in groups:
        groups = [*groups, AUTHENTICATED]
    if name == ANONYMOUS.name and UNAUTHENTICATED not in groups:
        groups = [*groups, UNAUTHENTICATED]
    uid = headers.get("impersonate-uid", [""])[0]
    extra = {
        unquote(header.removeprefix("impersonate-extra-")): values
        for header, values in headers.items()
        if header.startswith("impersonate-extra-")
    }
    return User(name, tuple(groups), uid, extra)


def impersonated_without_user(headers: Headers) -> str:
    """What the sender wants to be without saying who, as Go prints it; "" where nothing is wrong."""
    found = [f"{{Group  {group}    }}" for group in headers.get("impersonate-group", [])]
    for header, values in headers.items():
        if header.startswith("impersonate-extra-"):
            found += [
                f"{{UserExtra  {value}    {header.removeprefix('impersonate-extra-')}}}" for value in values
            ]
    found += [f"{{UID  {uid}    }}" for uid in headers.get("impersonate-uid", [])]
    return " ".join(found)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
