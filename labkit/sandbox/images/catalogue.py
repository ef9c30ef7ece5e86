"""The catalogue: which image behaves how, in which tags it exists, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from labkit.sandbox.images import registries
from labkit.sandbox.images.names import ImageName

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.images.program import Log, Program, Setting

ANY: Final = r"latest|stable|alpine|slim|.*\d.*"
SEMVER: Final = r"v?\d+\.\d+(\.\d+)?(-(alpine|slim|crash|slow|unhealthy|errors))?"
_VARIANT: Final = r"(-[a-z0-9.-]+)?"
_NGINX: Final = (
    rf"latest|stable|mainline|alpine|perl|1|(1\.(\d|1\d|2[0-9])(\.\d+)?|(stable|mainline|1|alpine)){_VARIANT}"
)
_GB: Final = "v[1-6]|latest"
_HELLO: Final = r"latest|[1-9](\.\d{1,2}){1,2}(-(crash|slow|unhealthy|errors))?"
_BUSYBOX: Final = rf"latest|stable|musl|glibc|uclibc|1(\.(2\d|3[0-7])(\.\d+)?)?{_VARIANT}"
_POSTGRES: Final = rf"latest|alpine|(9|1\d)(\.\d+){{0,2}}{_VARIANT}"
_MYSQL: Final = rf"latest|lts|innovation|[5-9](\.\d+){{0,2}}{_VARIANT}"
_MARIADB: Final = rf"latest|lts|1[0-2](\.\d+){{0,2}}{_VARIANT}"
_PODINFO: Final = r"latest|v?\d+\.\d+\.\d+"
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True)
class Entry:
    """A row of the catalogue: where the behaviour is, which tags there are, the size in megabytes, and a remark."""

    program: str
    tags: str = ANY
    megabytes: int = 40
    about: str = ""


_LAB = "labkit.sandbox.images"
_GUESTBOOK = "Kubernetes' guestbook"
_SHELL = "does what its command says"
CATALOGUE: Final[dict[str, Entry]] = {
    # the lab's own
    "gitops-lab/hello": Entry("hello:Hello", _HELLO, 8, "the application that the lab rolls out"),
    "gitops-lab/migrate": Entry("lessons:Migrate", SEMVER, 8, "a migration Job; FAIL=true makes it fail"),
    "gitops-lab/crash": Entry("lessons:Crash", SEMVER, 8, "ends with exit code 1"),
    "gitops-lab/slow": Entry("lessons:Slow", SEMVER, 8, "takes 15 s until it listens"),
    "gitops-lab/unready": Entry("lessons:Unready", SEMVER, 8, "never gets ready"),
    "gitops-lab/load": Entry("lessons:Load", SEMVER, 8, "a load generator: RATE requests a second to TARGET"),
    # shells
    "busybox": Entry("shell:Shell", _BUSYBOX, 2, _SHELL),
    "alpine": Entry("shell:Shell", r"latest|edge|3|3\.(\d|1\d|2[0-3])(\.\d+)?", 4, _SHELL),
    "debian": Entry("shell:Shell", ANY + r"|bookworm|bullseye|trixie|sid|testing|.*-slim", 48, _SHELL),
    "ubuntu": Entry("shell:Shell", ANY + r"|jammy|noble|focal|rolling", 30, _SHELL),
    "bash": Entry("shell:Shell", ANY, 6, _SHELL),
    "bitnami/kubectl": Entry("servers:Idle", ANY, 90, "ends well"),
    "curlimages/curl": Entry("podinfo:Curl", ANY, 9, "asks the cluster's Services; nobody outside"),
    # servers
    "nginx": Entry("servers:Nginx", _NGINX, 72, "its welcome page, or a mounted index.html"),
    "nginxinc/nginx-unprivileged": Entry("servers:NginxUnprivileged", _NGINX, 72, "nginx's page, on port 8080"),
    "httpd": Entry("servers:Httpd", rf"latest|alpine|2(\.[24](\.\d+)?)?{_VARIANT}", 57, "Apache's page"),
    "redis": Entry("servers:Redis", rf"latest|alpine|[4-8](\.\d+){{0,2}}{_VARIANT}", 45, "listens on 6379"),
    "valkey/valkey": Entry("servers:Redis", ANY, 45, "listens on 6379"),
    "bitnami/redis": Entry("servers:Redis", ANY, 45, "listens on 6379"),
    "postgres": Entry("servers:Postgres", _POSTGRES, 150, "wants POSTGRES_PASSWORD"),
    "mysql": Entry("servers:Mysql", _MYSQL, 230, "wants MYSQL_ROOT_PASSWORD"),
    "mariadb": Entry("servers:Mysql", _MARIADB, 120, "wants MARIADB_ROOT_PASSWORD"),
    "mongo": Entry("servers:Mongo", rf"latest|[4-8](\.\d+){{0,2}}{_VARIANT}", 270, "listens on 27017"),
    "memcached": Entry("servers:Memcached", ANY, 30, "listens on 11211"),
    "rabbitmq": Entry("servers:Rabbitmq", ANY + r"|management", 90, "listens on 5672 and 15672"),
    "registry.k8s.io/pause": Entry("servers:Pause", r"3\.\d+(\.\d+)?|latest", 1, "does nothing, for ever"),
    # examples of tutorials
    "ghcr.io/stefanprodan/podinfo": Entry("podinfo:Podinfo", _PODINFO, 25, "JSON about itself, on 9898"),
    "stefanprodan/podinfo": Entry("podinfo:Podinfo", _PODINFO, 25, "JSON about itself, on 9898"),
    "quay.io/argoprojlabs/argocd-e2e-container": Entry("servers:Guestbook", r"0\.[0-9]+", 20, "Argo CD's guestbook"),
    "gcr.io/google-samples/gb-frontend": Entry("servers:Guestbook", _GB, 130, _GUESTBOOK),
    "us-docker.pkg.dev/google-samples/containers/gke/gb-frontend": Entry("servers:Guestbook", _GB, 130, _GUESTBOOK),
    "gcr.io/heptio-images/ks-guestbook-demo": Entry("servers:Guestbook", r"0\.[1-9]", 25, "an older guestbook"),
    "registry.k8s.io/hpa-example": Entry("servers:Busy", ANY, 180, "each answer takes a lot of processor time"),
    "hashicorp/http-echo": Entry("servers:Echo", ANY, 4, "answers what -text= says"),
    "ealen/echo-server": Entry("servers:Echo", ANY, 30, "answers with its name"),
    "registry.k8s.io/echoserver": Entry("servers:Echo", ANY, 40, "answers with its name"),
    "registry.k8s.io/e2e-test-images/agnhost": Entry("servers:Echo", ANY, 50, "answers with its name"),
}  # fmt: skip


@dataclass(frozen=True)
class Image:
    """An image that can be pulled."""

    name: ImageName
    program: type[Program]
    size: int
    """In bytes."""
    known: bool
    """Whether the catalogue has it; else it idles."""

    @property
    def pull_seconds(self) -> float:
        """How long a node needs for it: a start, and its size at 100 MB a second."""
        return 0.2 + self.size / 100_000_000

    def start(self, setting: Setting, log: Log, wake: Callable[[], None] = lambda: None) -> Program:
        """A container of it."""
        return self.program(setting, log, wake)


@dataclass(frozen=True)
class Unpullable:
    """An image that cannot be."""

    reason: str
    """The state's reason: ErrImagePull, InvalidImageName."""
    message: str
    """What the node says."""


def find(text: str) -> Image | Unpullable:
    """The image that a manifest names, or why it cannot be had."""
    name = ImageName.parse(text)
    if name is None:
        return Unpullable(
            "InvalidImageName",
            f'Failed to apply default image tag "{text}": '
            f'couldn\'t parse image name "{text}": invalid reference format',
        )
    entry = CATALOGUE.get(name.familiar)
    problem = registries.problem(name, entry.tags if entry else None)
    if problem:
        return Unpullable("ErrImagePull", problem)
    if entry is None:
        return Image(name, _program("servers:Idle"), _guess_size(name), known=False)
    return Image(name, _program(entry.program), entry.megabytes * _MEGABYTE, known=True)


def listing() -> list[tuple[str, Entry]]:
    """The catalogue, for people: repository and entry."""
    return sorted(CATALOGUE.items())


@cache
def _program(place: str) -> type[Program]:
    """A behaviour's class; its module is imported when the first container of it starts."""
    module, _, name = place.partition(":")
    found: type[Program] = getattr(import_module(f"{_LAB}.{module}"), name)
    return found


def _guess_size(name: ImageName) -> int:
    return (20 + sum(name.repository.encode()) % 100) * _MEGABYTE
