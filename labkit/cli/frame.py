"""The command tree: names and one line each for all commands, and how an error looks to a person.

Commands are loaded when they are run; until then the one line here stands for them, and `rich` is not
imported for help: it would double the time that ``labkit --help`` takes.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import typer.core
import typer.main

from labkit.cli.session import session
from labkit.errors import LabError
from labkit.settings import debugging, plain_output


class Entry(NamedTuple):
    """A command: where its function is (``module:function``), its one line, its panel in the help."""

    target: str
    help: str
    panel: str = "Commands"


LAB, WORK = "The lab", "Working with it"
COMMANDS: dict[str, Entry] = {
    "init": Entry("init:init", "Make a lab folder with notebooks and charts to work in.", LAB),
    "up": Entry("up:up", "Start the lab: cluster, Git host and controller.", LAB),
    "down": Entry("down:down", "Stop the lab; everything in it is kept.", LAB),
    "status": Entry("status:status", "Show what runs, and where.", LAB),
    "doctor": Entry("doctor:doctor", "Check this machine, and say how to mend what is amiss.", LAB),
    "lab": Entry("jupyter:lab", "Start the lab, and JupyterLab on the first notebook.", LAB),
    "dashboard": Entry("dashboard:dashboard", "Open the live picture in the browser.", LAB),
    "top": Entry("top:top", "Watch the applications, or one of them, in the terminal.", LAB),
    "demo": Entry("demo:demo", "See the whole loop once, from chart to rollback.", LAB),
    "progress": Entry(
        "progress:progress", "Show which exercises are done; nothing of it leaves the machine.", LAB
    ),
    "app": Entry("app:", "Applications: what runs from which repository.", WORK),
    "appset": Entry("appset:", "ApplicationSets: many applications of one template.", WORK),
    "proj": Entry("proj:", "Projects: what their applications may, and who may what.", WORK),
    "account": Entry("account:", "Accounts: their tokens, and who may do what.", WORK),
    "login": Entry("login:login", "Speak as an account; its rights are what the policy says.", WORK),
    "logout": Entry("login:logout", "Speak as the lab's owner again.", WORK),
    "chart": Entry("chart:", "Charts: create, lint, render, package, share.", WORK),
    "release": Entry("release:", "Releases: charts that run in the cluster, by Helm alone.", WORK),
    "repo": Entry("repo:", "Repositories on the lab's Git host.", WORK),
    "pr": Entry("pr:", "Pull requests on the lab's Git host.", WORK),
    "cluster": Entry("cluster:", "Clusters: sandboxes, kind, or one of your own.", WORK),
    "export": Entry("export:", "Take what was tried here to the real thing.", WORK),
    "kubeconfig": Entry("kubeconfig:kubeconfig", "Print the path of a kubeconfig for kubectl.", WORK),
}
GROUPS: dict[str, dict[str, Entry]] = {
    "export": {"argocd": Entry("export:argocd", "Write what a real Argo CD needs.")},
    "app": {
        "create": Entry("app.create:create", "Create an application."),
        "list": Entry("app.show:list_", "List the applications."),
        "get": Entry("app.show:get", "Show one application: sync, health, resources."),
        "resources": Entry("app.show:resources", "List an application's resources, as a list or a tree."),
        "set": Entry("app.create:set_", "Change an application's source, values or policy."),
        "sync": Entry("app.sync:sync", "Bring the cluster to what the repository says."),
        "wait": Entry("app.sync:wait", "Wait until an application is synced and healthy."),
        "diff": Entry("app.compare:diff", "Show what differs from the repository; exit code 1 if so."),
        "plan": Entry("app.compare:plan", "Show what a sync would do, in order, and why."),
        "manifests": Entry("app.compare:manifests", "Print the manifests of an application."),
        "history": Entry("app.history:history", "Show what was deployed, and when."),
        "rollback": Entry("app.history:rollback", "Deploy an earlier entry of the history again."),
        "confirm-deletion": Entry(
            "app.delete:confirm_deletion", "Agree to delete what waits for a confirmation."
        ),
        "terminate-op": Entry("app.sync:terminate_op", "Stop the operation that is running."),
        "logs": Entry("app.logs:logs", "Print the logs of an application's pods."),
        "delete": Entry("app.delete:delete", "Delete an application, and what it deployed."),
    },
    "appset": {
        "list": Entry("appset:list_", "List the ApplicationSets."),
        "get": Entry("appset:get", "Show an ApplicationSet: what it made, and what its controller says."),
        "generate": Entry("appset:generate", "Show which Applications one would make; nothing is done."),
        "create": Entry("appset:create", "Create ApplicationSets from files."),
        "delete": Entry("appset:delete", "Delete ApplicationSets, and what they made."),
    },
    "proj": {
        "list": Entry("proj.show:list_", "List the projects."),
        "get": Entry("proj.show:get", "Show a project: what it permits."),
        "create": Entry("proj.show:create", "Create a project."),
        "set": Entry("proj.change:set_", "Change a project's description, or orphaned resources."),
        "delete": Entry("proj.show:delete", "Delete a project that no application is in."),
        "add-source": Entry(
            "proj.change:add_source", "Let a project's applications be read from a repository."
        ),
        "remove-source": Entry("proj.change:remove_source", "Take a repository away."),
        "add-destination": Entry(
            "proj.change:add_destination", "Let a project's applications go to a namespace."
        ),
        "remove-destination": Entry("proj.change:remove_destination", "Take a destination away."),
        "allow-cluster-resource": Entry("proj.change:allow_cluster_resource", "Allow a cluster-wide kind."),
        "deny-cluster-resource": Entry("proj.change:deny_cluster_resource", "Deny a cluster-wide kind."),
        "allow-namespace-resource": Entry("proj.change:allow_namespace_resource", "Allow a namespaced kind."),
        "deny-namespace-resource": Entry("proj.change:deny_namespace_resource", "Deny a namespaced kind."),
        "role": Entry("proj-role:", "Roles of a project, and their tokens."),
        "windows": Entry("proj-windows:", "Sync windows of a project."),
    },
    "proj-role": {
        "list": Entry("proj.role:list_", "List a project's roles."),
        "get": Entry("proj.role:get", "Show a role: policies, groups, tokens."),
        "create": Entry("proj.role:create", "Create a role."),
        "delete": Entry("proj.role:delete", "Delete a role, and its tokens with it."),
        "add-policy": Entry("proj.role:add_policy", "Let a role do something."),
        "remove-policy": Entry("proj.role:remove_policy", "Take a policy from a role."),
        "add-group": Entry("proj.role:add_group", "Give a group the role."),
        "remove-group": Entry("proj.role:remove_group", "Take the role from a group."),
        "create-token": Entry("proj.role:create_token", "Print a new token for a role."),
        "list-tokens": Entry("proj.role:list_tokens", "List a role's tokens."),
        "delete-token": Entry("proj.role:delete_token", "Take a token away."),
    },
    "proj-windows": {
        "list": Entry("proj.windows:list_", "List a project's sync windows, and which are open."),
        "add": Entry("proj.windows:add", "Add a sync window."),
        "delete": Entry("proj.windows:delete", "Delete a sync window."),
    },
    "account": {
        "list": Entry("account:list_", "List the accounts."),
        "get": Entry("account:get", "Show an account and its tokens."),
        "can-i": Entry("account:can_i", "Say whether you may, and why."),
        "generate-token": Entry("account:generate_token", "Print a new token for an account."),
        "delete-token": Entry("account:delete_token", "Take a token away."),
        "get-user-info": Entry("account:get_user_info", "Say who you are."),
        "update-password": Entry("account:update_password", "Give an account another password."),
    },
    "chart": {
        "create": Entry("chart.local:create", "Create a chart from the course's starter."),
        "lint": Entry("chart.local:lint", "Say what is wrong in a chart."),
        "template": Entry("chart.local:template", "Render a chart."),
        "diff": Entry("chart.compare:diff", "Show what another version, or other values, would change."),
        "explain": Entry("chart.local:explain", "Say where a value comes from."),
        "dependency": Entry("chart-dependency:", "The charts that a chart needs: update, build, list."),
        "package": Entry("chart.local:package", "Archive a chart as .tgz, and sign it."),
        "keygen": Entry("chart.keygen:keygen", "Make a key to try signing with."),
        "verify": Entry("chart.remote:verify", "Check who signed a packaged chart."),
        "push": Entry("chart.remote:push", "Push a packaged chart to a registry."),
        "pull": Entry("chart.remote:pull", "Fetch a chart from a repository or a registry."),
        "show": Entry("chart.remote:show", "Show a chart's metadata, values, README or CRDs."),
        "search": Entry("chart.remote:search", "Search the chart repositories that have a name."),
        "repo": Entry("chart-repo:", "Chart repositories: add, list, remove, index."),
        "registry": Entry("chart-registry:", "OCI registries: login, logout."),
    },
    "chart-dependency": {
        "update": Entry("chart.dependency:update", "Fetch the newest in each range, and write Chart.lock."),
        "build": Entry("chart.dependency:build", "Fetch what Chart.lock says."),
        "list": Entry("chart.dependency:list_", "List the dependencies, and whether each is there."),
    },
    "chart-repo": {
        "add": Entry("chart.repo:add", "Give a chart repository a name."),
        "list": Entry("chart.repo:list_", "List the chart repositories that have a name."),
        "remove": Entry("chart.repo:remove", "Forget a chart repository."),
        "index": Entry("chart.repo:index", "Write index.yaml for a folder of packaged charts."),
    },
    "chart-registry": {
        "login": Entry("chart.registry:login", "Log in to a registry."),
        "logout": Entry("chart.registry:logout", "Forget the login to a registry."),
    },
    "release": {
        "install": Entry("release.change:install", "Install a chart into the lab's cluster."),
        "upgrade": Entry("release.change:upgrade", "Upgrade a release to another chart, or other values."),
        "list": Entry("release.show:list_", "List the releases in the lab's cluster."),
        "status": Entry("release.show:status", "Show how a release stands."),
        "history": Entry("release.show:history", "List the revisions of a release."),
        "get": Entry("release-get:", "What is known of a release: values, manifest, notes, hooks."),
        "diff": Entry("release.show:diff", "Show what differs between revisions, or what an upgrade would."),
        "rollback": Entry("release.change:rollback", "Roll back a release to an earlier revision."),
        "test": Entry("release.change:run_tests", "Test a release: run the tests in its chart."),
        "uninstall": Entry("release.change:uninstall", "Uninstall releases, with what they made."),
    },
    "release-get": {
        "all": Entry("release.show:everything", "Print all that is known of a release."),
        "values": Entry("release.show:values", "Print the values that a release was given."),
        "manifest": Entry("release.show:manifest", "Print what a release applied."),
        "notes": Entry("release.show:notes", "Print the notes of a release."),
        "hooks": Entry("release.show:hooks", "Print the hooks of a release."),
    },
    "repo": {
        "create": Entry("repo:create", "Create a repository on the lab's Git host."),
        "list": Entry("repo:list_", "List the repositories on the lab's Git host."),
        "delete": Entry("repo:delete", "Delete a repository from the lab's Git host."),
        "protect": Entry("repo:protect", "Let a branch take changes through pull requests only."),
        "unprotect": Entry("repo:unprotect", "Let a branch be pushed to again."),
    },
    "pr": {
        "create": Entry("pr:create", "Open a pull request for a branch that was pushed."),
        "list": Entry("pr:list_", "List the pull requests of a repository."),
        "view": Entry("pr:view", "Show a pull request, with its checks."),
        "diff": Entry("pr:diff", "Show what it changes: in the sources, or rendered for each application."),
        "comment": Entry("pr:comment", "Say something about it."),
        "review": Entry("pr:review", "Approve of it, or ask for changes."),
        "merge": Entry("pr:merge", "Make it part of its base."),
        "close": Entry("pr:close", "Give it up."),
    },
    "cluster": {
        "create": Entry("cluster:create", "Create a cluster beside the lab's first one."),
        "list": Entry("cluster:list_", "List the lab's clusters."),
        "delete": Entry("cluster:delete", "Delete a cluster that the lab made."),
        "snapshot": Entry("cluster:snapshot", "Save a sandbox's state under a name, or list what is saved."),
        "restore": Entry("cluster:restore", "Make a sandbox's state what it was."),
        "images": Entry("cluster:images", "List the images that a sandbox knows."),
    },
}

# `--cascade=false` is how Argo CD's documentation writes it; our parser wants `--no-cascade`.
_BOOLEANS = (
    "cascade", "auto-prune", "self-heal", "prune", "allow-empty", "upsert", "dry-run", "async", "refresh",
    "hard-refresh", "sync", "health", "operation", "force", "yes", "validate", "set-finalizer",
)  # fmt: skip
# Helm's other names for its commands, each where a group has the command.
_ALIASES = {
    "dep": "dependency", "dependencies": "dependency", "ls": "list", "up": "update", "rm": "remove",
    "inspect": "show", "fetch": "pull", "hist": "history", "un": "uninstall", "del": "uninstall",
    "delete": "uninstall",
}  # fmt: skip
_DRY_RUNS = {"install", "upgrade", "rollback"}  # of `release`: there it has a kind
_SAID = {"--auth-token": "auth_token", "--server": "server"}
_SWITCH = re.compile(rf"--({'|'.join(_BOOLEANS)})=(true|false)")


class LazyGroup(typer.core.TyperGroup):
    """A group whose commands are imported when one is run."""

    entries: dict[str, Entry] = COMMANDS

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in self.entries.items():
            self.add_command(typer.core.TyperCommand(name, help=entry.help), name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  (the base class's)
        """The commands, a section for each panel."""
        for panel in dict.fromkeys(entry.panel for entry in self.entries.values()):
            with formatter.section(panel):
                formatter.write_dl([(n, e.help) for n, e in self.entries.items() if e.panel == panel])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command in place of the line that stood for it."""
        meant = _ALIASES.get(args[0], "") if args and args[0] not in self.entries else ""
        name, command, rest = super().resolve_command(
            ctx, [meant, *args[1:]] if meant in self.entries else args
        )
        if name is None or command is None:
            return name, command, rest
        return name, load(name, self.entries[name]), rest


def load(name: str, entry: Entry) -> Any:
    """The command, or group of commands, that ``entry`` stands for."""
    if entry.target.endswith(":"):
        return _group(name, entry)
    module_name, _, function_name = entry.target.partition(":")
    module = importlib.import_module(f"labkit.cli.{module_name}")
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, context_settings=_HELP)(_interruptible(getattr(module, function_name)))
    return typer.main.get_command(app)


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit code."""
    try:
        arguments = _global_options(arguments)
        root().main(arguments, prog_name="labkit")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BrokenPipeError:  # `labkit app list | head`
        sys.stderr.close()
        return 0
    except LabError as error:
        if debugging():
            raise
        show_error(error)
        return error.exit_code
    except OSError as error:
        if debugging():
            raise
        problem, named = error.strerror or str(error), str(error.filename or "")
        show_error(LabError(problem, where=named, fix=_FIXES.get(type(error), "labkit doctor")))
        return 1
    except Exception as error:
        if debugging():
            raise
        problem = f"a mistake in labkit itself: {type(error).__name__}: {error}"
        show_error(LabError(problem, fix="Report it with what this shows: LABKIT_DEBUG=1 labkit …"))
        return 1
    return 0


def root() -> Any:
    """The whole command tree."""
    app = typer.Typer(
        name="labkit",
        cls=LazyGroup,
        no_args_is_help=True,
        context_settings=_HELP,
        rich_markup_mode=None,
        epilog=_EXIT_CODES,
    )
    app.callback()(_root)
    return typer.main.get_command(app)


def show_error(error: LabError) -> None:
    """``Error: where: problem`` and the fix, on standard error."""
    place = f"{error.where}: " if error.where else ""
    red, plain = ("\033[31m", "\033[0m") if sys.stderr.isatty() and not plain_output() else ("", "")
    sys.stderr.write(f"{red}Error:{plain} {place}{error.problem}\n")
    if error.fix:
        sys.stderr.write(f"Fix: {error.fix}\n")


_FIXES = {
    FileNotFoundError: "Check the path.",
    NotADirectoryError: "Check the path: a part of it is a file.",
    IsADirectoryError: "Name a file: this is a folder.",
    FileExistsError: "Choose another name, or remove what is there.",
    PermissionError: "Choose a place where you may write, or change the permissions.",
}
_EXIT_CODES = (
    "Exit codes: 0 done; 1 failed, or `app diff` found a difference; 2 the command line makes no sense; "
    "3 `status`: not running; 20 not reached in time; 130 Ctrl-C."
)
_HELP = {"help_option_names": ["-h", "--help"]}


def _root(
    lab: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The lab folder (else LABKIT_HOME, else the nearest upwards)."),
    ] = None,
    auth_token: Annotated[
        str, typer.Option(metavar="TOKEN", help="Ask as whoever has this token (else LABKIT_AUTH_TOKEN).")
    ] = "",
    server: Annotated[
        str,
        typer.Option(
            metavar="URL", help="With a token: a lab's address in place of a folder (else LABKIT_SERVER)."
        ),
    ] = "",
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            is_eager=True,
            callback=lambda on: _print_version(on),  # noqa: PLW0108  (it is defined below)
        ),
    ] = False,
) -> None:
    """GitOps Lab: write a chart, render it, push it, and watch it become the cluster's state."""
    if lab is not None:
        session.lab = lab
    session.auth_token, session.server = auth_token or session.auth_token, server or session.server


def _print_version(wanted: bool) -> None:
    if wanted:
        from labkit import __version__

        typer.echo(f"labkit {__version__}")
        raise typer.Exit


def _group(name: str, entry: Entry) -> Any:
    group = type(f"{name.title()}Group", (LazyGroup,), {"entries": GROUPS[entry.target.rstrip(":")]})
    app = typer.Typer(
        name=name,
        cls=group,
        no_args_is_help=True,
        help=entry.help,
        add_completion=False,
        context_settings=_HELP,
        rich_markup_mode=None,
    )
    app.callback()(lambda: None)
    return typer.main.get_command(app)


def _interruptible(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def interruptible(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return interruptible


def _with_kind_of_dry_run(arguments: list[str]) -> list[str]:
    """`--dry-run` alone is `--dry-run=client`, as for Helm; only a kind after it is taken for its value."""
    if not any(group == "release" and name in _DRY_RUNS for group, name in pairwise(arguments)):
        return arguments
    following = [*arguments[1:], ""]
    return [
        f"{each}=client" if each == "--dry-run" and next_ not in {"client", "server", "none"} else each
        for each, next_ in zip(arguments, following, strict=True)
    ]


def _global_options(arguments: list[str]) -> list[str]:
    """Take the global options out wherever they stand, and write ``--flag=false`` the way our parser wants it."""
    rest: list[str] = []
    left = iter(_with_kind_of_dry_run(arguments))
    for argument in left:
        if argument == "--":
            return [*rest, argument, *left]
        if argument == "--lab" and (value := next(left, None)) is not None:
            session.lab = Path(value)
        elif argument.startswith("--lab="):
            session.lab = Path(argument.removeprefix("--lab="))
        elif argument in _SAID and (value := next(left, None)) is not None:
            setattr(session, _SAID[argument], value)
        elif argument.partition("=")[0] in _SAID and "=" in argument:
            setattr(session, _SAID[argument.partition("=")[0]], argument.partition("=")[2])
        elif switch := _SWITCH.fullmatch(argument):
            rest.append(f"--{switch[1]}" if switch[2] == "true" else f"--no-{switch[1]}")
        else:
            rest.append(argument)
    return rest
