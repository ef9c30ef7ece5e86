"""Helm: a chart and values in, Kubernetes objects out, each with the template that made it.

The lab's own words begin where Helm's end: it renders with Helm itself (its Go library, or its command), so a
chart that works here works everywhere. What this room adds is what a learner needs and an attacker must not
have: errors that name file, line and fix; no file read outside of the chart; a render that cannot exhaust the
machine.
"""

from labkit.helm.backend import Release, Signature, Signing
from labkit.helm.chart import Chart
from labkit.helm.compare import Difference, differences
from labkit.helm.explain import Explanation
from labkit.helm.linting import LintMessage
from labkit.helm.metadata import Dependency
from labkit.helm.rendered import Rendered, RenderedObject
from labkit.helm.workers import Limits

__all__ = [
    "Chart",
    "Dependency",
    "Difference",
    "Explanation",
    "Limits",
    "LintMessage",
    "Release",
    "Rendered",
    "RenderedObject",
    "Signature",
    "Signing",
    "differences",
]
