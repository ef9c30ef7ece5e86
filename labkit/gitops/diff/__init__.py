"""Compare: does what is live say what Git says?

The API server itself is asked: a server-side apply, as a dry run, answers what the object would become, with
defaults filled in, quantities in their canonical form and lists merged by its own rules. If that is what is live
already, the object is Synced. So there is no difference that the server does not see, and none that it does.
"""

from labkit.gitops.diff.compare import Compared, Comparison, compare
from labkit.gitops.diff.ignore import Ignored
from labkit.gitops.diff.secrets import masked
from labkit.gitops.diff.writers import differences

__all__ = ["Compared", "Comparison", "Ignored", "compare", "differences", "masked"]
