"""What a shell command would do, guessed by simple rules. Nothing is executed, here or anywhere.

Understood: ``echo``, ``printf``, ``sleep``, ``exit``, ``true``, ``false``, ``cat`` (of mounted files), ``env``,
``hostname``, ``date``, ``test -f|-n|-z|=``, ``wget`` and ``curl`` (of the cluster's Services), assignments, ``$VAR``,
``;``, ``&&``, ``||``, and ``while``, ``until`` and ``for`` loops. Every other command succeeds in silence, in
no time; what a pipe's right side would make of its left is not known, so only the left is looked at.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from labkit.sandbox.images import asking
from labkit.sandbox.images.program import FOREVER, SIGKILL_EXIT, Program, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.images.program import Setting

SHELLS = {"sh", "bash", "ash", "dash", "/bin/sh", "/bin/bash", "/bin/ash", "/usr/bin/bash", "/busybox/sh"}
_LOOPS = {"while", "until", "for"}
_ENDS = {"done", "fi"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SILENT_ROUNDS = 1000


class Shell(Program):
    """busybox, alpine and the like: a container that does what its command says, as far as that can be guessed."""

    mebibytes = 2

    def run(self) -> Run:
        """Follow the command. An interactive shell without a terminal ends at once, as a real one does."""
        words = (*self.setting.command, *self.setting.args)
        if not words:
            return 0
        return (yield from follow(words, self.setting, self.log))

    def terminate(self) -> tuple[float, int]:
        """A shell, as the first process, does not listen to SIGTERM: the node has to kill it."""
        return FOREVER, SIGKILL_EXIT


def is_command(words: tuple[str, ...]) -> bool:
    """Whether the words are something that this module makes more of than "succeeds in silence"."""
    return bool(words) and (words[0] in SHELLS or words[0].rpartition("/")[2] in _BUILTINS)


def follow(words: tuple[str, ...], setting: Setting, log: Callable[[str], None]) -> Run:
    """Do what a command line says."""
    script = _Script(setting, log)
    if words[0] in SHELLS:
        text = _inline(words[1:])
        if text is None:
            return 0
        return (yield from script.run(_split(text)))
    return (yield from script.run([list(words)]))


def quick(words: tuple[str, ...], setting: Setting) -> tuple[int, str]:
    """The exit code and the output of a command that takes no time: a probe's, a hook's."""
    lines: list[str] = []
    if not words:
        return 0, ""
    run, steps = follow(words, setting, lines.append), 0
    try:
        while steps < _SILENT_ROUNDS:
            next(run)
            steps += 1
    except StopIteration as end:
        return int(end.value or 0), "\n".join(lines)
    return 0, "\n".join(lines)


def seconds_asleep(words: tuple[str, ...]) -> float:
    """How long a hook like ``sleep 5`` or ``sh -c "sleep 5"`` takes."""
    text = _inline(words[1:]) or "" if words and words[0] in SHELLS else shlex.join(words)
    return sum(_duration(found) for found in re.findall(r"\bsleep\s+([\d.]+[smhd]?)", text))


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class _Script:
    """The state of a shell: its variables and the last exit code."""

    def __init__(self, setting: Setting, log: Callable[[str], None]) -> None:
        self._setting, self._log = setting, log
        self._variables = dict(setting.env)
        self._stop_on_error = False
        self._quiet_rounds = 0

    def run(self, statements: list[list[str]]) -> Run:
        try:
            return (yield from self._block(statements))
        except _Exit as end:
            return end.code

    def _block(self, statements: list[list[str]]) -> Run:
        code, at = 0, 0
        while at < len(statements):
            words = statements[at]
            if words and words[0] in ("&&", "||"):
                if (words[0] == "&&") != (code == 0):
                    at += 1 + self._length(statements, at + 1)
                    continue
                at += 1
                continue
            length = self._length(statements, at)
            if words and words[0] in _LOOPS:
                code = yield from self._loop(statements[at : at + length])
            elif words and words[0] == "if":
                code = yield from self._if(statements[at : at + length])
            else:
                code = yield from self._command(words)
            at += length
            if (
                code
                and self._stop_on_error
                and not (at < len(statements) and statements[at][0] in ("&&", "||"))
            ):
                raise _Exit(code)
        return code

    @staticmethod
    def _length(statements: list[list[str]], at: int) -> int:
        """How many statements belong together, from a loop's or an ``if``'s head to its end."""
        depth = 0
        for number, words in enumerate(statements[at:], 1):
            head = words[0] if words else ""
            depth += head in _LOOPS or head == "if"
            depth -= head in _ENDS
            if depth <= 0:
                return number
        return len(statements) - at

    def _loop(self, statements: list[list[str]]) -> Run:
        head, body = statements[0], statements[1:-1]
        code = 0
        if head[0] == "for":
            for value in [self._expand(word) for word in head[3:]]:
                self._variables[head[1]] = value
                code = yield from self._block(body)
            return code
        while True:
            met = (yield from self._command(head[1:])) == 0
            if met != (head[0] == "while"):
                return code
            self._quiet_rounds += 1
            code = yield from self._block(body)
            if self._quiet_rounds > _SILENT_ROUNDS:
                yield FOREVER  # a loop that never waits would never let anybody else work

    def _if(self, statements: list[list[str]]) -> Run:
        head, body = statements[0], statements[1:-1]
        parts: dict[str, list[list[str]]] = {"then": [], "else": []}
        branch = "then"
        for words in body:
            if words[0] in parts:
                branch = words[0]
            else:
                parts[branch].append(words)
        met = (yield from self._command(head[1:])) == 0
        return (yield from self._block(parts["then" if met else "else"]))

    def _command(self, words: list[str]) -> Run:
        words = words[: words.index("|")] if "|" in words else words
        negated = bool(words) and words[0] == "!"
        words = [self._expand(word) for word in (words[1:] if negated else words)]
        words = _without_redirections(words)
        while words and re.fullmatch(r"\w+=.*", words[0], re.DOTALL):
            name, _, value = words.pop(0).partition("=")
            self._variables[name] = value
        if not words:
            return 0
        name = words[0].rpartition("/")[2]
        code = 0
        if name == "sleep":
            self._quiet_rounds = 0
            yield sum(_duration(word) for word in words[1:])
        elif name == "exec" and len(words) > 1:
            code = yield from self._command(words[1:])
            raise _Exit(code)
        elif name in SHELLS and len(words) > 1:
            code = yield from follow(tuple(words), self._setting, self._log)
        elif name == "tail" and "/dev/null" in words:
            yield FOREVER
        else:
            code = self._builtin(name, words[1:])
        return int(not code) if negated else code

    def _builtin(self, name: str, args: list[str]) -> int:
        act = _BUILTINS.get(name)
        return act(self, args) if act is not None else 0

    def _expand(self, word: str) -> str:
        def value(found: re.Match[str]) -> str:
            name, _, default = (found[1] or found[2]).partition(":-")
            return self._variables.get(name) or default

        word = re.sub(r"\$\(date[^)]*\)", "Tue Jan  1 00:00:00 UTC 2030", word)
        word = re.sub(r"\$\(hostname\)", self._setting.host_name, word)
        return re.sub(r"\$(?:\{(\w+(?::-[^}]*)?)\}|(\w+))", value, word)

    # ── commands ──────────────────────────────────────────────────────────────

    def echo(self, args: list[str]) -> int:
        for line in " ".join(arg for arg in args if arg not in ("-n", "-e")).split("\\n"):
            self._log(line)
        return 0

    def exit(self, args: list[str]) -> int:
        raise _Exit(int(args[0]) if args and args[0].isdigit() else 0)

    def cat(self, args: list[str]) -> int:
        missing = 0
        for path in args:
            text = self._setting.files.get(path)
            if text is None and not path.startswith(("/proc", "/etc", "-")):
                self._log(f"cat: can't open '{path}': No such file or directory")
                missing = 1
            for line in (text or "").splitlines():
                self._log(line)
        return missing

    def env(self, _args: list[str]) -> int:
        for name, value in self._variables.items():
            self._log(f"{name}={value}")
        return 0

    def hostname(self, _args: list[str]) -> int:
        self._log(self._setting.host_name)
        return 0

    def set(self, args: list[str]) -> int:
        self._stop_on_error = self._stop_on_error or any(a.startswith("-") and "e" in a for a in args)
        return 0

    def test(self, args: list[str]) -> int:
        args = [arg for arg in args if arg != "]"]
        if len(args) == 2 and args[0] in ("-f", "-e", "-r", "-s"):
            return int(args[1] not in self._setting.files)
        if len(args) == 2:
            return int((args[0] == "-n") != bool(args[1]))
        if len(args) == 3:
            return int((args[0] == args[2]) != (args[1] in ("=", "==", "-eq")))
        return int(not any(args))

    def wget(self, args: list[str]) -> int:
        return asking.wget(args, self._setting, self._log)

    def curl(self, args: list[str]) -> int:
        return asking.curl(args, self._setting, self._log)

    def export(self, args: list[str]) -> int:
        for arg in args:
            name, _, value = arg.partition("=")
            self._variables[name] = value
        return 0


_BUILTINS: dict[str, Callable[[_Script, list[str]], int]] = {
    "echo": _Script.echo, "printf": _Script.echo, "exit": _Script.exit, "cat": _Script.cat, "env": _Script.env,
    "printenv": _Script.env, "hostname": _Script.hostname, "set": _Script.set, "test": _Script.test,
    "[": _Script.test, "export": _Script.export, "true": lambda _s, _a: 0, ":": lambda _s, _a: 0,
    "false": lambda _s, _a: 1, "sleep": lambda _s, _a: 0,
    "wget": _Script.wget, "curl": _Script.curl,
    "date": lambda s, _a: s.echo(["Tue Jan  1 00:00:00 UTC 2030"]),
}  # fmt: skip


def _inline(args: tuple[str, ...]) -> str | None:
    """The text after ``-c`` (``-ec``, ``-euxc`` …)."""
    for number, arg in enumerate(args):
        if re.fullmatch(r"-[a-z]*c", arg) and number + 1 < len(args):
            prefix = "set -e\n" if "e" in arg else ""
            return prefix + args[number + 1]
    return None


def _split(text: str) -> list[list[str]]:
    """A script as statements; ``&&``, ``||``, ``then`` and ``else`` stand as statements of their own."""
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"\$\(seq (\d+)(?: (\d+))?\)", _seq, text)
    statements: list[list[str]] = [[]]
    for word in _words(text):
        if word in ("&&", "||"):
            statements += [[word], []]
        elif word == ";":
            statements.append([])
        elif word in ("do", "then", "else") and not statements[-1]:
            statements += [[word], []] if word != "do" else []
        else:
            statements[-1].append(word)
    return [words for words in statements if words]


def _seq(found: re.Match[str]) -> str:
    first, last = (1, int(found[1])) if found[2] is None else (int(found[1]), int(found[2]))
    return " ".join(str(number) for number in range(first, min(last, first + _SILENT_ROUNDS) + 1))


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return [_separator(word) for word in lexer]
    except ValueError:  # quotes that do not match: a real shell would refuse
        return ["exit", "2"]


def _separator(word: str) -> str:
    if not set(word) <= set(";&|\n"):
        return word
    return next((sign for sign in ("&&", "||", "|") if sign in word), ";")


def _without_redirections(words: list[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif re.fullmatch(r"\d?(>>?|<)&?\d?", word):
            skip = not re.search(r"&\d", word)
        elif not re.fullmatch(r"\d?>>?[&/]\S+", word):
            kept.append(word)
    return kept


def _duration(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)([smhd]?)", text)
    if text in ("infinity", "inf"):
        return FOREVER
    return float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
