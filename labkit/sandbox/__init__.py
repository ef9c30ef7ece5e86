"""A Kubernetes API in one Python process: no Docker, no download, ready in less than half a second.

It is here so that a trainee can see the whole loop on a laptop, with the clients they will use at work:
``kubectl``, Helm and the official Python client talk to it unchanged.  It knows nothing of GitOps, Helm or
lessons; it could be a project of its own.

One process, one event loop, one thread: a request, a controller's ``reconcile(key)`` and the kubelet's next
step are each a short synchronous function, so nothing here takes a lock.

- `store` keeps the objects (SQLite), numbers every write and tells subscribers.
- `apiserver` gives them their meaning: names, schemas, defaults, validation, access, watches, tables.
- `controllers`, `kubelet` and `images` make things happen.  They see the API alone, through `client`.
- `server`, `process` and ``python -m labkit.sandbox`` put it behind TLS on a loopback port.
"""
