"""What Helm says when something fails in a cluster, made into errors that say what to do next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.errors import HelmError, ReleaseError, ReleaseNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WORDS = 800
_OBJECT = re.compile(r"object (?:[^/\s]*/)?(?P<name>\S+) \S+, Kind=(?P<kind>\w+)")


@dataclass(frozen=True)
class About:
    """Which release, and where: the words of a fix name them."""

    name: str
    namespace: str

    @property
    def where(self) -> str:
        """The release as an error names it."""
        return f"release {self.name} in namespace {self.namespace}" if self.name else self.namespace

    def command(self, verb: str) -> str:
        """A command of the lab's about this release."""
        flag = "" if self.namespace == "default" else f" -n {self.namespace}"
        return f"labkit release {verb} {self.name}{flag}"


# Helm's words, what they mean, and what to do. The first that fits counts.
_KNOWN: tuple[tuple[str, type[HelmError], str, Callable[[About], str]], ...] = (
    (
        r"release: not found|release name .*: release: not found",
        ReleaseNotFound,
        "there is no such release, or it has no such revision",
        lambda a: f"labkit release list -A shows all of them, {a.command('history')} the revisions of one",
    ),
    (
        r"cannot reuse a name that is still in use|cannot re-?use a name",
        ReleaseError,
        "a release of that name is there already",
        lambda a: f"change it with {a.command('upgrade')}, or choose another name",
    ),
    (
        r"another operation \(install/upgrade/rollback\) is in progress",
        ReleaseError,
        "an operation on it has not ended: one is running, or one was cut off and left the release pending",
        lambda a: (
            f"if none runs: {a.command('rollback')} to the revision before, or {a.command('uninstall')} "
            "if there was none"
        ),
    ),
    (
        r"has no deployed releases",
        ReleaseError,
        "no revision of it was ever deployed, so there is nothing to upgrade from",
        lambda a: (
            f"install it: {a.command('install')} CHART, or add --install; "
            f"if its first installation failed, {a.command('uninstall')} before that"
        ),
    ),
    (
        r"has no (?P<revision>\d+) version|release has no \d+ version",
        ReleaseNotFound,
        "it has no such revision",
        lambda a: f"{a.command('history')} lists them",
    ),
    (
        r"namespaces \"(?P<namespace>[^\"]+)\" not found|create: failed to create: namespaces",
        ReleaseError,
        "the namespace is not there",
        lambda a: "add --create-namespace, or create it: kubectl create namespace " + a.namespace,
    ),
    (
        r"invalid ownership metadata",
        ReleaseError,
        "an object of that name is there already, and belongs to something else",
        lambda _: "choose another release name; or, if it is yours to take, --take-ownership",
    ),
    (
        r"no matches for kind|ensure CRDs are installed first",
        ReleaseError,
        "the chart has a kind that this cluster does not know",
        lambda _: "install its CustomResourceDefinition first",
    ),
    (
        r"kubernetes cluster unreachable|connection refused|no such host",
        ReleaseError,
        "the cluster does not answer",
        lambda _: "start the lab: labkit up (labkit doctor tells more)",
    ),
    (
        r"(?P<event>pre|post)-(?:install|upgrade|rollback|delete) hooks failed|hooks? failed",
        ReleaseError,
        "a hook of the chart failed",
        lambda a: (
            f"see what it said: kubectl -n {a.namespace} get jobs,pods, then kubectl logs; "
            f"{a.command('get hooks')} shows them"
        ),
    ),
    (
        r"field is immutable",
        ReleaseError,
        "the cluster never changes that field of an object that is there",
        lambda a: (
            f"leave it as it was (a selector needs no version); or {a.command('uninstall')} and install anew"
        ),
    ),
    (
        r"failed to create typed patch object|is invalid: |error validating",
        ReleaseError,
        "the cluster refuses an object that the chart renders",
        lambda _: (
            "correct the template, or the value that it uses; `kubectl explain` knows each kind's fields"
        ),
    ),
    (
        r"context deadline exceeded|timed out waiting|not ready|resources? still (?:in progress|not ready)",
        ReleaseError,
        "not everything was ready in time",
        lambda a: (
            f"look at the pods: kubectl -n {a.namespace} get pods,events; give it longer with --timeout"
        ),
    ),
    (
        r"(?:Unauthorized|is forbidden)",
        ReleaseError,
        "the cluster does not permit that",
        lambda _: "the credential of this kubeconfig may not do it",
    ),
)


def named_object(words: str) -> tuple[str, str] | None:
    """Kind and name of the object that Helm's words are about, if they name one."""
    found = _OBJECT.search(words)
    return (found["kind"], found["name"]) if found else None


def explain(words: str, about: About, source: str = "") -> HelmError:
    """The error that Helm's words stand for; they are kept, because they name the object.

    ``source`` is the template that the object came from, if that is known.
    """
    text = " ".join(words.split())
    shown = text if len(text) <= MOST_WORDS else f"{text[:MOST_WORDS]}…"
    for pattern, kind, problem, fix in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(f"{problem}\n  Helm: {shown}", where=source or about.where, fix=fix(about))
    return ReleaseError(
        shown or "it failed, and Helm does not say why",
        where=source or about.where,
        fix=f"{about.command('status')} and {about.command('history')} tell how it stands",
    )
