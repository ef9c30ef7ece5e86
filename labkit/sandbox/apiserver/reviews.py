"""Questions instead of objects: may I, may they, what may I, who am I, whose token is this?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labkit.errors import BadRequest, Unauthorized
from labkit.sandbox.apiserver import field_errors
from labkit.sandbox.apiserver.field_errors import bad, forbidden
from labkit.sandbox.apiserver.requests import User
from labkit.sandbox.apiserver.routing import Attributes

if TYPE_CHECKING:
    from labkit.sandbox.apiserver.api import Api

JSON = dict[str, Any]

GROUPS: Final = ("authentication.k8s.io", "authorization.k8s.io")


class Reviews:
    """Answers them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._answers = {
            "SelfSubjectAccessReview": self._self_access,
            "SubjectAccessReview": self._access,
            "LocalSubjectAccessReview": self._access,
            "SelfSubjectRulesReview": self._rules,
            "SelfSubjectReview": self._who,
            "TokenReview": self._token,
        }

    def answer(self, kind: str, review: JSON, user: User, namespace: str) -> JSON:
        """The review with its status.  Raises `Invalid`."""
        spec = review.get("spec") or {}
        if namespace and kind == "LocalSubjectAccessReview":
            asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
            if asked != namespace:
                text = f"must match metadata.namespace: {namespace}"
                raise _invalid("spec.resourceAttributes.namespace", asked, text)
        review["status"] = self._answers[kind](spec, user)
        return review

    def _self_access(self, spec: JSON, user: User) -> JSON:
        return self._decide(spec, user)

    def _access(self, spec: JSON, user: User) -> JSON:  # noqa: ARG002
        if not spec.get("user") and not spec.get("groups"):
            raise _invalid(
                "spec.user", spec.get("user", ""), "at least one of user or group must be specified"
            )
        who = User(
            spec.get("user", ""),
            tuple(spec.get("groups") or ()),
            spec.get("uid", ""),
            spec.get("extra") or {},
        )
        return self._decide(spec, who)

    def _decide(self, spec: JSON, user: User) -> JSON:
        resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if (resource is None) == (path is None):
            text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            if resource is None:
                raise _invalid("spec.resourceAttributes", None, text)
            error = forbidden(
                "spec.nonResourceAttributes", "cannot be specified in combination with resourceAttributes"
            )
            raise field_errors.invalid("authorization.k8s.io", "", "", [error])
        if resource is not None:
            asked = Attributes(
                verb=resource.get("verb", ""),
                group=resource.get("group", ""),
                version=resource.get("version", ""),
                resource=resource.get("resource", ""),
                subresource=resource.get("subresource", ""),
                namespace=resource.get("namespace", ""),
                name=resource.get("name", ""),
            )
        else:
            said = path or {}
            asked = Attributes(verb=said.get("verb", ""), path=said.get("path", ""))
        allowed, reason = self._api.authorizer.allows(user, asked)
        return {"allowed": allowed, **({"reason": reason} if reason else {})}

    def _rules(self, spec: JSON, user: User) -> JSON:
        namespace = spec.get("namespace", "")
        if not namespace:
            raise _invalid("spec.namespace", "", "no namespace on request")
        resources, paths = [], []
        for rule in self._api.authorizer.rules_of(user, namespace):
            if rule.get("nonResourceURLs"):
                paths.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
            else:
                keys = ("verbs", "apiGroups", "resources", "resourceNames")
                resources.append({key: rule[key] for key in keys if rule.get(key)})
        return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}

    def _who(self, spec: JSON, user: User) -> JSON:  # noqa: ARG002
        return {"userInfo": user_info(user)}

    def _token(self, spec: JSON, user: User) -> JSON:  # noqa: ARG002
        if not spec.get("token"):
            raise BadRequest("token is required for TokenReview in authentication")
        try:
            found = self._api.authenticator.bearer(spec["token"])
        except Unauthorized:
            return {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
        audiences = spec.get("audiences")
        return {
            "authenticated": True,
            "user": user_info(found),
            **({"audiences": audiences} if audiences else {}),
        }


def user_info(user: User) -> JSON:
    """A user as the API shows it."""
    info: JSON = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
    return {key: value for key, value in info.items() if value}


def _invalid(path: str, value: Any, text: str) -> Exception:
    return field_errors.invalid("authorization.k8s.io", "", "", [bad(path, value, text)])
