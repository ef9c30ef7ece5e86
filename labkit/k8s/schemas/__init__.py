"""What Kubernetes' kinds are made of: their names, paths and verbs, and the schemas of their fields.

The schemas come from one packaged file that `generate` makes from the `kubernetes-validate` library (which is 108 MB
and needed for development only).  The structure is read when a schema is first asked for; the descriptions, which
only ``kubectl explain`` shows, lie in a file of their own.  The table of kinds is `kinds`.
"""

from labkit.k8s.schemas.builtin import Schemas
from labkit.k8s.schemas.kinds import KINDS, Kind, Sub
from labkit.k8s.schemas.node import Node

__all__ = ["KINDS", "Kind", "Node", "Schemas", "Sub"]
