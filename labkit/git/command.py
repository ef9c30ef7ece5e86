"""The one door through which the lab runs ``git``.

Repositories are other people's input, and Git has many ways to run a program that a repository or a
configuration file names: hooks, filters, diff and merge drivers, ssh commands, credential helpers, pagers,
editors, transports. Behind this door none of them works: the child gets a short environment of our making,
no system or user configuration, overrides that beat the repository's own configuration, and an allow-list
of transports. It never asks anything on a terminal, and it has a time limit and a limit on what it may say.
Credentials travel in the environment, never in the arguments, which every user of the machine can list.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from labkit.errors import GitError
from labkit.git import failures
from labkit.git.urls import Credential, is_http_url, redact, split_credential
from labkit.settings import child_environment

Config = Sequence[tuple[str, str]]

# What a git child may know of the environment: where programs and the home folder are, the way to the network
# (proxies, certificates, the ssh agent), and the dates and names that a person set for their commits.
_INHERITED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
    "CURL_CA_BUNDLE", "SSH_AUTH_SOCK", "GIT_EXEC_PATH",
    "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE",
})  # fmt: skip
_USER_CONFIGURATION = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})

# Beats every configuration file, the repository's own included.
HARDENED: Config = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("core.quotePath", "false"),
    ("core.longPaths", "true"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("push.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("merge.verifySignatures", "false"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("advice.detachedHead", "false"),
    ("protocol.version", "2"),
    ("http.lowSpeedLimit", "100"),
    ("http.lowSpeedTime", "30"),
)

_ANY_OWNER = Path(__file__).with_name("any-owner.gitconfig")
MEGABYTE = 1024 * 1024
_KEPT_OF_STDERR = 64 * 1024


def environment(
    *,
    url: str = "",
    credential: Credential | None = None,
    allow_files: bool = False,
    config: Config = (),
    user_config: bool = False,
    any_owner: bool = False,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The whole environment of a git child.

    `url` and `credential`: the host that the credential is for, and for no other. `allow_files`: repositories
    may be read by path. `config`: further settings. `user_config`: for reading the user's own configuration,
    and nothing else, because then nothing is overridden. `any_owner`: the repository is the lab's own,
    whoever its files belong to.
    """
    inherited = _INHERITED | (_USER_CONFIGURATION if user_config else frozenset())
    ours = child_environment()
    env = {name: value for name, value in ours.items() if name.upper() in inherited}
    env["no_proxy"] = f"{ours['no_proxy']},::1"
    env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}
    if user_config:
        return env | dict(extra or {})
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    env["GIT_CONFIG_GLOBAL"] = str(_ANY_OWNER) if any_owner else os.devnull
    env |= {"GIT_EDITOR": ":", "GIT_SEQUENCE_EDITOR": ":", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    env |= {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oClearAllForwardings=yes -oPermitLocalCommand=no"}
    env |= {
        "GIT_ALLOW_PROTOCOL": "http:https:ssh" + (":file" if allow_files else ""),
        "GIT_MERGE_AUTOEDIT": "no",
    }
    settings = [*HARDENED, *config, *_authorization(url, credential)]
    env["GIT_CONFIG_COUNT"] = str(len(settings))
    for index, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{index}"], env[f"GIT_CONFIG_VALUE_{index}"] = key, value
    return env | dict(extra or {})


def _authorization(url: str, credential: Credential | None) -> Config:
    if credential is None or not is_http_url(url):
        return ()
    # Only for this address, and not for wherever it redirects to.
    header = f"Authorization: {credential.header()}"
    return ((f"http.{split_credential(url)[0]}.extraHeader", header), ("http.followRedirects", "false"))


@dataclass(frozen=True, slots=True)
class Result:
    """How a git command ended and what it printed."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 survive a round trip."""
        return self.output.decode("utf-8", "surrogateescape")

    def fields(self) -> list[str]:
        """Standard output of a command with ``-z``, split at its NULs."""
        return self.text.removesuffix("\0").split("\0") if self.output else []


@dataclass(slots=True)
class _Pump:
    """Reads one pipe to its end in a thread, keeps at most `limit` bytes, and says when there were more."""

    pipe: IO[bytes]
    limit: int
    process: subprocess.Popen[bytes]
    fatal: bool
    data: bytearray = field(default_factory=bytearray)
    overflow: bool = False
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            while chunk := self.pipe.read1(65536):  # type: ignore[attr-defined]
                room = self.limit - len(self.data)
                self.data += chunk[: max(room, 0)]
                if len(chunk) > room:
                    self.overflow = True
                    if self.fatal:
                        kill(self.process)
                        return


def run(
    *args: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    seconds: float = 60.0,
    megabytes: int = 64,
    file_megabytes: int = 0,
    check: bool = True,
    where: str = "",
    secrets: Sequence[str] = (),
) -> Result:
    """Runs ``git`` with `args`; what failed becomes the GitError that fits (see `failures`).

    `seconds` limits the time, `megabytes` what is read of its output, `file_megabytes` (where the system can)
    each file that it writes. `where` is named in errors, in which `secrets` never stand. With `check` off a
    failing command is a `Result` as well.
    """
    try:
        process = subprocess.Popen(
            ["git", *args], cwd=cwd, env=dict(env if env is not None else environment()),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise failures.not_started(cwd, where) from error
    with process:
        _limit_files(process, file_megabytes)
        out, err, in_time = _converse(process, stdin, seconds, megabytes)
    errors = redact(err.data.decode("utf-8", "replace"), *secrets)
    if not in_time:
        raise failures.too_slow(args[0], seconds, where)
    if out.overflow:
        advice = "Ask for less, or raise the limit."
        raise GitError(f"git {args[0]} printed more than {megabytes} MB.", where=where, fix=advice)
    result = Result(process.returncode, bytes(out.data), errors)
    if check and result.code:
        raise failures.error_for(args, result.code, errors, where=where)
    return result


def _converse(
    process: subprocess.Popen[bytes], stdin: bytes, seconds: float, megabytes: int
) -> tuple[_Pump, _Pump, bool]:
    """Feeds and drains a child until it ends; False when it had to be killed because its time was over."""
    if not (process.stdin and process.stdout and process.stderr):
        raise ValueError("the child was started without its pipes")
    out = _Pump(process.stdout, megabytes * MEGABYTE, process, fatal=True)
    err = _Pump(process.stderr, _KEPT_OF_STDERR, process, fatal=False)
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        kill(process)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        with contextlib.suppress(BrokenPipeError, OSError):
            process.stdin.write(stdin)
        with contextlib.suppress(BrokenPipeError, OSError):
            process.stdin.close()
        process.wait()
        for pump in (out, err):
            pump.thread.join(5)  # a grandchild may still hold the pipe
    except BaseException:
        kill(process)
        raise
    finally:
        timer.cancel()
    return out, err, not expired.is_set()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a child of `run` and its own children (transport, index-pack) at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _limit_files(process: subprocess.Popen[bytes], megabytes: int) -> None:
    """A host that never stops sending must not fill the disk (Linux only: elsewhere the time limit does)."""
    if megabytes and sys.platform == "linux":
        import resource

        size = megabytes * MEGABYTE
        with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))
