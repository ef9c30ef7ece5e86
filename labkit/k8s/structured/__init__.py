"""Server-side apply: several people and programs write one object, and the server keeps track of whose is what.

Whoever applies sends all the fields that they have an opinion on.  ``metadata.managedFields`` remembers them, so
that the server can tell a field that was taken out from one that was never in, and one manager's field from
another's.  `apply` and `update` are all that others need; the rest of the room, from the ground up:

- `elements`, `field_set`: a step of a path, and sets of paths, as ``fieldsV1`` writes them
- `types`: how each place merges, read out of the schema
- `validate`, `walk`, `compare`: an object along its type: does it fit, which fields has it, merged, cut, compared
- `managers`, `ownership`: who owns what, and what a write does to it
- `last_applied`, `reset`: kubectl's annotation; the fields that a path of the API does not write
"""

from labkit.k8s.structured.elements import words
from labkit.k8s.structured.field_set import FieldSet
from labkit.k8s.structured.reset import reset_fields
from labkit.k8s.structured.writes import apply, update

__all__ = ["FieldSet", "apply", "reset_fields", "update", "words"]
