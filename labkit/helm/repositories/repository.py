"""One chart repository: which versions there are, which of them a range means, and the archive itself."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from labkit.errors import ChartError, ChartNotFound, ChartRepositoryError, LoginRequired
from labkit.helm.files import ChartFiles
from labkit.helm.metadata import read_metadata
from labkit.helm.reading import Budget, read_archive, read_regular
from labkit.helm.repositories import oci
from labkit.helm.repositories.access import OCI, Access, locate
from labkit.helm.repositories.index import MOST_BYTES, ChartVersion, Index, no_version
from labkit.helm.repositories.web import Answer, Web, same_host, shown
from labkit.versions import Range, is_exact, known, newest

NO_ACCESS = Access()
MOST_PROVENANCE = 2**20
_NAME = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")


class ChartRepository:
    """A chart repository at ``https://HOST/PATH``, or a registry at ``oci://HOST/PATH`` (or just ``HOST/PATH``).

    A credential in the URL is taken out of it and never shown. All methods raise `ChartRepositoryError`:
    `ChartNotFound` and `LoginRequired` are two of them. With a registry, ``chart`` may be empty: then the URL
    itself ends in the chart's name.
    """

    def __init__(self, url: str, access: Access = NO_ACCESS) -> None:
        self._place, self._access = locate(url, access)
        self._web = Web(self._access)
        self._registry = oci.Registry(self._place, self._access) if self._place.is_oci else None
        self._index: Index | None = None
        self._etag = ""

    def __repr__(self) -> str:
        return f"ChartRepository({self.url})"

    @property
    def url(self) -> str:
        """The address, without a credential."""
        return str(self._place)

    @property
    def is_oci(self) -> bool:
        """Whether this is a registry."""
        return self._place.is_oci

    def close(self) -> None:
        """Close the idle connections."""
        self._web.close()
        if self._registry:
            self._registry.close()

    def charts(self) -> dict[str, tuple[ChartVersion, ...]]:
        """Every chart of the repository with its versions, the highest first. A registry does not tell."""
        if self._registry:
            raise ChartRepositoryError(
                "a registry does not say which charts it has",
                where=self.url,
                fix="ask for one of them by its name: labkit chart show chart oci://HOST/PATH/NAME",
            )
        return self._fresh_index().charts

    def versions(self, chart: str = "") -> list[str]:
        """The versions of a chart that there are, the highest first."""
        if self._registry is None:
            return self._fresh_index().all_versions(chart, self.url)
        tags = [tag.replace("_", "+") for tag in self._registry.tags(self._artifact(chart))]
        return [str(version) for version in reversed(known(tags))]

    def resolve(self, chart: str = "", wanted: str = "") -> str:
        """The exact version that a range means now: the highest in it. Nothing means the highest release.

        An exact version of a registry is taken as it stands; whether it is there shows when it is fetched.
        """
        if self._registry is None:
            return self._fresh_index().find(chart, wanted, self.url).version
        if is_exact(wanted):
            return wanted
        Range(wanted or "*")  # a text that is none is told before anybody is asked
        there = self.versions(chart)
        found = newest(there, wanted)
        if found is None:
            raise no_version(chart or self._place.path, there, wanted, self.url)
        return found

    def fetch(self, chart: str, version: str, cache: Path) -> Path:
        """The chart's archive, in the folder ``cache``: ``…/NAME-VERSION.tgz``, complete, and checked.

        ``version`` may be a range. What is in the cache already, with the digest that the repository says, is
        not fetched again.
        """
        exact = self.resolve(chart, version)
        if self._registry:
            return self._fetch_artifact(self._registry, self._artifact(chart), exact, cache)
        entry = self._known_index().find(_checked(chart), exact, self.url)
        url = self._archive_url(entry)
        if urlsplit(url).scheme == OCI:
            name, _, tag = url.rpartition(":")
            return ChartRepository(name, self._for(url)).fetch("", tag.replace("_", "+"), cache)
        kept = self._kept(cache, chart, entry.version, entry.digest)
        if _is_whole(kept, entry.digest):
            return kept
        data = self._download(url, oci.MOST_CHART)
        if entry.digest and hashlib.sha256(data).hexdigest() != entry.digest:
            raise ChartRepositoryError(
                f"the archive of {chart} {entry.version} is not the one that the index promises: another digest",
                where=shown(url),
                fix="the repository's index is out of date, or the archive was changed: ask who keeps it",
            )
        return _keep(kept, data, shown(url))

    def provenance(self, chart: str, version: str) -> bytes | None:
        """The signed provenance file beside a chart's archive, None if there is none."""
        exact = self.resolve(chart, version)
        if self._registry:
            name = self._artifact(chart)
            layer = _layer(self._registry.manifest(name, oci.tag_of(exact)), oci.PROVENANCE)
            return self._registry.blob(name, layer) if layer else None
        url = self._archive_url(self._known_index().find(_checked(chart), exact, self.url)) + ".prov"
        try:
            return self._download(url, MOST_PROVENANCE)
        except ChartNotFound:
            return None

    def push(self, archive: Path) -> tuple[str, str]:
        """Put a packaged chart into the registry, as its name and version say, its ``.prov`` beside it too.

        Returns the reference (``HOST/PATH/NAME:TAG``) and the digest, the two that ``helm push`` prints.
        """
        if self._registry is None:
            raise ChartRepositoryError(
                "an HTTP chart repository is a folder of files: nothing can be pushed to it",
                where=self.url,
                fix="put the archive into its folder and write the index anew: labkit chart repo index FOLDER",
            )
        if archive.is_dir():
            raise ChartError(
                "this is a chart's folder, and a registry takes a packaged chart",
                where=str(archive),
                fix=f"labkit chart package {archive}, then push the .tgz that it makes",
            )
        data = read_regular(archive, str(archive), oci.MOST_CHART)
        metadata = read_metadata(ChartFiles.read(archive))
        layers = {oci.CHART: data}
        signed = archive.with_name(f"{archive.name}.prov")
        if signed.exists():
            layers[oci.PROVENANCE] = read_regular(signed, str(signed), MOST_PROVENANCE)
        name, tag = self._artifact(metadata.name), oci.tag_of(metadata.version)
        config = json.dumps(metadata.raw).encode()
        digest = self._registry.push(name, tag, config, layers, oci.annotated(metadata.raw))
        return f"{self._place.host}/{name}:{tag}", digest

    def check(self) -> None:
        """Ask whether the repository is there and takes the credential."""
        if self._registry:
            self._registry.check()
        else:
            self._fresh_index()

    def _artifact(self, chart: str) -> str:
        name = "/".join(part for part in (self._place.path, chart.strip("/")) if part)
        return locate(f"{OCI}://{self._place.host}/{name}", NO_ACCESS)[0].path

    def _fetch_artifact(self, registry: oci.Registry, name: str, version: str, cache: Path) -> Path:
        manifest = registry.manifest(name, oci.tag_of(version))
        digest = _layer(manifest, oci.CHART)
        if not digest:
            raise ChartRepositoryError(
                "this is no chart: the artifact has no layer with one",
                where=f"{OCI}://{self._place.host}/{name}:{version}",
                fix="an image has the same form as a chart's artifact; check the path",
            )
        kept = self._kept(cache, name.rpartition("/")[2], version, digest.removeprefix("sha256:"))
        if _is_whole(kept, digest.removeprefix("sha256:")):
            return kept
        return _keep(kept, registry.blob(name, digest), f"{OCI}://{self._place.host}/{name}:{version}")

    def _known_index(self) -> Index:
        return self._index or self._fresh_index()

    def _fresh_index(self) -> Index:
        """The index as it is now; one that has not changed since is not sent again."""
        url = self._address("index.yaml")
        headers = {"If-None-Match": self._etag} if self._index and self._etag else {}
        answer = self._web.request(
            "GET", url, authorization=self._access.authorization, headers=headers, most=MOST_BYTES
        )
        if answer.status == 304 and self._index:
            return self._index
        _check_status(answer, url, self._access)
        self._index = Index.parse(answer.body.decode("utf-8", "replace"), shown(url))
        self._etag = answer.headers.get("etag", "")
        return self._index

    def _address(self, file: str) -> str:
        query = f"?{self._place.query}" if self._place.query else ""
        return f"{self._place}/{file}{query}"

    def _archive_url(self, entry: ChartVersion) -> str:
        if not entry.urls:
            raise ChartRepositoryError(
                f"the index names no address for {entry.name} {entry.version}", where=self.url
            )
        url = urljoin(f"{self._place}/", entry.urls[0])
        if urlsplit(url).scheme == OCI:
            return url
        if same_host(urlsplit(url), urlsplit(self.url)) and not urlsplit(url).query and self._place.query:
            url = f"{url}?{self._place.query}"
        locate(url, self._access)  # may that address be asked at all?
        if self.url.startswith("https:") and not url.startswith("https:"):
            raise ChartRepositoryError(
                "the index leads from https to http, which is not followed",
                where=shown(url),
                fix="the repository's index must name https addresses, or relative ones",
            )
        return url

    def _for(self, url: str) -> Access:
        """What may be shown to the server of ``url``: the credential only if it is the repository's own."""
        mine = self._access.pass_credentials or same_host(urlsplit(url), urlsplit(self.url))
        return self._access if mine else replace(self._access, username="", password="")

    def _download(self, url: str, most: int) -> bytes:
        access = self._for(url)
        answer = self._web.request("GET", url, authorization=access.authorization, most=most)
        _check_status(answer, url, access)
        return answer.body

    def _kept(self, cache: Path, chart: str, version: str, digest: str) -> Path:
        key = hashlib.sha256(f"{self.url}\0{digest}".encode()).hexdigest()[:24]
        return cache / key / f"{chart}-{version}.tgz"


def unpack(archive: Path, folder: Path) -> Path:
    """Lay a chart's archive out as ``folder/NAME``; nothing in it is a link, and nothing leads out.

    `ChartError` if it is no chart, or if the folder is there already.
    """
    files = ChartFiles.read(archive)
    name = read_metadata(files).name
    target = folder / name
    if target.exists():
        raise ChartError(
            "this folder is already there", where=str(target), fix="remove it, or choose another"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as aside:
        return replace(files, source=Path(name)).stage(Path(aside)).rename(target)


def _layer(manifest: dict[str, object], kind: str) -> str:
    layers = manifest.get("layers")
    found = [
        str(layer.get("digest", ""))
        for layer in (layers if isinstance(layers, list) else [])
        if isinstance(layer, dict) and layer.get("mediaType") == kind
    ]
    return found[0] if found and re.fullmatch(r"sha256:[0-9a-f]{64}", found[0]) else ""


def _checked(chart: str) -> str:
    if not _NAME.fullmatch(chart):
        raise ChartNotFound(
            f"{chart!r} is not a chart's name", where="chart", fix="it has letters, digits, - . and _ only"
        )
    return chart


def _check_status(answer: Answer, url: str, access: Access) -> None:
    if answer.status == 200:
        return
    if answer.status in {401, 403}:
        given = bool(access.authorization)
        raise LoginRequired(
            "the repository does not accept this user and password"
            if given
            else "the repository wants a login",
            where=shown(url),
            fix="give a user name and a password that it knows",
        )
    if answer.status == 404:
        raise ChartNotFound(
            "there is nothing at this address", where=shown(url), fix="check the repository's address"
        )
    raise ChartRepositoryError(
        f"the repository answers {answer.status}",
        where=shown(url),
        fix="check the address, or try again later",
    )


def _is_whole(file: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == digest if digest else file.is_file()
    except OSError:
        return False


def _keep(file: Path, data: bytes, where: str) -> Path:
    """Write an archive, once it is known to be one; the file is there whole or not at all."""
    read_archive(data, where, Budget(where))
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=file.parent, prefix=".fetched-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        Path(aside).replace(file)
    finally:
        Path(aside).unlink(missing_ok=True)
    return file
