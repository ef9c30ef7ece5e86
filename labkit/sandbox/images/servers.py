"""Well-known servers: they say what the real ones say at their start, listen where those do, and answer a little."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from labkit.sandbox.images import shell
from labkit.sandbox.images.http import Answer, Request
from labkit.sandbox.images.program import FOREVER, Program, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.images.program import Setting


class Server(Program):
    """Says some lines and serves until it is told to stop; with a shell's command, it does that instead."""

    lines: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, setting: Setting, log: Callable[[str], None], wake: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(setting, log, wake)
        self._other = shell.is_command(setting.command) or (
            not setting.command and setting.args[:1] and setting.args[0] in shell.SHELLS
        )

    def run(self) -> Run:
        """Start."""
        if self._other:
            words = (*self.setting.command, *self.setting.args)
            return (yield from shell.follow(words, self.setting, self.log))
        problem = self.refuses()
        if problem:
            self.log(problem)
            return 1
        for line in self.lines:
            self.log(line.format(host=self.setting.host_name, tag=self.setting.image.tag))
        yield FOREVER
        return 0

    def refuses(self) -> str:
        """What keeps it from starting: the last line that it says then."""
        return ""

    @property
    def ports(self) -> tuple[int, ...]:
        """Its own; none while it does something else."""
        return () if self._other else self.listens

    def terminate(self) -> tuple[float, int]:
        """Servers end quickly and well; shells don't listen."""
        return shell.Shell.terminate(self) if self._other else (0.1, 0)  # type: ignore[arg-type]


class Nginx(Server):
    """nginx: its welcome page, or the ``index.html`` that a ConfigMap puts in its place."""

    listens = (80,)
    mebibytes = 8
    lines: ClassVar[tuple[str, ...]] = (
        "/docker-entrypoint.sh: Configuration complete; ready for start up",
        '[notice] 1#1: using the "epoll" event method',
        "[notice] 1#1: nginx/{tag}",
        "[notice] 1#1: start worker processes",
    )
    root = "/usr/share/nginx/html"
    welcome = (
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n"
        "<h1>Welcome to nginx!</h1>\n<p>This one is simulated.</p>\n</body>\n</html>\n"
    )

    def http(self, request: Request) -> Answer:
        """A file of the document root."""
        answer = self._file(request.path)
        if not request.is_probe:
            agent = request.headers.get("user-agent", "-")
            self.log(
                f'- - "{request.method} {request.path} HTTP/1.1" {answer.status} {len(answer.body)} "-" "{agent}"'
            )
        return answer

    def _file(self, path: str) -> Answer:
        path = f"{path}index.html" if path.endswith("/") else path
        text = self.setting.files.get(self.root + path)
        if text is not None:
            return Answer.html(text)
        if path in ("/index.html", "/50x.html"):
            return Answer.html(self.welcome)
        return Answer.html("<html>\r\n<head><title>404 Not Found</title></head>\r\n</html>\r\n", 404)


class NginxUnprivileged(Nginx):
    """The variant that needs no root and listens on 8080."""

    listens = (8080,)


class Httpd(Nginx):
    """Apache."""

    root = "/usr/local/apache2/htdocs"
    lines: ClassVar[tuple[str, ...]] = (
        "[mpm_event:notice] AH00489: Apache/{tag} (Unix) configured -- resuming normal operations",
    )
    welcome = "<html><body><h1>It works!</h1></body></html>\n"


class Busy(Httpd):
    """Kubernetes' example for autoscaling: PHP that computes for a while before it answers."""

    welcome = "OK!"
    request_seconds = 0.02


class Redis(Server):
    """redis."""

    listens = (6379,)
    lines = ("1:C * Redis version={tag}, bits=64, just started", "1:M * Ready to accept connections tcp")


class Postgres(Server):
    """postgres: like the real one, it does not start without a password."""

    listens = (5432,)
    mebibytes = 40
    lines = (
        "PostgreSQL init process complete; ready for start up.",
        'LOG:  listening on IPv4 address "0.0.0.0", port 5432',
        "LOG:  database system is ready to accept connections",
    )

    def refuses(self) -> str:
        """Without POSTGRES_PASSWORD."""
        env = self.setting.env
        if env.get("POSTGRES_PASSWORD") or env.get("POSTGRES_PASSWORD_FILE"):
            return ""
        return (
            ""
            if env.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
            else (
                "Error: Database is uninitialized and superuser password is not specified.\n"
                "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser."
            )
        )


class Mysql(Server):
    """mysql and mariadb: they ask for a root password as well."""

    listens = (3306,)
    mebibytes = 350
    lines = ("[System] [Server] /usr/sbin/mysqld: ready for connections. Version: '{tag}'  port: 3306",)

    def refuses(self) -> str:
        """Without a root password, or leave to have none."""
        names = (
            "ROOT_PASSWORD",
            "ROOT_PASSWORD_FILE",
            "ALLOW_EMPTY_PASSWORD",
            "RANDOM_ROOT_PASSWORD",
            "ALLOW_EMPTY_ROOT_PASSWORD",
        )
        if any(self.setting.env.get(f"{vendor}_{name}") for vendor in ("MYSQL", "MARIADB") for name in names):
            return ""
        return "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified"


class Mongo(Server):
    """mongo."""

    listens = (27017,)
    mebibytes = 150
    lines = ('{{"s":"I","c":"NETWORK","msg":"Waiting for connections","attr":{{"port":27017}}}}',)


class Memcached(Server):
    """memcached."""

    listens = (11211,)


class Rabbitmq(Server):
    """rabbitmq."""

    listens = (5672, 15672)
    mebibytes = 120
    lines = ("Server startup complete; 4 plugins started.",)


class Pause(Program):
    """The image that does nothing, for ever."""

    mebibytes = 1

    def run(self) -> Run:
        """Nothing."""
        yield FOREVER
        return 0


class Echo(Server):
    """Echo servers of several makers: they answer with their name and what they were asked."""

    listens = (80, 8080, 5678)

    def http(self, request: Request) -> Answer:
        """Who was asked what."""
        text = next((a.partition("=")[2] for a in self.setting.args if a.startswith("-text=")), "")
        words = [a for a in self.setting.args if not a.startswith("-")]
        if text or words:
            return Answer.text(f"{text or ' '.join(words)}\n")
        return Answer.text(
            f"Hostname: {self.setting.host_name}\n\nRequest: {request.method} {request.path}\n"
        )


class Guestbook(Nginx):
    """The example front ends that Argo CD's and Kubernetes' tutorials roll out."""

    welcome = (
        "<html><head><title>Guestbook</title></head><body><h1>Guestbook</h1><p>Simulated.</p></body></html>\n"
    )
    lines: ClassVar[tuple[str, ...]] = ("guestbook {tag} listening on :80",)


class Idle(Server):
    """An image of which only the name is known: it runs, listens where its manifest says, says that it is simulated.

    In a Job, or as an init container, it succeeds after a second.
    """

    lines = ("(simulated: the sandbox knows no behaviour for this image, so it idles)",)

    def run(self) -> Run:
        """Idle, or end well where an end is expected."""
        if self.setting.ends and not self._other:
            self.log(
                "(simulated: the sandbox knows no behaviour for this image; it ends well after a second)"
            )
            yield 1.0
            return 0
        return (yield from super().run())

    @property
    def ports(self) -> tuple[int, ...]:
        """Those that the manifest declares."""
        return () if self._other else self.setting.ports

    def http(self, request: Request) -> Answer:
        """Every path is there."""
        return Answer.text(
            f"{self.setting.image} (simulated) on {self.setting.host_name}: {request.method} {request.path}\n"
        )
