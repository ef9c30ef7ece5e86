"""A registry as Helm uses one: charts are artifacts, versions are tags (OCI distribution specification 1.1).

A chart is a manifest with a config (its ``Chart.yaml`` as JSON), one layer that is the ``.tgz``, and perhaps one
that is its provenance file. A tag has no ``+``, so Helm writes ``_`` in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from labkit.errors import ChartNotFound, ChartRepositoryError, LoginRequired
from labkit.helm.repositories.access import is_loopback
from labkit.helm.repositories.web import Answer, Web, same_host, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.helm.repositories.access import Access, Place

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"
MOST_MANIFEST = 4 * 2**20  # what the specification lets a registry refuse from
MOST_CHART = 64 * 2**20
MOST_PAGES = 100
_PARAMETER = re.compile(r'([a-zA-Z_]+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


def tag_of(version: str) -> str:
    """The tag that stands for a version."""
    return version.replace("+", "_")


def digest_of(data: bytes) -> str:
    """The name of a blob: what it hashes to."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def annotated(metadata: Mapping[str, Any]) -> dict[str, str]:
    """What registries show of a chart, as Helm writes it (``pkg/registry/chart.go``)."""
    sources = metadata.get("sources")
    said = {
        "title": metadata.get("name"),
        "version": metadata.get("version"),
        "description": metadata.get("description"),
        "url": metadata.get("home"),
        "source": sources[0] if isinstance(sources, list) and sources else None,
    }
    return {f"org.opencontainers.image.{key}": str(value) for key, value in said.items() if value}


class Registry:
    """One registry, with one credential. ``name`` in its methods is an artifact's path: ``charts/web``."""

    def __init__(self, place: Place, access: Access) -> None:
        self._access = access
        self._host = place.host
        tls = access.ca or access.insecure_skip_tls_verify
        here = is_loopback(urlsplit(f"//{place.host}").hostname or "")
        self._base = f"{'http' if access.plain_http or (here and not tls) else 'https'}://{place.host}/v2/"
        self._web = Web(access)
        self._authorization: dict[str, str] = {}  # by scope

    def close(self) -> None:
        """Close the idle connections."""
        self._web.close()

    def check(self) -> None:
        """Ask whether the registry takes the credential; `LoginRequired` if not."""
        answer = self._ask("GET", self._base, scope="")
        if answer.status != 200:
            raise self._refused(answer, self._base)

    def tags(self, name: str) -> list[str]:
        """All tags of an artifact; `ChartNotFound` if there is none of that name."""
        url, found = f"{self._base}{name}/tags/list?n=1000", []
        for _ in range(MOST_PAGES):
            answer = self._get(url, name, most=MOST_MANIFEST)
            found += [str(tag) for tag in _object(answer, url).get("tags") or ()]
            follows = _NEXT.search(answer.headers.get("link", ""))
            if follows is None:
                break
            following = urljoin(url, follows[1])
            if not same_host(urlsplit(url), urlsplit(following)):
                break
            url = following
        return found

    def manifest(self, name: str, reference: str) -> dict[str, Any]:
        """A chart's manifest, by tag or digest; checked against the digest."""
        url = f"{self._base}{name}/manifests/{reference}"
        answer = self._get(url, name, headers={"Accept": MANIFEST}, most=MOST_MANIFEST)
        wanted = reference if ":" in reference else answer.headers.get("docker-content-digest", "")
        _check(answer.body, wanted, url)
        return _object(answer, url)

    def blob(self, name: str, digest: str) -> bytes:
        """A blob, checked against its digest."""
        url = f"{self._base}{name}/blobs/{digest}"
        answer = self._get(url, name, most=MOST_CHART)
        _check(answer.body, digest, url)
        return answer.body

    def push(
        self, name: str, tag: str, config: bytes, layers: Mapping[str, bytes], notes: Mapping[str, str]
    ) -> str:
        """Put an artifact there under a tag, blobs first; returns the manifest's digest."""
        parts = [self._uploaded(name, kind, data) for kind, data in [(CONFIG, config), *layers.items()]]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": parts[0],
            "layers": parts[1:],
            "annotations": notes,
        }
        body = json.dumps(manifest, separators=(",", ":")).encode()
        url = f"{self._base}{name}/manifests/{quote(tag)}"
        self._write("PUT", url, name, body, MANIFEST)
        return digest_of(body)

    def _uploaded(self, name: str, kind: str, data: bytes) -> dict[str, Any]:
        digest = digest_of(data)
        url = f"{self._base}{name}/blobs/{digest}"
        there = self._ask("HEAD", url, scope=f"repository:{name}:pull,push")
        if there.status != 200:
            uploads = f"{self._base}{name}/blobs/uploads/"
            opened = self._write("POST", uploads, name, b"", "application/octet-stream")
            session = urljoin(uploads, opened.headers.get("location", ""))
            if not same_host(urlsplit(uploads), urlsplit(session)):
                raise ChartRepositoryError(
                    "the registry wants the upload at another host, which is not followed",
                    where=shown(uploads),
                    fix="check the registry's address",
                )
            mark = "&" if urlsplit(session).query else "?"
            target = f"{session}{mark}{urlencode({'digest': digest})}"
            self._write("PUT", target, name, data, "application/octet-stream")
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def _get(self, url: str, name: str, *, most: int, headers: Mapping[str, str] | None = None) -> Answer:
        answer = self._ask("GET", url, scope=f"repository:{name}:pull", headers=headers, most=most)
        if answer.status != 200:
            raise self._refused(answer, url)
        return answer

    def _write(self, method: str, url: str, name: str, body: bytes, kind: str) -> Answer:
        scope = f"repository:{name}:pull,push"
        answer = self._ask(method, url, scope=scope, headers={"Content-Type": kind}, body=body)
        if answer.status not in {201, 202, 204}:
            raise self._refused(answer, url)
        return answer

    def _ask(
        self,
        method: str,
        url: str,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int = MOST_MANIFEST,
    ) -> Answer:
        """One request; if the registry says how it wants to be asked, once more in that way."""
        for last in (False, True):
            authorization = self._authorization.get(scope, "")
            answer = self._web.request(
                method, url, authorization=authorization, headers=headers, body=body, most=most
            )
            if answer.status != 401 or last:
                break
            self._authorization[scope] = self._authorized(answer, scope, url)
        return answer

    def _authorized(self, answer: Answer, scope: str, url: str) -> str:
        kind, _, rest = answer.headers.get("www-authenticate", "").partition(" ")
        if kind.lower() == "basic" and self._access.authorization:
            return self._access.authorization
        if kind.lower() == "bearer":
            return self._token(dict(_PARAMETER.findall(rest)), scope)
        raise self._refused(answer, url)

    def _token(self, challenge: dict[str, str], scope: str) -> str:
        realm = urlsplit(challenge.get("realm", ""))
        near = is_loopback(realm.hostname or "") and self._base.startswith("http://")
        if realm.scheme != "https" and not near and not (self._access.plain_http and realm.scheme == "http"):
            raise ChartRepositoryError(
                f"the registry wants the login at {shown(realm.geturl())!r}, which is not https",
                where=self._host,
                fix="check the registry's address",
            )
        asked = {"service": challenge.get("service", ""), "scope": challenge.get("scope") or scope}
        query = urlencode({key: value for key, value in asked.items() if value})
        url = realm._replace(query="&".join(filter(None, (realm.query, query)))).geturl()
        answer = self._web.request("GET", url, authorization=self._access.authorization, most=MOST_MANIFEST)
        if answer.status != 200:
            raise self._refused(answer, url)
        found = _object(answer, url)
        return f"Bearer {found.get('token') or found.get('access_token') or ''}"

    def _refused(self, answer: Answer, url: str) -> ChartRepositoryError:
        where = shown(url)
        if answer.status in {401, 403}:
            given = bool(self._access.authorization)
            return LoginRequired(
                "the registry does not let this user do that" if given else "the registry wants a login",
                where=where,
                fix=f"give a user and a password that may: labkit chart registry login {self._host}",
            )
        if answer.status == 404:
            return ChartNotFound(
                f"the registry has nothing of that name{_words(answer)}",
                where=where,
                fix="check the chart's name and version; a registry's path ends in the chart's name",
            )
        return ChartRepositoryError(
            f"the registry answers {answer.status}{_words(answer)}", where=where, fix="check the address"
        )


def _words(answer: Answer) -> str:
    """The registry's own first words about an error, cut short."""
    try:
        first = json.loads(answer.body)["errors"][0]
        words = " ".join(str(first.get("message") or first.get("code") or "").split())
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    return f": {words[:200]}" if words else ""


def _object(answer: Answer, url: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ChartRepositoryError(
            "the answer is not a registry's", where=shown(url), fix="check the address"
        )
    return found


def _check(data: bytes, digest: str, url: str) -> None:
    kind, _, _rest = digest.partition(":")
    if kind == "sha256" and digest_of(data) != digest:
        raise ChartRepositoryError(
            "what the registry sent is not what its digest promises",
            where=shown(url),
            fix="try again; if it stays so, somebody on the way changes it, or the registry is damaged",
        )
