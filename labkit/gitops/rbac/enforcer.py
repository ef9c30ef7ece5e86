"""Casbin, with the model that Argo CD gives it; and why the answer is what it is."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.gitops.projects import globs
from labkit.gitops.rbac.config import Config
from labkit.gitops.rbac.policy import BUILT_IN, GLOB, REGEX, InvalidPolicy, Policy, Rule
from labkit.k8s import expressions

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 64
"""Enforcers kept ready: one for each project's policy."""
REMEMBERED = 20_000
"""Decisions kept: nothing in an enforcer changes, and a list of five hundred asks for each."""
LONGEST_REMEMBERED = 400
LONGEST_WORD = 4096
NO_RULE = "no rule allows it"

_MODEL = """
[request_definition]
r = sub, res, act, obj
[policy_definition]
p = sub, res, act, obj, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub) && means(r.res, p.res) && means(r.act, p.act) && means(r.obj, p.obj)
"""


@dataclass(frozen=True)
class Decision:
    """Yes or no, and why: the rule that decided, in the policy's own words."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


class _Ready(NamedTuple):
    casbin: Any
    members: frozenset[str]


class Enforcer:
    """One policy, ready to be asked. Thread-safe; nothing in it changes: another policy is another enforcer."""

    def __init__(
        self, config: Config | None = None, *, built_in: Policy = BUILT_IN, enabled: bool = True
    ) -> None:
        self.config, self._built_in, self._enabled = config or Config(), built_in, enabled
        self._ready: OrderedDict[str, _Ready] = OrderedDict()
        self._decided: dict[tuple[str, ...], Decision] = {}
        self._lock = threading.Lock()

    def decide(
        self, subject: str, resource: str, action: str, obj: str, project_policy: str = ""
    ) -> Decision:
        """Whether a subject may; ``project_policy`` adds a project's own rules (one that is invalid adds none)."""
        if not self._enabled:
            return Decision(True, "RBAC is switched off")
        if max(map(len, (subject, resource, action, obj))) > LONGEST_WORD:
            return Decision(False, f"a word of the request is longer than {LONGEST_WORD} characters")
        default = self.config.default_role
        if default and (found := self._ask(project_policy, default, resource, action, obj)):
            return Decision(True, f"policy.default {default}: {found.reason}")
        return self._ask(project_policy, subject, resource, action, obj)

    def members(self, project_policy: str = "") -> frozenset[str]:
        """Everybody who has a role: subjects, and groups."""
        with self._lock:
            return self._made_ready(project_policy).members

    def _ask(self, project_policy: str, *request: str) -> Decision:
        asked = (project_policy, *request)
        if (known := self._decided.get(asked)) is not None:
            return known
        with self._lock:  # Casbin's role manager keeps what it found while it is asked
            allowed, rule = self._made_ready(project_policy).casbin.enforce_ex(*request)
            found = Decision(bool(allowed), str(Rule(*rule)) if rule else NO_RULE)
            if sum(map(len, request)) <= LONGEST_REMEMBERED:
                if len(self._decided) >= REMEMBERED:
                    self._decided.clear()
                self._decided[asked] = found
        return found

    def _made_ready(self, project_policy: str) -> _Ready:
        ready = self._ready.pop(project_policy, None) or self._make(self._project(project_policy))
        self._ready[project_policy] = ready
        if len(self._ready) > KEPT:
            self._ready.popitem(last=False)
        return ready

    def _make(self, project: Policy) -> _Ready:
        import casbin

        mode = self.config.mode
        built_in = map(_as_expressions, self._built_in.rules) if mode == REGEX else self._built_in.rules
        roles = (*self._built_in.roles, *self.config.policy.roles, *project.roles)
        model = casbin.Model()
        model.load_model_from_text(_MODEL)
        model["p"]["p"].policy = [
            [rule.subject, rule.resource, rule.action, rule.object, rule.effect]
            for rule in (*built_in, *self.config.policy.rules, *project.rules)
        ]
        model["g"]["g"].policy = [list(pair) for pair in roles]
        enforcer = casbin.Enforcer(model)
        enforcer.build_role_links()
        enforcer.add_function("means", _MEANS[mode])
        return _Ready(enforcer, frozenset(member for member, _ in roles))

    def _project(self, text: str) -> Policy:
        try:
            return Policy.parse(text, "the project's policies", self.config.mode)
        except InvalidPolicy:
            return Policy()


def _glob(text: str, pattern: str) -> bool:
    return globs.match(pattern, text)


def _expression(text: str, pattern: str) -> bool:
    return expressions.matches(pattern, text)


_MEANS: dict[str, Callable[[str, str], bool]] = {GLOB: _glob, REGEX: _expression}


def _as_expressions(rule: Rule) -> Rule:
    """A built-in rule in mode ``regex``: its globs as what they mean. (In Argo CD they are no longer valid then.)"""

    def meant(glob: str) -> str:
        return "^" + glob.replace("*", ".*") + "$"

    return Rule(rule.subject, meant(rule.resource), meant(rule.action), meant(rule.object), rule.effect)
