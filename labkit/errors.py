"""Every error of the lab, in one tree.

A person reads these, so each says three things: what failed, where (a file and line, a field, a URL), and
what to do next. What the Kubernetes API answers is an `ApiError`: it carries the API's own ``Status``.

::

    LabError
    ├── SettingsError            the lab folder: missing, damaged, from a newer version
    ├── ManifestError            YAML that does not parse, or is not a Kubernetes object
    ├── GitError
    │   ├── RepositoryNotFound       nothing at that URL, or no such repository in the lab
    │   ├── RepositoryUnreachable    the Git host does not answer
    │   ├── AuthenticationRequired   the Git host wants a credential, or refuses the one it got
    │   ├── RevisionNotFound         no such branch, tag or commit
    │   ├── PathNotFound             the revision has no such file or folder
    │   ├── MergeConflict            both sides changed the same lines
    │   └── PullRequestError         a pull request that cannot be what was asked
    │       └── PullRequestNotFound      the repository has none of that number
    ├── RepositoryBusy           a repository's host takes long, and enough wait for it already
    ├── HelmError
    │   ├── ChartError               the chart itself: Chart.yaml, a dependency, a link that leads out
    │   ├── ValuesError              values that are not YAML, or that the chart's schema refuses
    │   ├── RenderError              a template that fails, or renders something that is not YAML
    │   ├── RenderLimit              a render that took too long or too much memory
    │   ├── ReleaseError             a release: its install, upgrade, rollback, test or removal failed
    │   │   └── ReleaseNotFound          no release, or no revision, of that name
    │   └── ChartRepositoryError     a chart repository or registry that does not give what was asked
    │       ├── ChartNotFound            it has no such chart, or none in that range of versions
    │       └── LoginRequired            it wants a credential, or refuses the one it got
    ├── ClusterError
    │   ├── ClusterUnreachable       the API server does not answer
    │   ├── ConfirmationRequired     a write to a cluster that is not the lab's own
    │   ├── ProviderUnavailable      a tool that this kind of cluster needs is not installed
    │   └── ApiError                 the API answered with a Status that is not Success
    │       ├── BadRequest (400) Unauthorized (401) Forbidden (403) NotFound (404)
    │       │   └── NoSuchKind           the server has no such kind at all (its CRD may be missing)
    │       ├── MethodNotAllowed (405) NotAcceptable (406) AlreadyExists (409) Conflict (409)
    │       └── Gone (410) TooLarge (413) UnsupportedMediaType (415) Invalid (422) TooManyRequests (429)
    ├── ApplicationError
    │   ├── ApplicationNotFound
    │   ├── SyncFailed               the operation ended Failed or Error
    │   ├── RollbackRefused          automated sync is on
    │   └── WaitTimeout              the state waited for was not reached in time
    ├── ServiceError
    │   ├── ServiceNotRunning        `labkit up` has not been run for this lab folder
    │   └── PortTaken                somebody else listens there
    └── LessonError
"""

from __future__ import annotations

from typing import Any, ClassVar

JSON = dict[str, Any]


class LabError(Exception):
    """What failed, where, and what to do next.

    ``problem`` is one sentence; ``where`` names the file (and line), field or URL; ``fix`` is the next step
    for the person who reads it. No secret may be in any of the three.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\nFix: {self.fix}" if self.fix else ""
        return f"{place}{self.problem}{advice}"


class SettingsError(LabError):
    """The lab folder is missing, damaged, or was made by a newer version."""


class ManifestError(LabError):
    """A document is not YAML, or not a Kubernetes object."""


class GitError(LabError):
    """Git could not do what was asked."""


class RepositoryNotFound(GitError):
    """There is no repository at that address."""


class RepositoryBusy(LabError):
    """A repository's host takes long, and enough callers wait for it already: come again in a moment."""


class RepositoryUnreachable(GitError):
    """The Git host does not answer."""


class AuthenticationRequired(GitError):
    """The Git host wants a credential, or refuses the one it was given."""


class RevisionNotFound(GitError):
    """The repository has no such branch, tag or commit."""


class PathNotFound(GitError):
    """The revision has no such file or folder."""


class MergeConflict(GitError):
    """Both sides changed the same lines."""


class PullRequestError(GitError):
    """A pull request cannot be opened, reviewed or merged as asked."""


class PullRequestNotFound(PullRequestError):
    """The repository has no pull request of that number."""


class HelmError(LabError):
    """Helm could not do what was asked."""


class ChartError(HelmError):
    """The chart cannot be loaded: its metadata, a dependency, or a path that leads out of it."""


class ValuesError(HelmError):
    """Values that are not YAML, or that the chart's schema refuses."""


class RenderError(HelmError):
    """A template failed, or what it rendered is not a manifest."""


class RenderLimit(HelmError):
    """A render took more time or memory than it may."""


class ReleaseError(HelmError):
    """A release could not be installed, upgraded, rolled back, tested or removed."""


class ReleaseNotFound(ReleaseError):
    """There is no release, or no revision of it, of that name."""


class ChartRepositoryError(HelmError):
    """A chart repository or registry does not answer, or answers with what cannot be used."""


class ChartNotFound(ChartRepositoryError):
    """The chart repository has no such chart, or none in that range of versions."""


class LoginRequired(ChartRepositoryError):
    """The chart repository wants a credential, or refuses the one it was given."""


class ClusterError(LabError):
    """A cluster could not be used."""


class ClusterUnreachable(ClusterError):
    """The API server does not answer."""


class ConfirmationRequired(ClusterError):
    """The cluster is not the lab's own; a person has to agree to a write first."""


class ProviderUnavailable(ClusterError):
    """A command that this kind of cluster needs is not installed."""


class ApplicationError(LabError):
    """An Application could not be used."""


class ApplicationNotFound(ApplicationError):
    """There is no Application of that name."""


class SyncFailed(ApplicationError):
    """The sync operation ended in Failed or Error."""


class RollbackRefused(ApplicationError):
    """An Application with automated sync cannot be rolled back."""


class WaitTimeout(ApplicationError):
    """The state that was waited for was not reached in time."""

    exit_code = 20  # what `argocd app wait` exits with when its timeout is over


class ServiceError(LabError):
    """The lab's background service could not be used."""


class ServiceNotRunning(ServiceError):
    """No service runs for this lab folder."""


class PortTaken(ServiceError):
    """Another program listens on that port."""


class LessonError(LabError):
    """A lesson could not be laid out or checked."""


class ApiError(ClusterError):
    """A Kubernetes API call that did not succeed, with the API's ``Status`` (meta/v1).

    Raised on both sides: by the sandbox, which turns it into the answer's body, and by the client, which
    made it from one. `code` is the HTTP status, `reason` the machine-readable ``StatusReason``.
    """

    code: int = 500
    reason: str = "InternalError"

    def __init__(self, message: str, *, details: JSON | None = None, where: str = "", fix: str = "") -> None:
        super().__init__(message, where=where, fix=fix)
        self.details: JSON = details or {}

    @property
    def message(self) -> str:
        """The API server's own words."""
        return self.problem

    def status(self) -> JSON:
        """The ``Status`` object that stands for this error on the wire."""
        body: JSON = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body["message"] = self.message
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        return body | {"code": self.code}

    @staticmethod
    def from_status(status: JSON, *, where: str = "") -> ApiError:
        """The error that a ``Status`` stands for; an unknown reason or code becomes a plain `ApiError`."""
        code, reason = int(status.get("code") or 500), str(status.get("reason") or "")
        kinds = _API_ERRORS
        found = next((k for k in kinds if (k.code, k.reason) == (code, reason)), None) or next(
            (k for k in kinds if k.code == code and not reason), ApiError
        )
        error = found(
            str(status.get("message") or reason or code), details=status.get("details"), where=where
        )
        if found is ApiError:
            error.code, error.reason = code, reason  # this one answer's own
        return error


class BadRequest(ApiError):
    """400: the request itself makes no sense."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """401: no credential, or one that the server does not know."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    """403: known, but not allowed."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    """404: no such object, or no such resource."""

    code, reason = 404, "NotFound"


class NoSuchKind(NotFound):
    """404: the server does not have the kind in that version; a CustomResourceDefinition may be missing."""


class MethodNotAllowed(ApiError):
    """405: the resource does not have this verb."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    """406: the server cannot answer in any media type that the client takes."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    """409: an object of that name is there."""

    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    """409: somebody else wrote first, or owns the field."""

    code, reason = 409, "Conflict"


class Gone(ApiError):
    """410: that resource version is no longer in the server's history; list again."""

    code, reason = 410, "Expired"


class TooLarge(ApiError):
    """413: the request is larger than the server reads."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    """415: the body is in a form that the server does not read."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    """422: the object breaks a rule; ``details.causes`` names each field."""

    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    """429: come back later (also: a disruption budget forbids an eviction)."""

    code, reason = 429, "TooManyRequests"


_API_ERRORS: tuple[type[ApiError], ...] = (
    BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict,
    Gone, TooLarge, UnsupportedMediaType, Invalid, TooManyRequests,
)  # fmt: skip
