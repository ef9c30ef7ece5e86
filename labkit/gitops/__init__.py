"""The reconcile engine: what Argo CD does with an Application, step by step and readable.

``sources → manifests → compare → plan → apply → observe``. Rules are pure functions on data (health, order, gates,
hooks); what talks to Git or a cluster is kept apart from them. The Application object in the cluster is the only
record: whatever the controller knew can be killed with it, and the next pass finds out again.

Behaviour follows Argo CD 3.6 unless a docstring says otherwise.
"""
