"""``lab.repos["shop"].pulls``: pull requests on the lab's Git host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from labkit.views import pull as views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labkit.lab.service_client import ServiceClient
    from labkit.views import View

JSON = dict[str, Any]


class Pull:
    """One pull request. It holds no state: each question is asked of the Git host when you ask it."""

    def __init__(self, service: ServiceClient, path: str, number: int) -> None:
        self._service, self._path, self.number = service, f"{path}/{number}", number

    # -- what is asked, and how it stands

    @property
    def facts(self) -> JSON:
        """All of it, as the Git host tells it: title, head, base, state, reviews, comments, commits …"""
        found: JSON = self._service.get(self._path)
        return found

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.facts["title"])

    @property
    def state(self) -> str:
        """``open``, ``merged`` or ``closed``."""
        return str(self.facts["state"])

    @property
    def url(self) -> str:
        """Its page on the lab's Git host."""
        return str(self.facts["url"])

    @property
    def approvals(self) -> list[str]:
        """Who approves of its newest commit."""
        return list(self.facts["approvals"])

    @property
    def diff(self) -> View:
        """What its branch changes in the sources."""
        return views.source_diff(self._service.get(f"{self._path}/diff")["text"])

    @property
    def applications(self) -> list[JSON]:
        """What a merge would change in each application that follows the base, object by object."""
        found: list[JSON] = self._service.get(f"{self._path}/rendered")["applications"]
        return found

    @property
    def rendered(self) -> View:
        """The same as a difference of manifests."""
        return views.rendered_diff(self.applications)

    @property
    def check_results(self) -> list[JSON]:
        """What machines looked at: ``{name, passed, says, details}`` each."""
        found: list[JSON] = self._service.get(f"{self._path}/checks")["items"]
        return found

    @property
    def checks(self) -> View:
        """The same as a table, with what stands against a merge."""
        found = self._service.get(f"{self._path}/checks")
        return views.checks(found["items"], found["obstacles"])

    # -- what can be done with it

    def comment(self, body: str, *, by: str = "", path: str = "", line: int = 0) -> Pull:
        """Say something, on a line of a file or on the whole."""
        return self._act("comments", body=body, by=by, path=path, line=line)

    def approve(self, *, by: str = "", body: str = "") -> Pull:
        """Approve of its newest commit; not of one's own request."""
        return self._act("reviews", verdict="approved", by=by, body=body)

    def request_changes(self, body: str, *, by: str = "") -> Pull:
        """Say what has to change before it can be merged."""
        return self._act("reviews", verdict="changes-requested", by=by, body=body)

    def merge(self, *, method: str = "merge", by: str = "", delete_branch: bool = False) -> Pull:
        """Make it part of its base, by ``merge`` or ``squash``; `PullRequestError` says what stands against it."""
        return self._act("merge", method=method, by=by, delete_branch=delete_branch)

    def close(self) -> Pull:
        """Give it up; its branch stays."""
        return self._act("close")

    def _act(self, part: str, **said: Any) -> Pull:
        self._service.post(f"{self._path}/{part}", said)
        return self

    def __repr__(self) -> str:
        return views.pull(self.facts).text

    def _repr_html_(self) -> str:
        return views.pull(self.facts)._repr_html_()


class Pulls:
    """The pull requests of one repository: open one, find one by its number, go through the open ones."""

    def __init__(self, service: ServiceClient, repository: str) -> None:
        self._service = service
        self._path = f"/api/v1/repositories/{quote(repository, safe='')}/pulls"

    def open(self, head: str, *, base: str = "", title: str = "", body: str = "", by: str = "") -> Pull:
        """Ask that branch ``head`` become part of ``base`` (the default branch).

        The title is that of the last commit unless given. ``by`` is who asks: the trainee, unless said otherwise.
        """
        said = {"head": head, "base": base, "title": title, "body": body, "by": by}
        return self[self._service.post(self._path, said)["number"]]

    def all(self, state: str = "all") -> list[Pull]:
        """Those in a state (``open``, ``merged``, ``closed``, ``all``), newest first."""
        return [Pull(self._service, self._path, item["number"]) for item in self._items(state)]

    def items(self, state: str = "open") -> list[JSON]:
        """The same as the Git host tells them."""
        return self._items(state)

    def __getitem__(self, number: int) -> Pull:
        pull = Pull(self._service, self._path, number)
        pull.facts  # noqa: B018  # says which there are, if there is none of that number
        return pull

    def __iter__(self) -> Iterator[Pull]:
        return iter(self.all("open"))

    def __len__(self) -> int:
        return len(self._items("open"))

    def __repr__(self) -> str:
        return views.pulls(self._items("all")).text

    def _repr_html_(self) -> str:
        return views.pulls(self._items("all"))._repr_html_()

    def _items(self, state: str) -> list[JSON]:
        found: list[JSON] = self._service.get(f"{self._path}?state={quote(state, safe='')}")["items"]
        return found
