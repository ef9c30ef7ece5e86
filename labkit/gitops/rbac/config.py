"""``argocd-rbac-cm``: the policy, what everybody may do, which claims are groups, what a pattern is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.errors import ManifestError
from labkit.gitops.rbac.policy import GLOB, REGEX, InvalidPolicy, Policy
from labkit.k8s.yaml import load

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_MAP = "argocd-rbac-cm"
SCOPES = ("groups",)


@dataclass(frozen=True)
class Config:
    """The ConfigMap, read."""

    policy: Policy = field(default_factory=Policy)
    default_role: str = ""
    scopes: tuple[str, ...] = SCOPES
    mode: str = GLOB

    @classmethod
    def parse(cls, data: Mapping[str, str], where: str = CONFIG_MAP) -> Config:
        """From ``data``: ``policy.csv`` first, then every other ``policy.*.csv`` by name. `InvalidPolicy`."""
        mode = data.get("policy.matchMode") or GLOB
        if mode not in (GLOB, REGEX):
            raise InvalidPolicy(
                f"there is no match mode {mode!r}", where=f"{where}: policy.matchMode", fix="glob or regex"
            )
        policy = Policy()
        for name in policy_keys(data):
            policy += Policy.parse(data[name] or "", f"{where}: {name}", mode)
        scopes = _scopes(data.get("scopes") or "", f"{where}: scopes")
        return cls(policy, (data.get("policy.default") or "").strip(), scopes, mode)


def policy_keys(data: Mapping[str, str]) -> list[str]:
    """The keys that hold a policy, in the order in which they count."""
    found = [key for key in data if key.startswith("policy.") and key.endswith(".csv")]
    return sorted(found, key=lambda key: (key != "policy.csv", key))


def _scopes(text: str, where: str) -> tuple[str, ...]:
    if not text.strip():
        return SCOPES
    try:
        found = load(text)
    except ManifestError:
        found = None
    if not isinstance(found, list) or not all(isinstance(scope, str) for scope in found):
        raise InvalidPolicy(f"{text!r} is no list of claims", where=where, fix="scopes: '[groups, email]'")
    return tuple(found)
