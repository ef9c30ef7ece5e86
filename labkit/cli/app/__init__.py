"""``labkit app``: applications, with the names and flags of the ``argocd`` command."""
