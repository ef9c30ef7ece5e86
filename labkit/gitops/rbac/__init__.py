"""Who may do what: Argo CD's RBAC, on Casbin as there, with its CSV and its ConfigMap ``argocd-rbac-cm``.

A request is four words: subject, resource, action, object. A policy's rules are the same four, as patterns, with
``allow`` or ``deny``. Some rule must allow, and none may deny; only what ``policy.default`` allows is allowed
whatever else is said.

Source of the rules: util/rbac and server/rbacpolicy in Argo CD.
"""

from labkit.gitops.rbac.access import Access
from labkit.gitops.rbac.callers import Caller, Callers
from labkit.gitops.rbac.claims import Claims, Judge
from labkit.gitops.rbac.config import CONFIG_MAP, Config
from labkit.gitops.rbac.enforcer import Decision, Enforcer
from labkit.gitops.rbac.policy import ACTIONS, RESOURCES, InvalidPolicy, Policy

__all__ = [
    "ACTIONS",
    "CONFIG_MAP",
    "RESOURCES",
    "Access",
    "Caller",
    "Callers",
    "Claims",
    "Config",
    "Decision",
    "Enforcer",
    "InvalidPolicy",
    "Judge",
    "Policy",
]
