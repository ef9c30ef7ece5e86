"""From what a person says (``--sync-policy automated --helm-set replicas=2``) to an Application's spec.

One function builds and changes it, for a notebook's keywords and the command's flags alike. What is not said
stays as it is, so ``app set`` is ``app create`` on what is there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from labkit.errors import LabError
from labkit.gitops.api.options import KNOWN_SYNC_OPTIONS

IN_CLUSTER = "https://kubernetes.default.svc"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
POLICIES = {"automated": True, "auto": True, "automatic": True, "none": False, "manual": False, "": False}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class Wishes:
    """What a person asked for; `None` and empty mean that nothing was said."""

    repo: str | None = None
    path: str | None = None
    chart: str | None = None  # of a chart repository, in place of a path
    revision: str | None = None
    server: str | None = None
    cluster: str | None = None  # the destination by name, instead of `server`
    namespace: str | None = None
    project: str | None = None
    automated: bool | None = None
    prune: bool | None = None
    self_heal: bool | None = None
    allow_empty: bool | None = None
    sync_options: Sequence[str] = ()
    retry_limit: int | None = None
    value_files: Sequence[str] = ()
    values: str | Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | Sequence[str] = ()
    string_parameters: Mapping[str, Any] | Sequence[str] = ()
    release_name: str | None = None
    recurse: bool | None = None
    history_limit: int | None = None
    labels: Mapping[str, str] | Sequence[str] = ()
    annotations: Mapping[str, str] | Sequence[str] = ()

    def meaning(self, address: Callable[[str], str]) -> Wishes:
        """The same, with the repository's address instead of what it is called here."""
        return replace(self, repo=address(self.repo)) if self.repo and not self.chart else self

    @property
    def anything(self) -> bool:
        """Whether anything was said at all."""
        return any(getattr(self, f.name) not in (None, (), [], {}, "") for f in fields(self))


def new(name: str, wishes: Wishes) -> dict[str, Any]:
    """A new Application in namespace ``argocd``; deleting it deletes what it deployed, unless told otherwise."""
    if not wishes.repo:
        raise LabError("an application needs a repository", where="--repo", fix="labkit repo list -o wide")
    if not _NAME.fullmatch(name):
        raise LabError(
            f"an application cannot be called {name!r}",
            where="metadata.name",
            fix="Use lower-case letters, digits, '-' and '.', and begin and end with a letter or a digit (RFC 1123).",
        )
    application: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "finalizers": [FINALIZER]},
        "spec": {
            "project": "default",
            "source": {"repoURL": "", "path": ".", "targetRevision": "HEAD"},
            "destination": {"namespace": name},
        },
    }
    if not wishes.cluster:
        application["spec"]["destination"]["server"] = IN_CLUSTER
    return changed(application, wishes)


def changed(application: dict[str, Any], wishes: Wishes) -> dict[str, Any]:
    """``application`` with what was asked for; the object given is changed and returned."""
    spec = application.setdefault("spec", {})
    source = spec.setdefault("source", {})
    destination = spec.setdefault("destination", {})
    _put(source, repoURL=wishes.repo, path=wishes.path, chart=wishes.chart, targetRevision=wishes.revision)
    if wishes.chart and wishes.path is None:
        source.pop("path", None)
        if source.get("targetRevision") == "HEAD":
            del source["targetRevision"]  # of a chart it is a version, and must be said
    _put(spec, project=wishes.project, revisionHistoryLimit=wishes.history_limit)
    _put(destination, namespace=wishes.namespace)
    if wishes.server or wishes.cluster:  # one names the cluster, never both
        destination.pop("name", None), destination.pop("server", None)
        _put(destination, server=wishes.server, name=wishes.cluster)
    if wishes.recurse is not None:
        source.setdefault("directory", {})["recurse"] = wishes.recurse
    _helm(source, wishes)
    _policy(spec, wishes)
    for field, given in (("labels", wishes.labels), ("annotations", wishes.annotations)):
        if given:
            application["metadata"].setdefault(field, {}).update(_pairs(given, f"--{field[:-1]}"))
    return application


def _helm(source: dict[str, Any], wishes: Wishes) -> None:
    helm = dict(source.get("helm") or {})
    _put(helm, releaseName=wishes.release_name)
    if wishes.value_files:
        helm["valueFiles"] = list(wishes.value_files)
    if isinstance(wishes.values, str):
        helm["values"] = wishes.values
        helm.pop("valuesObject", None)
    elif wishes.values:
        helm["valuesObject"] = dict(wishes.values)
        helm.pop("values", None)
    for given, as_string in ((wishes.parameters, False), (wishes.string_parameters, True)):
        for name, value in _pairs(given, "--helm-set-string" if as_string else "--helm-set").items():
            _set_parameter(helm, name, value, as_string=as_string)
    if helm:
        source["helm"] = helm


def _set_parameter(helm: dict[str, Any], name: str, value: str, *, as_string: bool) -> None:
    others = [p for p in helm.get("parameters") or [] if p.get("name") != name]
    parameter = {"name": name, "value": value} | ({"forceString": True} if as_string else {})
    helm["parameters"] = [*others, parameter]


def _policy(spec: dict[str, Any], wishes: Wishes) -> None:
    policy = dict(spec.get("syncPolicy") or {})
    flags = {"prune": wishes.prune, "selfHeal": wishes.self_heal, "allowEmpty": wishes.allow_empty}
    said = {name: flag for name, flag in flags.items() if flag is not None}
    if wishes.automated is False:
        policy.pop("automated", None)
    if any(said.values()) and wishes.automated is not True and "automated" not in policy:
        raise LabError(
            f"{', '.join(said)} belong to automated sync, which is off",
            where="spec.syncPolicy.automated",
            fix="Add --sync-policy automated (in a notebook: automated=True).",
        )
    if wishes.automated or (said and "automated" in policy):
        policy["automated"] = dict(policy.get("automated") or {}) | said
    if wishes.sync_options:
        policy["syncOptions"] = _options(policy.get("syncOptions") or [], wishes.sync_options)
    if wishes.retry_limit is not None:
        policy["retry"] = dict(policy.get("retry") or {}) | {"limit": wishes.retry_limit}
    if policy:
        spec["syncPolicy"] = policy
    else:
        spec.pop("syncPolicy", None)


def _options(known: Sequence[str], given: Sequence[str]) -> list[str]:
    """As ``argocd app set``: ``A=b`` replaces another value of ``A``; ``!A=b`` takes it away."""
    options = list(known)
    for option in given:
        name, equals, _ = option.removeprefix("!").partition("=")
        if not equals:
            raise LabError(
                f"{option!r} is not NAME=VALUE", where="--sync-option", fix="For example CreateNamespace=true"
            )
        if name not in KNOWN_SYNC_OPTIONS:
            near = difflib.get_close_matches(name, KNOWN_SYNC_OPTIONS, 1, cutoff=0.5) or [
                ", ".join(KNOWN_SYNC_OPTIONS)
            ]
            raise LabError(
                f"there is no sync option {name!r}: the controller would pass it over in silence",
                where="--sync-option",
                fix=f"Did you mean {near[0]}?",
            )
        options = [o for o in options if o.partition("=")[0] != name]
        if not option.startswith("!"):
            options.append(option)
    return options


def _pairs(given: Mapping[str, Any] | Sequence[str], where: str) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {str(name): _word(value) for name, value in given.items()}
    pairs = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not name or not equals:
            raise LabError(f"{item!r} is not NAME=VALUE", where=where, fix="For example replicas=2")
        pairs[name] = value
    return pairs


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _put(target: dict[str, Any], **values: Any) -> None:
    target.update({name: value for name, value in values.items() if value is not None})
