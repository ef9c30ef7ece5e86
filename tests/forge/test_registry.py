"""The lab's registry: the distribution specification as Helm's and oras' clients ask for it, and what it refuses."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import urllib3
from chart_server import archives
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from labkit.errors import ChartNotFound, ChartRepositoryError, LoginRequired
from labkit.forge.charts import chart_apps
from labkit.git import Credential
from labkit.helm import Chart
from labkit.helm.repositories import Access, ChartRepository

LOGIN = Credential("trainee", "s3cret-t0ken/with:odd@signs")
ACCESS = Access(LOGIN.username, LOGIN.password)
VERSIONS = ["0.1.0", "0.2.0", "0.3.0-rc.1+build.5"]
needs_helm = pytest.mark.skipif(shutil.which("helm") is None, reason="no `helm` command here")


@pytest.fixture
def host(tmp_path: Path, serve) -> str:
    apps = chart_apps(tmp_path / "registry", tmp_path / "repos", credentials=[LOGIN])
    port = serve(Starlette(routes=[Mount(path, app=app) for path, app in apps.items()]))
    return f"127.0.0.1:{port}"


@pytest.fixture
def packed(tmp_path: Path) -> list[Path]:
    return archives(tmp_path, VERSIONS)


@pytest.fixture
def helm(tmp_path: Path):
    """The real helm, with a home of its own."""
    home = {
        name: str(tmp_path / "helm-home" / name) for name in ("HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HOME")
    }

    def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [shutil.which("helm") or "helm", *map(str, arguments)]
        done = subprocess.run(command, env=home, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


class Client:
    """Plain requests, as the specification writes them."""

    def __init__(self, host: str, login: Credential | None = LOGIN) -> None:
        self.base = f"http://{host}"
        self.headers = {"Authorization": login.header()} if login else {}
        self.pool = urllib3.PoolManager()

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str):
        fields = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("http") else self.base + path
        answer = self.pool.request(method, url, body=body, headers=fields, redirect=False, retries=False)
        answer.code = code_of(answer)
        return answer


def code_of(answer) -> str:
    try:
        return str(json.loads(answer.data)["errors"][0]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def sha(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


# -- the lab's own client


def test_a_pushed_chart_comes_back_as_it_was(host: str, packed, tmp_path: Path) -> None:
    repository = ChartRepository(f"oci://{host}/team", ACCESS)
    for archive in packed:
        reference, digest = repository.push(archive)
    assert reference == f"{host}/team/web:0.3.0-rc.1_build.5"
    assert digest.startswith("sha256:")
    assert repository.versions("web") == VERSIONS[::-1]
    assert repository.resolve("web") == "0.2.0"
    fetched = repository.fetch("web", "0.1.x", tmp_path / "cache")
    assert fetched.read_bytes() == packed[0].read_bytes()
    assert Chart.load(repository.fetch("web", VERSIONS[2], tmp_path / "cache")).version == VERSIONS[2]


def test_a_repository_may_name_the_chart_itself(host: str, packed, tmp_path: Path) -> None:
    ChartRepository(f"oci://{host}/team", ACCESS).push(packed[0])
    whole = ChartRepository(f"{host}/team/web", ACCESS)
    assert whole.resolve(wanted="0.1") == "0.1.0"
    assert whole.fetch("", "0.1.0", tmp_path / "cache").name == "web-0.1.0.tgz"


def test_what_is_private_wants_the_login(host: str, packed, tmp_path: Path) -> None:
    ChartRepository(f"oci://{host}/team", ACCESS).push(packed[0])
    for access, said in ((Access(), "wants a login"), (Access("trainee", "no"), "does not let this user")):
        with pytest.raises(LoginRequired, match=said):
            ChartRepository(f"oci://{host}/team", access).fetch("web", "", tmp_path)
        with pytest.raises(LoginRequired):
            ChartRepository(f"oci://{host}", access).check()
        with pytest.raises(LoginRequired):
            ChartRepository(f"oci://{host}/public", access).push(packed[0])


def test_what_is_public_is_read_without_a_login(host: str, packed, tmp_path: Path) -> None:
    ChartRepository(f"oci://{host}/public", ACCESS).push(packed[0])
    assert ChartRepository(f"oci://{host}/public").fetch("web", "", tmp_path).exists()


def test_what_is_not_there_is_said(host: str, packed, tmp_path: Path) -> None:
    repository = ChartRepository(f"oci://{host}/team", ACCESS)
    with pytest.raises(ChartNotFound, match="team/web"):
        repository.resolve("web", "^1")
    repository.push(packed[0])
    with pytest.raises(ChartNotFound, match=r"in the range '\^1'.*\n.*There are: 0.1.0"):
        repository.resolve("web", "^1")
    with pytest.raises(ChartNotFound, match=r"has no team/web:7\.0\.0"):
        repository.fetch("web", "7.0.0", tmp_path)


def test_a_provenance_file_travels_with_its_chart(host: str, packed, helm, tmp_path: Path) -> None:
    repository = ChartRepository(f"oci://{host}/public", ACCESS)
    proof = packed[0].with_name(f"{packed[0].name}.prov")
    proof.write_text("signed, one should think")
    repository.push(packed[0])
    repository.push(packed[1])
    assert repository.provenance("web", "0.1.0") == b"signed, one should think"
    assert repository.provenance("web", "0.2.0") is None
    if shutil.which("helm"):
        got = tmp_path / "got"
        got.mkdir()
        helm("pull", f"oci://{host}/public/web", "--version", "0.1.0", "--plain-http", "--prov", "-d", got)
        assert (got / "web-0.1.0.tgz.prov").read_text() == "signed, one should think"


def test_a_chart_is_not_pushed_to_a_folder_of_files() -> None:
    with pytest.raises(ChartRepositoryError, match="a folder of files"):
        ChartRepository("http://127.0.0.1:9/charts").push(Path("web-0.1.0.tgz"))


def test_what_was_pushed_is_there_after_a_restart(tmp_path: Path, serve, packed, host: str) -> None:
    ChartRepository(f"oci://{host}/team", ACCESS).push(packed[0])
    begun = Client(host)("POST", "/v2/team/web/blobs/uploads/").headers["Location"]
    apps = chart_apps(tmp_path / "registry", tmp_path / "repos", credentials=[LOGIN])
    again = f"127.0.0.1:{serve(Starlette(routes=[Mount('/v2', app=apps['/v2'])]))}"
    assert ChartRepository(f"oci://{again}/team", ACCESS).versions("web") == ["0.1.0"]
    assert Client(again)("PATCH", begun, b"x").code == "BLOB_UPLOAD_UNKNOWN"


class Guard:
    """A registry that wants a token, as most big ones do; and that may send other bytes than it was given."""

    def __init__(self, app, changes: bytes = b"") -> None:
        self.app, self.changes, self.scopes = app, changes, []

    async def __call__(self, scope, receive, send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        if scope["path"] == "/token":
            self.scopes.append(scope["query_string"].decode())
            known = given == ACCESS.authorization
            return await JSONResponse({"token": "t0ken"}, 200 if known else 401)(scope, receive, send)
        if given != "Bearer t0ken":
            host = dict(scope["headers"])[b"host"].decode()
            challenge = {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="lab"'}
            return await Response(status_code=401, headers=challenge)(scope, receive, send)

        async def changed(message) -> None:
            if message.get("body") and "/blobs/sha256" in scope["path"] and self.changes:
                message = message | {"body": message["body"][: -len(self.changes)] + self.changes}
            await send(message)

        kept = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        login = (b"authorization", ACCESS.authorization.encode())
        return await self.app({**scope, "headers": [*kept, login]}, receive, changed)


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    apps = chart_apps(tmp_path / "guarded", tmp_path / "repos", credentials=[LOGIN])
    return Guard(Starlette(routes=[Mount("/v2", app=apps["/v2"])]))


def test_a_registry_that_wants_a_token_gets_one(guard: Guard, serve, packed, tmp_path: Path) -> None:
    repository = ChartRepository(f"oci://127.0.0.1:{serve(guard)}/team", ACCESS)
    repository.push(packed[0])
    assert repository.fetch("web", "0.1", tmp_path / "cache").read_bytes() == packed[0].read_bytes()
    assert guard.scopes == [
        "service=lab&scope=repository%3Ateam%2Fweb%3Apull%2Cpush",
        "service=lab&scope=repository%3Ateam%2Fweb%3Apull",
    ]


def test_a_token_is_refused_to_a_wrong_password(guard: Guard, serve) -> None:
    access = Access(LOGIN.username, "wr0ng")
    with pytest.raises(LoginRequired) as refused:
        ChartRepository(f"oci://127.0.0.1:{serve(guard)}/team", access).versions("web")
    assert "wr0ng" not in str(refused.value)


def test_bytes_other_than_the_digest_promises_are_refused(guard: Guard, serve, packed, tmp_path) -> None:
    repository = ChartRepository(f"oci://127.0.0.1:{serve(guard)}/team", ACCESS)
    repository.push(packed[0])
    guard.changes = b"evil"
    with pytest.raises(ChartRepositoryError, match="not what its digest promises"):
        repository.fetch("web", "0.1.0", tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.tgz"))


# -- the real helm


@needs_helm
def test_helm_logs_in_pushes_and_pulls(host: str, packed, helm, tmp_path: Path) -> None:
    login = ("registry", "login", host, "--plain-http", "-u", LOGIN.username, "-p")
    assert helm(*login, "wrong", check=False).returncode != 0
    helm(*login, LOGIN.password)
    pushed = helm("push", packed[1], f"oci://{host}/team", "--plain-http")
    assert f"{host}/team/web:0.2.0" in pushed.stderr + pushed.stdout
    helm("push", packed[2], f"oci://{host}/team", "--plain-http")
    (tmp_path / "got").mkdir()
    helm("pull", f"oci://{host}/team/web", "--version", "^0.2", "--plain-http", "-d", tmp_path / "got")
    assert (tmp_path / "got" / "web-0.2.0.tgz").read_bytes() == packed[1].read_bytes()
    shown = helm("show", "chart", f"oci://{host}/team/web", "--version", ">0.2.0-0", "--plain-http").stdout
    assert "0.3.0-rc.1+build.5" in shown
    helm("registry", "logout", host)
    refused = helm("pull", f"oci://{host}/team/web", "--version", "0.2.0", "--plain-http", check=False)
    assert "basic credential not found" in refused.stderr


@needs_helm
def test_what_helm_pushed_the_lab_pulls_and_the_other_way_round(host: str, packed, helm, tmp_path) -> None:
    helm("registry", "login", host, "--plain-http", "-u", LOGIN.username, "-p", LOGIN.password)
    helm("push", packed[0], f"oci://{host}/public", "--plain-http")
    mine = ChartRepository(f"oci://{host}/public")
    assert mine.fetch("web", "0.1.0", tmp_path / "cache").read_bytes() == packed[0].read_bytes()
    ChartRepository(f"oci://{host}/public", ACCESS).push(packed[1])
    helm("registry", "logout", host)
    printed = helm(
        "template", "demo", f"oci://{host}/public/web", "--version", "0.2.x", "--plain-http"
    ).stdout
    assert "it: '0.2.0'" in printed
    manifest = Client(host)("GET", "/v2/public/web/manifests/0.2.0").json()
    theirs = Client(host)("GET", "/v2/public/web/manifests/0.1.0").json()
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        layer["mediaType"] for layer in theirs["layers"]
    ]
    assert manifest["annotations"] == {
        name: value.replace("0.1.0", "0.2.0")
        for name, value in theirs["annotations"].items()
        if not name.endswith(".created")
    }


# -- oras


def test_oras_pushes_and_pulls_an_artifact(host: str, tmp_path: Path, monkeypatch) -> None:
    oras = pytest.importorskip("oras.client")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notes.txt").write_text("an artifact")
    client = oras.OrasClient(hostname=host, insecure=True, auth_backend="basic")
    client.auth.set_basic_auth(LOGIN.username, LOGIN.password)
    client.push(target=f"{host}/team/notes:1", files=["notes.txt"], disable_path_validation=True)
    assert client.get_tags(f"{host}/team/notes") == ["1"]
    (pulled,) = client.pull(target=f"{host}/team/notes:1", outdir=str(tmp_path / "got"))
    assert Path(pulled).read_text() == "an artifact"


# -- the specification, by hand


def test_a_blob_is_uploaded_in_one_request_or_in_pieces(host: str) -> None:
    ask, data = Client(host), b"0123456789" * 1000
    one = ask("POST", f"/v2/a/b/blobs/uploads/?digest={sha(data)}", data)
    assert (one.status, one.headers["Docker-Content-Digest"]) == (201, sha(data))
    session = ask("POST", "/v2/a/c/blobs/uploads/").headers["Location"]
    first = ask("PATCH", session, data[:4000], Content_Range="0-3999")
    assert (first.status, first.headers["Range"]) == (202, "0-3999")
    assert ask("PATCH", session, data[:4000], Content_Range="0-3999").status == 416
    assert ask("GET", session).headers["Range"] == "0-3999"
    done = ask("PUT", f"{session}?digest={sha(data)}", data[4000:])
    assert done.status == 201
    assert ask("GET", done.headers["Location"]).data == data
    head = ask("HEAD", f"/v2/a/c/blobs/{sha(data)}")
    assert (head.status, head.headers["Content-Length"], head.data) == (200, "10000", b"")


def test_a_blob_that_is_another_than_promised_is_refused_and_forgotten(host: str, tmp_path: Path) -> None:
    ask = Client(host)
    wrong = ask("POST", f"/v2/a/b/blobs/uploads/?digest={sha(b'one')}", b"other")
    assert (wrong.status, wrong.code) == (400, "DIGEST_INVALID")
    assert ask("GET", f"/v2/a/b/blobs/{sha(b'one')}").code == "BLOB_UNKNOWN"
    assert [path for path in (tmp_path / "registry").rglob("*") if path.is_file()] == []


def test_a_blob_is_handed_out_by_the_repositories_that_have_it_only(host: str) -> None:
    ask, stranger, data = Client(host), Client(host, None), b"a secret chart"
    ask("POST", f"/v2/team/web/blobs/uploads/?digest={sha(data)}", data)
    assert stranger("GET", f"/v2/public/web/blobs/{sha(data)}").code == "BLOB_UNKNOWN"
    assert stranger("GET", f"/v2/team/web/blobs/{sha(data)}").code == "UNAUTHORIZED"
    mounted = ask("POST", f"/v2/public/web/blobs/uploads/?mount={sha(data)}&from=team/web")
    assert mounted.status == 201
    assert stranger("GET", f"/v2/public/web/blobs/{sha(data)}").data == data
    absent = ask("POST", f"/v2/public/web/blobs/uploads/?mount={sha(b'no')}&from=team/web")
    assert (absent.status, absent.headers["Location"].split("/")[-2]) == (202, "uploads")


def test_a_manifest_wants_its_blobs_first(host: str) -> None:
    ask = Client(host)
    part = {"mediaType": "text/plain", "digest": sha(b"x"), "size": 1}
    body = json.dumps({"schemaVersion": 2, "config": part, "layers": [part]}).encode()
    assert ask("PUT", "/v2/a/b/manifests/1", body).code == "MANIFEST_BLOB_UNKNOWN"
    ask("POST", f"/v2/a/b/blobs/uploads/?digest={sha(b'x')}", b"x")
    assert ask("PUT", "/v2/a/b/manifests/1", body, Content_Type="application/x").status == 201
    got = ask("GET", f"/v2/a/b/manifests/{sha(body)}")
    assert (got.data, got.headers["Content-Type"]) == (body, "application/x")
    assert ask("PUT", f"/v2/a/b/manifests/{sha(b'?')}", body).code == "DIGEST_INVALID"


def test_tags_come_in_pages(host: str, packed) -> None:
    ask = Client(host)
    for archive in packed:
        ChartRepository(f"oci://{host}/team", ACCESS).push(archive)
    first = ask("GET", "/v2/team/web/tags/list?n=2")
    assert first.json() == {"name": "team/web", "tags": ["0.1.0", "0.2.0"]}
    following = first.headers["Link"].partition(">")[0].strip("<")
    assert ask("GET", following).json()["tags"] == ["0.3.0-rc.1_build.5"]
    assert ask("GET", "/v2/_catalog").json() == {"repositories": ["team/web"]}


def test_an_artifact_is_found_by_what_it_refers_to(host: str, packed) -> None:
    ask = Client(host)
    _, chart = ChartRepository(f"oci://{host}/team", ACCESS).push(packed[0])
    part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha(b"{}"), "size": 2}
    ask("POST", f"/v2/team/web/blobs/uploads/?digest={sha(b'{}')}", b"{}")
    note = {
        "schemaVersion": 2,
        "artifactType": "note/x",
        "config": part,
        "layers": [],
        "subject": {"digest": chart},
    }
    made = ask("PUT", f"/v2/team/web/manifests/{sha(json.dumps(note).encode())}", json.dumps(note).encode())
    assert made.headers["OCI-Subject"] == chart
    (found,) = ask("GET", f"/v2/team/web/referrers/{chart}?artifactType=note/x").json()["manifests"]
    assert found["artifactType"] == "note/x"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("DELETE", "team/web/manifests/1", 405, "UNSUPPORTED"),
        ("DELETE", f"team/web/blobs/{sha(b'')}", 405, "UNSUPPORTED"),
        ("GET", "team/web/blobs/sha256:abc", 400, "DIGEST_INVALID"),
        ("GET", "team/web/manifests/-", 400, "TAG_INVALID"),
        ("GET", "Team/web/manifests/1", 400, "NAME_INVALID"),
        ("GET", "team/../etc/tags/list", 400, "NAME_INVALID"),
        ("GET", "team/_tags/manifests/1", 400, "NAME_INVALID"),
        ("GET", "nothing/tags/list", 404, "NAME_UNKNOWN"),
        ("GET", "team", 404, "UNSUPPORTED"),
        ("PUT", "team/web/manifests/1", 400, "MANIFEST_INVALID"),
        ("PATCH", "team/web/blobs/uploads/../../x", 404, "UNSUPPORTED"),
        ("PATCH", "team/web/blobs/uploads/abc", 404, "BLOB_UPLOAD_UNKNOWN"),
    ],
)
def test_what_makes_no_sense_gets_the_specifications_answer(host, method, path, status, code) -> None:
    # urllib3 would tidy `..` away, and we want to see it arrive
    answer = Client(host)(method, f"/v2/{path.replace('..', '%2e%2e')}", b"")
    assert (answer.status, answer.code) == (status, code)


def test_an_upload_can_be_given_up(host: str, tmp_path: Path) -> None:
    ask = Client(host)
    session = ask("POST", "/v2/a/b/blobs/uploads/").headers["Location"]
    assert ask("DELETE", session).status == 204
    assert ask("GET", session).code == "BLOB_UPLOAD_UNKNOWN"
    assert list((tmp_path / "registry" / "uploads").iterdir()) == []
